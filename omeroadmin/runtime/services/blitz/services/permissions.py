"""Who may do what with whose data: OMERO's permissions, as the manual's tables have them (2.6.1).

Pure: facts in, a word out. Everything that reads or changes data asks here, whatever protocol the request came by.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from omeroadmin.runtime.services.blitz.services.actor import USER_GROUP, WORLD_READ, Actor, Membership
from omeroadmin.runtime.services.blitz.services.levels import Level, level_of
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import denied


class Action(StrEnum):
    """What somebody does with data; each value completes "you may not …"."""

    VIEW = "view"
    ANNOTATE = "annotate"
    DELETE = "delete"
    EDIT = "edit"
    MOVE = "move to another group"
    REMOVE_ANNOTATIONS = "remove annotations from"
    MIX = "link"
    CHANGE_OWNERSHIP = "give away"


class Role(StrEnum):
    """What somebody is to the data of another."""

    ADMINISTRATOR = "administrator"
    GROUP_OWNER = "group owner"
    MEMBER = "group member"
    STRANGER = "stranger"


@dataclass(frozen=True)
class Holding:
    """Whose an object is.

    :param group_permissions: of its group, as a bit mask
    """

    owner_id: int
    group_id: int
    group_permissions: int


_NEEDED = {
    Action.ANNOTATE: Privilege.WRITE_OWNED,
    Action.DELETE: Privilege.DELETE_OWNED,
    Action.EDIT: Privilege.WRITE_OWNED,
    Action.MOVE: Privilege.CHGRP,
    Action.REMOVE_ANNOTATIONS: Privilege.DELETE_OWNED,
    Action.MIX: Privilege.WRITE_OWNED,
    Action.CHANGE_OWNERSHIP: Privilege.CHOWN,
}
"""What a restricted administrator needs for an action; viewing needs none."""

_EVERYWHERE = frozenset(Level)
_SHARING = _EVERYWHERE - {Level.PRIVATE}
_TOGETHER = frozenset({Level.READ_WRITE})
_NOWHERE: frozenset[Level] = frozenset()

OTHERS: dict[Role, dict[Action, frozenset[Level]]] = {
    Role.ADMINISTRATOR: {
        Action.VIEW: _EVERYWHERE,
        Action.ANNOTATE: _SHARING,
        Action.DELETE: _EVERYWHERE,
        Action.EDIT: _EVERYWHERE,
        Action.MOVE: _EVERYWHERE,
        Action.REMOVE_ANNOTATIONS: _EVERYWHERE,
        Action.MIX: _SHARING,
        Action.CHANGE_OWNERSHIP: _EVERYWHERE,
    },
    Role.GROUP_OWNER: {
        Action.VIEW: _EVERYWHERE,
        Action.ANNOTATE: _SHARING,
        Action.DELETE: _EVERYWHERE,
        Action.EDIT: _EVERYWHERE,
        Action.MOVE: _NOWHERE,
        Action.REMOVE_ANNOTATIONS: _EVERYWHERE,
        Action.MIX: _SHARING,
        Action.CHANGE_OWNERSHIP: _EVERYWHERE,
    },
    Role.MEMBER: {
        Action.VIEW: _SHARING,
        Action.ANNOTATE: _SHARING - {Level.READ_ONLY},
        Action.DELETE: _TOGETHER,
        Action.EDIT: _TOGETHER,
        Action.MOVE: _NOWHERE,
        Action.REMOVE_ANNOTATIONS: _TOGETHER,
        Action.MIX: _TOGETHER,
        Action.CHANGE_OWNERSHIP: _NOWHERE,
    },
    Role.STRANGER: dict.fromkeys(Action, _NOWHERE),
}
"""Levels of a group in which a role may do something with others' data."""


def may(actor: Actor, action: Action, holding: Holding) -> bool:
    """Whether somebody may do something with an object."""
    membership = next((one for one in actor.memberships if one.group_id == holding.group_id), None)
    if action is Action.VIEW and (holding.group_permissions & WORLD_READ or actor.is_admin):
        return True
    is_own = holding.owner_id == actor.user_id
    if is_own and membership is not None and action is not Action.CHANGE_OWNERSHIP:
        return True
    level = level_of(holding.group_permissions)
    allowed = any(level in OTHERS[role][action] for role in _roles(actor, action, membership))
    # In a private group an administrator's own rows are still their own.
    return allowed or (is_own and action in (Action.ANNOTATE, Action.MIX) and _is_privileged(actor, action))


def require(actor: Actor, action: Action, what: str, holding: Holding) -> None:
    """Make sure that somebody may do something with an object.

    :param what: names the object, e.g. ``Image:51``
    :raises AdminError: ``permission-denied``
    """
    if not may(actor, action, holding):
        raise denied(f"you may not {action} {what}: {_reason(actor, holding)}")


def require_data_group(actor: Actor) -> None:
    """Make sure that new data doesn't go to the group of all users, where all of them would see it.

    :raises AdminError: ``permission-denied``
    """
    if actor.group.group_id == USER_GROUP:
        raise denied("no data is kept in the group of all users; change to another group first")


def _reason(actor: Actor, holding: Holding) -> str:
    if not actor.is_admin and all(one.group_id != holding.group_id for one in actor.memberships):
        return "you are not in its group"
    if holding.owner_id == actor.user_id:
        return "only administrators and owners of its group may"
    return f"it belongs to another user, in a {level_of(holding.group_permissions).value} group"


def _roles(actor: Actor, action: Action, membership: Membership | None) -> Iterable[Role]:
    if _is_privileged(actor, action):
        yield Role.ADMINISTRATOR
    if membership is not None:
        yield Role.GROUP_OWNER if membership.is_leader else Role.MEMBER


def _is_privileged(actor: Actor, action: Action) -> bool:
    needed = _NEEDED.get(action)
    return actor.is_admin if needed is None else needed in actor.privileges
