"""Creates groups, and changes their names and descriptions."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.database import Connection, Database, next_id
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.admin.facts import group_name
from omeroadmin.runtime.services.blitz.services.admin.rules import (
    OWN_GROUPS,
    protected,
    readable_name,
    require_over_group,
    require_privilege,
)
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import conflict, invalid

_COLUMNS = ("name", "description")


class Groups:
    """Changes groups."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, actor: Actor, name: str, *, permissions: int, description: str = "") -> int:
        """A new group without members.

        :param permissions: as a bit mask
        :return: its id
        :raises AdminError: ``permission-denied``, ``group-exists``, ``request-invalid``
        """
        require_privilege(actor, Privilege.MODIFY_GROUP, "create groups")
        proper = readable_name("the name of a group", name)
        try:
            with self._database.transaction() as connection:
                self._require_free(connection, proper)
                group_id = next_id(connection, "experimentergroup")
                connection.execute(
                    "INSERT INTO experimentergroup (id, permissions, version, name, description, ldap)"
                    " VALUES (%s, %s, 0, %s, %s, false)",
                    (group_id, permissions, proper, description.strip() or None),
                )
                Changes(connection, actor).log("INSERT", "ExperimenterGroup", [group_id])
        except psycopg.errors.UniqueViolation:
            raise self._taken(proper) from None
        return group_id

    def update(self, actor: Actor, group_id: int, changed: Mapping[str, str]) -> None:
        """Change a group's name or description.

        :param changed: ``name`` and ``description``, or one of them
        :raises AdminError: ``permission-denied``, ``not-found``, ``group-exists``, ``role-protected``,
            ``request-invalid``
        """
        values: dict[str, str | None] = {name: changed[name].strip() or None for name in _COLUMNS if name in changed}
        if not values:
            raise invalid("neither a name nor a description is given")
        if "name" in values:
            values["name"] = readable_name("the name of a group", changed["name"])
        try:
            with self._database.transaction() as connection:
                old = group_name(connection, group_id)
                require_over_group(actor, Privilege.MODIFY_GROUP, group_id, f"change the group {old}")
                if group_id in OWN_GROUPS and values.get("name", old) != old:
                    raise protected("the groups system, user and guest can't be renamed")
                self._require_free(connection, values.get("name"), group_id)
                # Names of columns come from the tuple above.
                assignments = ", ".join(f"{column} = %({column})s" for column in values)
                statement = (
                    f"UPDATE experimentergroup SET {assignments}, version = coalesce(version, 0) + 1 WHERE id = %(id)s"  # noqa: S608
                )
                connection.execute(statement.encode(), {**values, "id": group_id})
                Changes(connection, actor).log("UPDATE", "ExperimenterGroup", [group_id])
        except psycopg.errors.UniqueViolation:
            raise self._taken(str(values["name"])) from None

    def _require_free(self, connection: Connection, name: str | None, group_id: int | None = None) -> None:
        """Refuse a name that another has; that is no error of the database's, for its log."""
        row = connection.execute(
            "SELECT id FROM experimentergroup WHERE name = %s AND id IS DISTINCT FROM %s", (name, group_id)
        ).fetchone()
        if name is not None and row is not None:
            raise self._taken(name)

    def _taken(self, name: str) -> AdminError:
        row = self._database.row("SELECT id FROM experimentergroup WHERE name = %(name)s", {"name": name})
        return conflict("group-exists", f"Group exists: {name} (id={row['id'] if row else '?'})")
