"""Sessions in the name of others: who may open them, and what they are limited to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.services.actor import SYSTEM_GROUP, USER_GROUP, Membership
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import denied

_LONGEST_ID = 18
"""Digits of an id, at most."""


@dataclass(frozen=True)
class Person:
    """A user, with what decides about sessions.

    :param privileges: what an administrator may do
    """

    name: str
    memberships: tuple[Membership, ...]
    privileges: frozenset[Privilege] = frozenset()

    @property
    def is_admin(self) -> bool:
        """Whether this is an administrator, restricted or not."""
        return any(membership.group_id == SYSTEM_GROUP for membership in self.memberships)

    @property
    def led_groups(self) -> frozenset[int]:
        """Groups of which this user is an owner; owning the group of all users makes nobody an owner of users."""
        return frozenset(
            membership.group_id
            for membership in self.memberships
            if membership.is_leader and membership.group_id not in (SYSTEM_GROUP, USER_GROUP)
        )


def may_become(sudoer: Person, user: Person) -> None:
    """Refuse sudo to whoever has no right to it.

    Administrators with the privilege Sudo may become anybody; what they lack, the session lacks as well. Owners of
    groups may become the members of these groups, but administrators.

    :raises AdminError: ``permission-denied``
    """
    if sudoer.is_admin:
        if Privilege.SUDO not in sudoer.privileges:
            raise denied(f"the administrator {sudoer.name} lacks the privilege {Privilege.SUDO}")
        return
    shared = sudoer.led_groups & {membership.group_id for membership in user.memberships}
    if user.is_admin or not shared:
        raise denied(f"{sudoer.name} is neither an administrator nor an owner of a group of {user.name}")


def limited(memberships: Iterable[Membership], led_groups: frozenset[int]) -> tuple[Membership, ...]:
    """What a group's owner may use of another user's memberships: the groups that it owns.

    The group of all users stays: it is what makes a user active, and everybody is in it.
    """
    return tuple(
        membership
        for membership in memberships
        if membership.group_id in led_groups or membership.group_id == USER_GROUP
    )


def chosen(memberships: Iterable[Membership], text: str) -> Membership | None:
    """The membership that a text means: digits are an id, anything else is a name."""
    number = group_number(text)
    for membership in memberships:
        if membership.group_id == number or (number is None and membership.name == text):
            return membership
    return None


def group_number(text: str) -> int | None:
    """The id that a text is, if it is one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else None


def not_a_member(user: str, text: str) -> AdminError:
    """A group may be there or not: who isn't in it gets the same answer."""
    return denied(f"{user} is not in a group {text!r}")
