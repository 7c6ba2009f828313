"""Objects of a live server's users: containers, annotations and links by their rows, images by imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES
from tests.support.liveserver import PASSWORD, Answer, Api, LiveServer

DETAILS = "permissions, creation_id, update_id, group_id, owner_id"


def picture(width: int = 8) -> bytes:
    """A PNG."""
    import pyvips

    return bytes(pyvips.Image.black(width, 8).pngsave_buffer())


@dataclass
class Person:
    """A user with a session.

    :param group: id of the group that new data goes to
    """

    server: LiveServer
    name: str
    id: int
    group: int
    api: Api

    def make(self, name: str, /, **columns: Any) -> int:
        """A row of a type of the model, in the user's group.

        :return: its id
        """
        entity = ENTITIES[name]
        if entity.discriminator:
            columns["discriminator"] = entity.discriminator
        elif any(column.name == "name" and column.required for column in entity.columns):
            columns.setdefault("name", f"a {name}")
        names = ", ".join(columns)
        places = "".join(", %s" for _ in columns)
        [[made]] = self.server.sql(
            f"INSERT INTO {entity.table} (id, {DETAILS}{', ' if names else ''}{names})"
            f" VALUES (ome_nextval('seq_{entity.table}'), -120, 0, 0, %s, %s{places}) RETURNING id",
            self.group, self.id, *columns.values(),
        )  # fmt: skip
        return int(made)

    def link(self, parent: str, parent_id: int, child: str, child_id: int) -> int:
        """A link, e.g. from Dataset 1 to Image 2; all kinds of annotations are ``Annotation``."""
        return self.make(f"{parent}{child}Link", parent=parent_id, child=child_id)

    def image(self, *names: str) -> list[int]:
        """Import pictures as one fileset."""
        done = self.api.import_files(*((f"/pictures/{name}.png", picture()) for name in names or ("one",)))
        assert done.status == 201, done
        return [image["id"] for image in done.document["images"]]

    def ask(self, operation: str, *targets: str, **more: Any) -> Answer:
        """A request of the graph, e.g. ``ask("delete", "Project:1-3,7")``."""
        return self.api.call("POST", f"/{operation}", {"targets": [parsed(text) for text in targets], **more})


def parsed(text: str) -> dict[str, Any]:
    """A target of the command line as the API has it."""
    name, _, ids = text.partition(":")
    return {"type": name, "ids": ids}


def person(server: LiveServer, *, permissions: int = -120, group: str | None = None, owns: bool = False) -> Person:
    """A new user.

    :param group: name of a group that exists; a new one otherwise
    :param owns: whether the user owns the group
    """
    name = server.add_user(permissions=permissions, group=group)
    return known(server, name, owns=owns)


def known(server: LiveServer, name: str, *, owns: bool = False) -> Person:
    """A user who exists, with :data:`PASSWORD`."""
    [[user, group]] = server.sql(
        "SELECT e.id, m.parent FROM experimenter e JOIN groupexperimentermap m ON m.child = e.id"
        " WHERE e.omename = %s AND m.child_index = 0",
        name,
    )
    if owns:
        server.sql("UPDATE groupexperimentermap SET owner = true WHERE parent = %s AND child = %s", group, user)
    return Person(server, name, user, group, server.tls().login(name, PASSWORD))


def joins(server: LiveServer, someone: Person, group: int, *, owner: bool = False) -> None:
    """Make a user a member of another group."""
    server.sql(
        "INSERT INTO groupexperimentermap (id, permissions, version, parent, child, child_index, owner)"
        " VALUES (ome_nextval('seq_groupexperimentermap'), -52, 0, %s, %s, 5, %s)",
        group, someone.id, owner,
    )  # fmt: skip


def objects(answer: Answer, member: str = "deleted") -> dict[str, str]:
    """What a request deleted or changed, as type and ranges."""
    assert answer.status == 200, answer
    return {one["type"]: one["ids"] for plan in answer.document["plans"] for one in plan[member]}


def kept(answer: Answer) -> dict[str, str]:
    """What stayed, and why."""
    assert answer.status == 200, answer
    return {f"{one['type']}:{one['ids']}": one["reason"] for plan in answer.document["plans"] for one in plan["kept"]}
