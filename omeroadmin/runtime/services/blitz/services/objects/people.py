"""Users and groups as objects: who may change them is decided by the rules of administration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omeroadmin.runtime.services.blitz.database import Connection, Row
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.admin.facts import standing
from omeroadmin.runtime.services.blitz.services.admin.restrictions import require_config_change
from omeroadmin.runtime.services.blitz.services.admin.rules import (
    OWN_GROUPS,
    protected,
    readable_name,
    require_not_above,
    require_over_group,
    require_privilege,
)
from omeroadmin.runtime.services.blitz.services.admin.users import COLUMNS, require_update
from omeroadmin.runtime.services.blitz.services.model.entity import Column, ColumnKind, Entity
from omeroadmin.runtime.services.blitz.services.objects.values import Pair
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import denied

_USERS_NAMES = {column: name for name, column in COLUMNS.items()}


def readable(entity: Entity, values: Mapping[Column, Any], *, lower_case: bool) -> dict[Column, Any]:
    """Values of a user or group as administration stores them: names without blanks around them, nothing unreadable.

    :param lower_case: whether names of users are kept in lower case
    :raises AdminError: ``request-invalid``
    """
    result = dict(values)
    for column, value in values.items():
        if column.kind is ColumnKind.NAME and value is not None and (value or column.required):
            result[column] = readable_name(f"{column.name} of {entity.one}", value)
        if lower_case and column.name == "omeName" and value:
            result[column] = result[column].lower()
    return result


def require_edit(connection: Connection, actor: Actor, row: Row, values: Mapping[Column, Any]) -> None:
    """Make sure that somebody may change a user or a group.

    :param values: what shall change; none: its pairs
    :raises AdminError: ``permission-denied``, ``role-protected``
    """
    entity: Entity = row["entity"]
    what = f"{entity.name}:{row['id']}"
    if entity.name == "Experimenter":
        _require_user(connection, actor, row["id"], values)
    elif entity.name == "ExperimenterGroup":
        if {column.name for column in values} - {"name", "description"} or not values:
            require_privilege(actor, Privilege.MODIFY_GROUP, f"edit {what}")
        require_over_group(actor, Privilege.MODIFY_GROUP, row["id"], f"edit {what}")
        name = next((value for column, value in values.items() if column.name == "name"), row["name"])
        if row["id"] in OWN_GROUPS and name != row["name"]:
            raise protected("the groups system, user and guest can't be renamed")
    else:
        raise denied(f"you may not edit {what}")


def require_pairs(connection: Connection, actor: Actor, row: Row, after: Sequence[Pair]) -> None:
    """Make sure that somebody may give a user or a group these pairs.

    :raises AdminError: ``permission-denied``, ``role-protected``
    """
    require_edit(connection, actor, row, {})
    if row["entity"].name == "Experimenter":
        require_config_change(connection, actor, row["id"], after)


def _require_user(connection: Connection, actor: Actor, user_id: int, values: Mapping[Column, Any]) -> None:
    user = standing(connection, user_id)
    known = {_USERS_NAMES[column.column]: value for column, value in values.items() if column.column in _USERS_NAMES}
    if len(known) < len(values) or not values:
        require_privilege(actor, Privilege.MODIFY_USER, f"edit Experimenter:{user_id}")
        require_not_above(actor, user.privileges, f"change the administrator {user.name}")
    if known:
        require_update(actor, user, known)
