"""Who may change which property, where it is not simply a matter of the object's permissions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from omeroadmin.runtime.services.blitz.database import Row
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.model.entity import Column, Entity, MapColumn
from omeroadmin.runtime.services.blitz.services.objects.values import Pair
from omeroadmin.runtime.services.blitz.services.permissions import Action, Holding, require
from omeroadmin.runtime.services.blitz.services.privileges import CONFIG_PREFIX, Privilege
from omeroadmin.runtime.services.blitz.services.problems import denied, invalid

_OF_ONESELF = frozenset({"firstName", "middleName", "lastName", "email", "institution"})
_OF_OWNERS = frozenset({"name", "description"})
_FIXED_USERS = frozenset({0, 1})
_FIXED_GROUPS = frozenset({0, 1, 2})
_SERVERS_MIMETYPES = frozenset({"Directory", "Repository"})
_HIGHEST_FIXED = {"Experimenter": ("omeName", _FIXED_USERS), "ExperimenterGroup": ("name", _FIXED_GROUPS)}


def require_edit(actor: Actor, row: Row, columns: Iterable[Column]) -> None:
    """Make sure that somebody may change an object.

    :param row: the object, as :func:`reading.read` gives it
    :param columns: what shall change; none: its pairs
    :raises AdminError: ``permission-denied``, ``request-invalid``
    """
    entity: Entity = row["entity"]
    names = {column.name for column in columns}
    what = f"{entity.name}:{row['id']}"
    if not entity.owned:
        _require_people(actor, row, entity, names)
        return
    require(actor, Action.EDIT, what, Holding(row["owner_id"], row["group_id"], row["group_permissions"]))
    if entity.link is not None and names:
        raise invalid(f"{what} is a link: delete it and make another")
    if entity.name == "OriginalFile" and row["repo"] is not None and names & {"name", "mimetype"}:
        raise invalid(f"{what} is a file of a repository; its {', '.join(sorted(names))} can't be changed here")


def require_pairs(actor: Actor, column: MapColumn, before: Sequence[Pair], after: Sequence[Pair]) -> None:
    """Make sure that somebody may change these pairs: nobody takes or gives a privilege that they don't have.

    :raises AdminError: ``permission-denied``
    """
    if column.table != "experimenter_config":
        return
    for name in {pair[0] for pair in set(before) ^ set(after)}:
        privilege = name.removeprefix(CONFIG_PREFIX)
        if name.startswith(CONFIG_PREFIX) and privilege not in actor.privileges:
            raise denied(f"you may not change the privilege {privilege}, because you don't have it")


def require_value(column: Column, value: object) -> None:
    """Make sure that a value isn't one that only the server gives.

    :raises AdminError: ``request-invalid``
    """
    if column.name == "mimetype" and value in _SERVERS_MIMETYPES:
        raise invalid(f"only the server makes files of type {value}")


def _require_people(actor: Actor, row: Row, entity: Entity, names: set[str]) -> None:
    what = f"{entity.name}:{row['id']}"
    if entity.name in _HIGHEST_FIXED:
        name, fixed = _HIGHEST_FIXED[entity.name]
        if name in names and row["id"] in fixed:
            raise invalid(f"{what} can't be renamed")
    if entity.name == "Experimenter":
        allowed = Privilege.MODIFY_USER in actor.privileges
        allowed = allowed or (bool(names) and row["id"] == actor.user_id and names <= _OF_ONESELF)
    elif entity.name == "ExperimenterGroup":
        allowed = Privilege.MODIFY_GROUP in actor.privileges
        is_owner = any(one.group_id == row["id"] and one.is_leader for one in actor.memberships)
        allowed = allowed or (bool(names) and is_owner and names <= _OF_OWNERS)
    else:
        allowed = False
    if not allowed:
        shown = ", ".join(sorted(names)) or "the pairs"
        raise denied(f"you may not edit {shown} of {what}")
