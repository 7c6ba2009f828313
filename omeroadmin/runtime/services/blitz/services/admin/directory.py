"""Lists users and groups, as every user of a server may see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from omeroadmin.runtime.services.blitz.database import Database, Row
from omeroadmin.runtime.services.blitz.services.levels import level_of, permission_text
from omeroadmin.runtime.services.blitz.services.privileges import CONFIG_PREFIX, privileges_of
from omeroadmin.runtime.services.blitz.services.problems import not_found
from omeroadmin.runtime.services.blitz.services.query import Page

_USERS = """
SELECT e.id, e.omename AS name, e.firstname AS first_name, coalesce(e.middlename, '') AS middle_name,
       e.lastname AS last_name, coalesce(e.email, '') AS email, coalesce(e.institution, '') AS institution, e.ldap,
       coalesce(m.active, false) AS active, coalesce(m.admin, false) AS admin, r.restrictions, m.default_group,
       coalesce(m.member_of, '{}') AS member_of, coalesce(m.owner_of, '{}') AS owner_of
  FROM experimenter e
  LEFT JOIN LATERAL (
       SELECT bool_or(parent = 1) AS active, bool_or(parent = 0) AS admin,
              (array_agg(parent ORDER BY child_index, id) FILTER (WHERE parent <> 1))[1] AS default_group,
              array_agg(parent ORDER BY child_index, id) FILTER (WHERE parent > 1 AND NOT owner) AS member_of,
              array_agg(parent ORDER BY child_index, id) FILTER (WHERE parent > 1 AND owner) AS owner_of
         FROM groupexperimentermap WHERE child = e.id) m ON true
  LEFT JOIN LATERAL (
       SELECT array_agg(name) AS restrictions FROM experimenter_config
        WHERE experimenter_id = e.id AND starts_with(name, %(prefix)s) AND lower(value) <> 'true') r ON m.admin
"""
_GROUPS = """
SELECT g.id, g.name, coalesce(g.description, '') AS description, g.ldap, g.permissions,
       coalesce(m.owners, '{}') AS owners, coalesce(m.members, '{}') AS members
  FROM experimentergroup g
  LEFT JOIN LATERAL (
       SELECT array_agg(child ORDER BY child) FILTER (WHERE owner) AS owners,
              array_agg(child ORDER BY child) FILTER (WHERE NOT owner) AS members
         FROM groupexperimentermap WHERE parent = g.id) m ON true
"""
_PAGE = " WHERE {alias}.id > %(after)s ORDER BY {alias}.id LIMIT %(limit)s"
_CHOICE = " WHERE {alias}.id = ANY(%(ids)s) OR {alias}.{name} = ANY(%(names)s) ORDER BY {alias}.id"


class Directory:
    """Everybody, and every group."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def users(self, *, after: int, limit: int) -> Page:
        """Users in the order of their ids."""
        page = self._page(_USERS + _PAGE.format(alias="e"), after, limit)
        return Page([_user(row) for row in page.rows], page.next)

    def chosen_users(self, ids: Sequence[int], names: Sequence[str]) -> list[Row]:
        """Those users that exist of some ids and names."""
        statement = _USERS + _CHOICE.format(alias="e", name="omename")
        rows = self._database.rows(statement, {"ids": list(ids), "names": list(names), "prefix": CONFIG_PREFIX})
        return [_user(row) for row in rows]

    def user(self, user_id: int) -> Row:
        """One user.

        :raises AdminError: ``not-found``
        """
        found = self.chosen_users([user_id], [])
        if not found:
            raise not_found("user", user_id)
        return found[0]

    def groups(self, *, after: int, limit: int) -> Page:
        """Groups in the order of their ids."""
        page = self._page(_GROUPS + _PAGE.format(alias="g"), after, limit)
        return Page([_group(row) for row in page.rows], page.next)

    def chosen_groups(self, ids: Sequence[int], names: Sequence[str]) -> list[Row]:
        """Those groups that exist of some ids and names."""
        statement = _GROUPS + _CHOICE.format(alias="g", name="name")
        return [_group(row) for row in self._database.rows(statement, {"ids": list(ids), "names": list(names)})]

    def group(self, group_id: int) -> Row:
        """One group.

        :raises AdminError: ``not-found``
        """
        found = self.chosen_groups([group_id], [])
        if not found:
            raise not_found("group", group_id)
        return found[0]

    def _page(self, statement: str, after: int, limit: int) -> Page:
        parameters: dict[str, Any] = {"after": after, "limit": limit + 1, "prefix": CONFIG_PREFIX}
        rows = self._database.rows(statement, parameters)
        return Page(rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None)


def _user(row: Row) -> Row:
    restrictions = row.pop("restrictions") or ()
    left = sorted(privileges_of(restrictions)) if row["admin"] else []
    return {**row, "privileges": [privilege.value for privilege in left]}


def _group(row: Row) -> Row:
    mask = row["permissions"]
    return {**row, "permissions": permission_text(mask), "level": level_of(mask).value}
