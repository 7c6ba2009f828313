"""From rows to people: the user of a session, with what a session opened by another is limited to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from omeroadmin.runtime.services.blitz.database import Row
from omeroadmin.runtime.services.blitz.services.actor import SYSTEM_GROUP, USER_GROUP, Actor, Membership
from omeroadmin.runtime.services.blitz.services.privileges import Privilege, privileges_of
from omeroadmin.runtime.services.blitz.services.sudo import Person, chosen, limited


def person_of(row: Row) -> Person:
    """A user of :data:`sessionrows.PERSON`."""
    return _person(row["omename"], row["groups"], row["restrictions"])


def actor_of(row: Row, last_used: datetime) -> Actor | None:
    """The user of a session of :data:`sessionrows.ACTOR`; ``None`` where the session is of no use any more.

    It is judged anew at each request: who is inactive is out, and so is a session in another's name when the one who
    opened it has lost the right to.
    """
    user: Person | None = _person(row["omename"], row["groups"], row["restrictions"])
    is_limited = False
    if row["sudoer_id"] is not None and user is not None:
        sudoer = _person(row["sudoer"], row["sudoer_groups"], row["sudoer_restrictions"])
        is_limited = not sudoer.is_admin
        user = _under(user, sudoer)
    if user is None or not _is_active(user):
        return None
    return Actor(
        session_id=row["id"],
        key=row["uuid"],
        user_id=row["user_id"],
        user=row["omename"],
        institution=row["institution"],
        started=row["started"],
        last_used=last_used,
        time_to_idle_ms=row["timetoidle"],
        time_to_live_ms=row["timetolive"],
        memberships=user.memberships,
        world_groups=tuple(row["world_groups"] or ()),
        privileges=user.privileges,
        current=_current(user, row["chosen_group"]),
        sudoer=row["sudoer"] or "",
        is_limited=is_limited,
    )


def _person(name: str, groups: list[list[Any]] | None, restrictions: list[str] | None) -> Person:
    memberships = tuple(Membership(*group) for group in groups or ())
    is_admin = any(membership.group_id == SYSTEM_GROUP for membership in memberships)
    return Person(name, memberships, privileges_of(restrictions or ()) if is_admin else frozenset())


def _under(user: Person, sudoer: Person) -> Person | None:
    """A user as far as the one who opened the session reaches."""
    if not _is_active(sudoer):
        return None
    if sudoer.is_admin:
        allowed = Privilege.SUDO in sudoer.privileges
        return Person(user.name, user.memberships, user.privileges & sudoer.privileges) if allowed else None
    memberships = limited(user.memberships, sudoer.led_groups)
    if user.is_admin or all(membership.group_id == USER_GROUP for membership in memberships):
        return None
    return Person(user.name, memberships)


def _is_active(person: Person) -> bool:
    return any(membership.group_id == USER_GROUP for membership in person.memberships)


def _current(user: Person, group: list[Any] | None) -> Membership | None:
    """The chosen group, unless the user has left it."""
    if group is None:
        return None
    own = chosen(user.memberships, str(group[0]))
    return Membership(*group) if own is None and user.is_admin else own
