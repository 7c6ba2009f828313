"""Changes how much the members of a group share."""

from __future__ import annotations

from dataclasses import dataclass

from omeroadmin.runtime.services.blitz.database import Connection, Database
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.admin.downgrade import Losses, losses
from omeroadmin.runtime.services.blitz.services.admin.rules import require_changeable_group, require_over_group
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.levels import Level, level_of, permission_text
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES, SEARCHED
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import conflict, denied, not_found


@dataclass(frozen=True)
class LevelChange:
    """A change of a group's level, made or to be made.

    :param before: permissions as a text, e.g. ``rwra--``
    :param removed: links that the new level doesn't permit, and regions of interest that lose their image: how many of
        each type
    """

    group_id: int
    name: str
    before: str
    after: str
    removed: dict[str, int]


class GroupLevels:
    """Changes the permissions of groups."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, actor: Actor, group_id: int, permissions: int, *, dry_run: bool = False) -> LevelChange:
        """Give a group other permissions: all or nothing, seen by every session at its next request.

        :param permissions: as a bit mask
        :param dry_run: only say what would be done
        :raises AdminError: ``permission-denied``, ``not-found``, ``role-protected``, ``data-inseparable``
        """
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT name, permissions FROM experimentergroup WHERE id = %s FOR UPDATE", (group_id,)
            ).fetchone()
            if row is None:
                raise not_found("group", group_id)
            before, after = level_of(row["permissions"]), level_of(permissions)
            _require(actor, group_id, row["name"], before, after)
            lost = losses(connection, group_id, before, after)
            change = LevelChange(
                group_id, row["name"], permission_text(row["permissions"]), permission_text(permissions), lost.counts
            )
            if lost.in_the_way:
                raise conflict(
                    "data-inseparable", f"the group {row['name']} can't become {after}: {'; '.join(lost.in_the_way)}"
                )
            if not dry_run and row["permissions"] != permissions:
                _apply(connection, actor, group_id, permissions, lost)
        return change


def _require(actor: Actor, group_id: int, name: str, before: Level, after: Level) -> None:
    require_over_group(actor, Privilege.MODIFY_GROUP, group_id, f"change the permissions of the group {name}")
    require_changeable_group(group_id, "permissions")
    promoted = after is Level.READ_WRITE and before is not Level.READ_WRITE
    if promoted and Privilege.MODIFY_GROUP not in actor.privileges:
        raise denied(
            f"you may not make the group {name} read-write: only administrators with the privilege ModifyGroup may"
        )


def _annotated(connection: Connection, name: str, lost: Losses) -> list[int]:
    """Objects that lose annotations, by which a search isn't to find them any more."""
    link = ENTITIES[f"{name}AnnotationLink"]
    statement = f"SELECT DISTINCT parent FROM {link.table} WHERE id = ANY(%s)"  # noqa: S608
    rows = connection.execute(statement.encode(), (list(lost.links.get(link.name, ())),)).fetchall()
    return [row["parent"] for row in rows]


def _apply(connection: Connection, actor: Actor, group_id: int, permissions: int, lost: Losses) -> None:
    changes = Changes(connection, actor)
    # Names of tables come from the declared model only.
    unfound = {name: _annotated(connection, name, lost) for name in SEARCHED}
    for name, ids in lost.links.items():
        connection.execute(f"DELETE FROM {ENTITIES[name].table} WHERE id = ANY(%s)".encode(), (ids,))  # noqa: S608
        changes.log("DELETE", name, ids)
    for name, ids in unfound.items():
        changes.log("REINDEX", name, ids)
    if lost.detached:
        connection.execute(
            "UPDATE roi SET image = NULL, update_id = %s WHERE id = ANY(%s)", (changes.event_id, lost.detached)
        )
        changes.log("UPDATE", "Roi", lost.detached)
    for table in sorted({entity.table for entity in ENTITIES.values() if entity.owned}):
        connection.execute(
            f"UPDATE {table} SET permissions = %s WHERE group_id = %s AND permissions <> %s".encode(),  # noqa: S608
            (permissions, group_id, permissions),
        )
    connection.execute(
        "UPDATE experimentergroup SET permissions = %s, version = coalesce(version, 0) + 1 WHERE id = %s",
        (permissions, group_id),
    )
    changes.log("UPDATE", "ExperimenterGroup", [group_id])
