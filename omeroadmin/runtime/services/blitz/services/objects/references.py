"""What a new or changed object refers to: it must exist, be visible, be the actor's to link, and be in one group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omeroadmin.runtime.services.blitz.database import Connection
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.holdings import holdings
from omeroadmin.runtime.services.blitz.services.model.entity import Column, Entity
from omeroadmin.runtime.services.blitz.services.model.lookup import entities_named
from omeroadmin.runtime.services.blitz.services.objects.values import Reference
from omeroadmin.runtime.services.blitz.services.permissions import Action, Holding, may, require
from omeroadmin.runtime.services.blitz.services.problems import conflict, invalid, not_found


def resolve(
    connection: Connection, actor: Actor, entity: Entity, values: Mapping[Column, Any]
) -> dict[Column, Holding]:
    """Owners and groups of what the values refer to, which stays as it is until the transaction ends.

    :raises AdminError: ``not-found``, ``permission-denied``, ``request-invalid``
    """
    action = _action(entity)
    found: dict[Column, Holding] = {}
    for column, value in values.items():
        if isinstance(value, Reference):
            found[column] = _holding(connection, actor, column, value)
            require(actor, action, str(value), found[column])
    return found


def one_group(found: Mapping[Column, Holding], values: Mapping[Column, Any]) -> int | None:
    """The group of everything that is referred to; ``None`` without a reference.

    :raises AdminError: ``group-mismatch``
    """
    groups = {holding.group_id for holding in found.values()}
    if len(groups) > 1:
        names = " and ".join(str(values[column]) for column in found)
        raise conflict("group-mismatch", f"{names} are in different groups; only data of one group is linked")
    return groups.pop() if groups else None


def _action(entity: Entity) -> Action:
    """What a reference is to what it refers to: containers mix data, everything else annotates it."""
    if entity.link is not None and entity.link.child != "Annotation":
        return Action.MIX
    return Action.ANNOTATE


def _holding(connection: Connection, actor: Actor, column: Column, reference: Reference) -> Holding:
    wanted = entities_named(column.target)
    named = [one for one in entities_named(reference.type) if any(one.name == each.name for each in wanted)]
    if not named:
        raise invalid(f"{column.name} is of the type {column.target}, not {reference}")
    for entity in named:
        found = holdings(connection, entity, [reference.id], lock="SHARE").get(reference.id)
        if found is not None and may(actor, Action.VIEW, found):
            return found
    raise not_found(reference.type, reference.id)
