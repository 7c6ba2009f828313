"""What the rules need to know of users and groups, read inside the transaction that changes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omeroadmin.runtime.services.blitz.database import Connection, one
from omeroadmin.runtime.services.blitz.services.actor import SYSTEM_GROUP
from omeroadmin.runtime.services.blitz.services.privileges import CONFIG_PREFIX, Privilege, privileges_of
from omeroadmin.runtime.services.blitz.services.problems import not_found

_RESTRICTIONS = """
SELECT name FROM experimenter_config
 WHERE experimenter_id = %s AND starts_with(name, %s) AND lower(value) <> 'true'
"""


@dataclass(frozen=True)
class Standing:
    """A user whose row is locked until the end of the transaction.

    :param groups: in their order
    :param left_privileges: what the user may, or could as an administrator
    """

    id: int
    name: str
    ldap: bool
    groups: tuple[int, ...]
    owned: frozenset[int]
    left_privileges: frozenset[Privilege]

    @property
    def is_admin(self) -> bool:
        """Whether the user is an administrator."""
        return SYSTEM_GROUP in self.groups

    @property
    def privileges(self) -> frozenset[Privilege]:
        """What the user may as an administrator; nothing where it isn't one."""
        return self.left_privileges if self.is_admin else frozenset()


def standing(connection: Connection, user_id: int) -> Standing:
    """A user, locked: nobody else changes its groups or privileges meanwhile.

    :raises AdminError: ``not-found``
    """
    row = connection.execute(
        "SELECT omename, ldap FROM experimenter WHERE id = %s FOR NO KEY UPDATE", (user_id,)
    ).fetchone()
    if row is None:
        raise not_found("user", user_id)
    memberships = connection.execute(
        "SELECT parent, owner FROM groupexperimentermap WHERE child = %s ORDER BY child_index, id", (user_id,)
    ).fetchall()
    restrictions = connection.execute(_RESTRICTIONS, (user_id, CONFIG_PREFIX)).fetchall()
    return Standing(
        user_id,
        row["omename"],
        row["ldap"],
        tuple(membership["parent"] for membership in memberships),
        frozenset(membership["parent"] for membership in memberships if membership["owner"]),
        privileges_of([restriction["name"] for restriction in restrictions]),
    )


def standings(connection: Connection, user_ids: Sequence[int]) -> list[Standing]:
    """Several users, locked in the order of their ids, so that two changes never wait for each other in a circle.

    :raises AdminError: ``not-found``
    """
    return [standing(connection, user_id) for user_id in sorted(set(user_ids))]


def require_groups(connection: Connection, group_ids: Sequence[int]) -> None:
    """Make sure that groups exist.

    :raises AdminError: ``not-found``
    """
    rows = connection.execute("SELECT id FROM experimentergroup WHERE id = ANY(%s)", (list(group_ids),)).fetchall()
    missing = set(group_ids) - {row["id"] for row in rows}
    if missing:
        raise not_found("group", min(missing))


def group_name(connection: Connection, group_id: int) -> str:
    """Name of a group.

    :raises AdminError: ``not-found``
    """
    row = connection.execute("SELECT name FROM experimentergroup WHERE id = %s", (group_id,)).fetchone()
    if row is None:
        raise not_found("group", group_id)
    return str(row["name"])


def next_index(connection: Connection, user_id: int) -> int:
    """Place behind all groups that a user has."""
    row = connection.execute(
        "SELECT coalesce(max(child_index) + 1, 0) AS index FROM groupexperimentermap WHERE child = %s", (user_id,)
    ).fetchone()
    return int(one(row)["index"])
