"""Containers that imports go to: found by id or name, and made where a name is new."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from omeroadmin.database.advisory import AdvisoryLock
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.runtime.services.blitz.database import Connection, Database, next_id
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.importoptions import TargetId
from omeroadmin.runtime.services.blitz.services.permissions import (
    Action,
    Holding,
    may,
    require,
    require_data_group,
)
from omeroadmin.runtime.services.blitz.services.problems import denied, invalid

KINDS = ("Dataset", "Screen", "Project")
_LONGEST_NAME = 255
_TABLES = {"Dataset": "dataset", "Screen": "screen", "Project": "project"}
_COLUMNS = "o.id, o.name, o.owner_id, o.group_id, g.permissions"


class Choice(StrEnum):
    """Which container of a name is meant; without one, all but ``UNIQUE`` make one, and so does ``UNIQUE``."""

    NEWEST = "newest"
    OLDEST = "oldest"
    UNIQUE = "unique"
    NEW = "new"


@dataclass(frozen=True)
class Named:
    """A wish for a container by its name."""

    kind: str
    name: str
    choice: Choice


@dataclass(frozen=True)
class Target:
    """A container that was found or made."""

    kind: str
    id: int
    name: str
    created: bool


class ImportTargets:
    """Finds and makes containers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def resolve(self, actor: Actor, wish: Named | TargetId, project: Named | TargetId | None = None) -> Target:
        """The container that a wish is for, linked to a project where one is named.

        :raises AdminError: ``target-not-found``, ``target-ambiguous``, ``permission-denied``, ``request-invalid``
        """
        if wish.kind == "Project" or (project is not None and (wish.kind, project.kind) != ("Dataset", "Project")):
            raise invalid("images go to a Dataset, which may be in a Project, and plates to a Screen")
        with self._database.transaction() as connection:
            # Two sessions that ask for a new name at once get one container.
            keys = (AdvisoryLock.IMPORT_TARGETS, actor.group.group_id)
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", keys)
            writer = _Writer(connection, actor)
            parent = None if project is None else writer.find(project)
            target = writer.find(wish)
            if parent is not None:
                writer.link(parent.id, target.id)
            return target


def require_target(connection: Connection, actor: Actor, target: TargetId) -> Target:
    """A container by its id, if the actor may put something into it.

    :raises AdminError: ``target-not-found``, ``permission-denied``, ``request-invalid``
    """
    row = connection.execute(
        (
            f"SELECT {_COLUMNS} FROM {_table(target.kind)} o JOIN experimentergroup g ON g.id = o.group_id"  # noqa: S608
            f" WHERE o.id = %(id)s AND {visible('o')}"
        ).encode(),
        {"id": target.id, **actor.visibility()},
    ).fetchone()
    what = f"{target.kind}:{target.id}"
    if row is None:
        raise _not_found(what)
    if row["group_id"] != actor.group.group_id:
        raise denied(f"{what} is in another group than this session, which imports to {actor.group.name}")
    require(actor, Action.MIX, what, Holding(row["owner_id"], row["group_id"], row["permissions"]))
    return Target(target.kind, row["id"], row["name"], created=False)


class _Writer:
    def __init__(self, connection: Connection, actor: Actor) -> None:
        self._connection = connection
        self._actor = actor
        self._made: Changes | None = None

    @property
    def _changes(self) -> Changes:
        if self._made is None:
            self._made = Changes(self._connection, self._actor)
        return self._made

    def find(self, wish: Named | TargetId) -> Target:
        if isinstance(wish, TargetId):
            return require_target(self._connection, self._actor, wish)
        if not 0 < len(wish.name) <= _LONGEST_NAME:
            raise invalid(f"the name of a {wish.kind} has 1 to {_LONGEST_NAME} characters")
        found = [] if wish.choice is Choice.NEW else self._named(wish)
        if len(found) > 1 and wish.choice is Choice.UNIQUE:
            raise failed_error("target-ambiguous", f"{len(found)} {wish.kind}s are named {wish.name!r}")
        if not found:
            return self._make(wish)
        return found[0] if wish.choice is Choice.OLDEST else found[-1]

    def _named(self, wish: Named) -> list[Target]:
        rows = self._connection.execute(
            (
                f"SELECT {_COLUMNS} FROM {_table(wish.kind)} o JOIN experimentergroup g"  # noqa: S608 - constants
                f" ON g.id = o.group_id WHERE o.name = %(name)s AND o.group_id = %(group)s AND {visible('o')}"
                " ORDER BY o.id"
            ).encode(),
            {"name": wish.name, "group": self._actor.group.group_id, **self._actor.visibility()},
        ).fetchall()
        return [
            Target(wish.kind, row["id"], row["name"], created=False)
            for row in rows
            if may(self._actor, Action.MIX, Holding(row["owner_id"], row["group_id"], row["permissions"]))
        ]

    def _make(self, wish: Named) -> Target:
        require_data_group(self._actor)
        table = _table(wish.kind)
        target_id = next_id(self._connection, table)
        self._connection.execute(
            (
                f"INSERT INTO {table} (id, name, permissions, creation_id, update_id, group_id, owner_id)"  # noqa: S608
                " VALUES (%(id)s, %(name)s, %(permissions)s, %(event_id)s, %(event_id)s, %(group_id)s, %(owner_id)s)"
            ).encode(),
            {"id": target_id, "name": wish.name, **self._changes.details()},
        )
        self._changes.log("INSERT", wish.kind, [target_id])
        return Target(wish.kind, target_id, wish.name, created=True)

    def link(self, project_id: int, dataset_id: int) -> None:
        present = self._connection.execute(
            "SELECT 1 FROM projectdatasetlink WHERE parent = %s AND child = %s", (project_id, dataset_id)
        ).fetchone()
        if present is not None:
            return
        link_id = next_id(self._connection, "projectdatasetlink")
        self._connection.execute(
            "INSERT INTO projectdatasetlink (id, parent, child, permissions, creation_id, update_id, group_id,"
            " owner_id) VALUES (%(id)s, %(parent)s, %(child)s, %(permissions)s, %(event_id)s, %(event_id)s,"
            " %(group_id)s, %(owner_id)s)",
            {"id": link_id, "parent": project_id, "child": dataset_id, **self._changes.details()},
        )
        self._changes.log("INSERT", "ProjectDatasetLink", [link_id])


def _table(kind: str) -> str:
    if kind not in _TABLES:
        raise invalid(f"a target is one of {', '.join(KINDS)}, not {kind[:40]!r}")
    return _TABLES[kind]


def _not_found(what: str) -> AdminError:
    return failed_error("target-not-found", f"there is no {what} that this user can see")
