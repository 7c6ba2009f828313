"""Who asks: the user of a session, and what this user may see."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from omeroadmin.runtime.services.blitz.services.privileges import Privilege

GROUP_READ = 0x40
WORLD_READ = 0x04
SYSTEM_GROUP = 0
USER_GROUP = 1


@dataclass(frozen=True)
class Membership:
    """A group of a user.

    :param permissions: of the group, as a bit mask
    :param is_leader: whether the user owns the group
    """

    group_id: int
    name: str
    permissions: int
    is_leader: bool

    @property
    def shares(self) -> bool:
        """Whether the user may read everybody's data in this group."""
        return self.is_leader or bool(self.permissions & GROUP_READ)


@dataclass(frozen=True)
class Actor:
    """The user of a session, with what permissions depend on.

    :param key: the bearer credential; never logged
    :param last_used: UTC
    :param world_groups: groups whose data everybody may read
    :param time_to_idle_ms: 0: never
    :param time_to_live_ms: 0: forever
    :param privileges: what an administrator may do; others have none
    :param current: the group that was chosen, if one was; administrators choose others than their own as well
    :param sudoer: name of the user who opened the session in this user's name, if another did
    :param is_limited: whether that is an owner of groups: the session reaches their data, but not the user's account
    """

    session_id: int
    key: str = field(repr=False)
    user_id: int
    user: str
    institution: str
    started: datetime
    last_used: datetime
    time_to_idle_ms: int
    time_to_live_ms: int
    memberships: tuple[Membership, ...]
    world_groups: tuple[int, ...] = ()
    privileges: frozenset[Privilege] = frozenset()
    current: Membership | None = None
    sudoer: str = ""
    is_limited: bool = False

    @property
    def group(self) -> Membership:
        """The group that new data goes to: the chosen one, else the first but the one of all users."""
        if self.current is not None:
            return self.current
        for membership in self.memberships:
            if membership.group_id != USER_GROUP:
                return membership
        return self.memberships[0]

    @property
    def is_admin(self) -> bool:
        """Whether this user may see everything; what it may change is a matter of its privileges."""
        return any(membership.group_id == SYSTEM_GROUP for membership in self.memberships)

    @property
    def is_active(self) -> bool:
        """Whether this user may log in at all."""
        return any(membership.group_id == USER_GROUP for membership in self.memberships)

    @property
    def readable_groups(self) -> list[int]:
        """Groups in which this user may read everybody's data."""
        return [membership.group_id for membership in self.memberships if membership.shares] + list(self.world_groups)

    def visibility(self) -> dict[str, object]:
        """Parameters of :func:`visible`."""
        return {
            "is_admin": self.is_admin,
            "user_id": self.user_id,
            "own_groups": [membership.group_id for membership in self.memberships],
            "readable_groups": self.readable_groups,
        }


def visible(alias: str) -> str:
    """SQL condition for rows that an actor may see.

    :param alias: of a table with ``owner_id`` and ``group_id``
    """
    return (
        f"(%(is_admin)s OR {alias}.group_id = ANY(%(readable_groups)s)"
        f" OR ({alias}.owner_id = %(user_id)s AND {alias}.group_id = ANY(%(own_groups)s)))"
    )
