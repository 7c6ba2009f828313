"""Who may change users, groups and memberships; pure.

Administrators may what their privileges say, owners of a group may care for that group. Nobody hands out or takes away
what they lack themselves: that would be a way around any restriction.
"""

from __future__ import annotations

from collections.abc import Iterable

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.services.actor import SYSTEM_GROUP, USER_GROUP, Actor
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import conflict, denied, invalid

ROOT = 0
GUEST = 1
GUEST_GROUP = 2
OWN_GROUPS = frozenset({SYSTEM_GROUP, USER_GROUP, GUEST_GROUP})
"""Groups that the server itself depends on."""


def require_privilege(actor: Actor, privilege: Privilege, what: str) -> None:
    """Make sure that somebody is an administrator with a privilege.

    :param what: completes "you may not …"
    :raises AdminError: ``permission-denied``
    """
    if privilege not in actor.privileges:
        raise denied(f"you may not {what}: only administrators with the privilege {privilege.value} may")


def owns(actor: Actor, group_id: int) -> bool:
    """Whether somebody is an owner of a group, and it is one that can be cared for by owners."""
    return group_id not in OWN_GROUPS and any(one.group_id == group_id and one.is_leader for one in actor.memberships)


def require_own_account(actor: Actor, what: str) -> None:
    """Make sure that users themselves, or administrators in their names, change their account.

    :param what: completes "you may not …"
    :raises AdminError: ``permission-denied``
    """
    if actor.is_limited:
        raise denied(f"you may not {what}: {actor.sudoer} owns a group of {actor.user}, not the account")


def require_over_group(actor: Actor, privilege: Privilege, group_id: int, what: str) -> None:
    """Make sure that somebody owns a group or is an administrator with a privilege.

    :raises AdminError: ``permission-denied``
    """
    if not owns(actor, group_id):
        require_privilege(actor, privilege, what)


def require_not_above(actor: Actor, privileges: Iterable[Privilege], what: str) -> None:
    """Make sure that what is given, lifted or taken away is nothing that somebody lacks.

    :param privileges: those concerned
    :raises AdminError: ``permission-denied``
    """
    lacking = sorted(set(privileges) - actor.privileges)
    if lacking:
        raise denied(f"you may not {what}: you lack the privilege {', '.join(one.value for one in lacking)} yourself")


def require_changeable_group(group_id: int, what: str) -> None:
    """Make sure that a group isn't one of the server's own.

    :raises AdminError: ``role-protected``
    """
    if group_id in OWN_GROUPS:
        raise protected(f"{what} of the groups system, user and guest can't be changed")


def require_joinable(user_id: int, group_id: int, *, as_owner: bool) -> None:
    """Make sure that somebody may be in a group at all.

    :raises AdminError: ``role-protected``
    """
    if user_id == GUEST or group_id == GUEST_GROUP:
        raise protected("the user guest is in the group guest, alone and in no other")
    if as_owner and group_id == USER_GROUP:
        raise protected("the group user has no owners: it holds everybody who may log in")


def require_leavable(actor: Actor, user_id: int, group_id: int, left: Iterable[int]) -> None:
    """Make sure that somebody may leave a group.

    :param left: groups that the user would have then
    :raises AdminError: ``role-protected``, ``last-group``
    """
    if user_id == GUEST:
        raise protected("the user guest is in the group guest, alone and in no other")
    if group_id in (SYSTEM_GROUP, USER_GROUP):
        if user_id == ROOT:
            raise protected("the user root can't leave the groups system and user")
        if user_id == actor.user_id:
            raise protected("nobody can leave the groups system and user on their own: let another administrator do it")
    if not set(left) - {USER_GROUP}:
        raise conflict("last-group", f"user {user_id} would be left without a group to work in; add another one first")


def readable_name(what: str, text: str) -> str:
    """A name for a user or a group, without blanks around it.

    :param what: begins the message, e.g. ``the name of a group``
    :raises AdminError: ``request-invalid``
    """
    name = text.strip()
    if not name or len(name) > 255 or not name.isprintable():
        raise invalid(f"{what} has 1 to 255 characters that can be printed")
    return name


def protected(message: str) -> AdminError:
    """The server itself needs it as it is."""
    return conflict("role-protected", message)
