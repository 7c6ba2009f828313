"""Makes and changes objects, each in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.database import Connection, Row, next_id
from omeroadmin.runtime.services.blitz.services.actor import USER_GROUP, Actor
from omeroadmin.runtime.services.blitz.services.admin.restrictions import require_config_change, require_user_change
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.holdings import hold
from omeroadmin.runtime.services.blitz.services.model.entity import Column, Entity, MapColumn
from omeroadmin.runtime.services.blitz.services.objects import people, references, rules
from omeroadmin.runtime.services.blitz.services.objects.reading import pairs_of, read, select
from omeroadmin.runtime.services.blitz.services.objects.values import Pair, Reference
from omeroadmin.runtime.services.blitz.services.permissions import Action, Holding, require
from omeroadmin.runtime.services.blitz.services.problems import conflict, denied, invalid, not_found

_DETAILS = ("permissions", "creation_id", "update_id", "group_id", "owner_id")


def insert(
    connection: Connection,
    actor: Actor,
    entity: Entity,
    values: Mapping[Column, Any],
    maps: Mapping[MapColumn, Sequence[Pair]],
    group_id: int | None = None,
) -> int:
    """A new object of the actor's.

    :param values: checked; nothing required is missing
    :param group_id: its group; by default that of what it refers to, else the actor's current one
    :return: its id
    :raises AdminError: ``not-found``, ``permission-denied``, ``group-mismatch``, ``link-exists``
    """
    found = references.resolve(connection, actor, entity, values)
    group_id = _group_of_new(actor, references.one_group(found, values), group_id)
    require(actor, Action.EDIT, f"data of group {group_id}", _own_holding(connection, actor, group_id))
    if entity.link is not None:
        _require_new_link(connection, actor, entity, values)
    changes = Changes(connection, actor)
    object_id = next_id(connection, entity.table)
    details = changes.details(group_id=group_id)
    row: Row = {"id": object_id, **_stored(values), "version": 0}
    row |= {name: details["event_id" if name in ("creation_id", "update_id") else name] for name in _DETAILS}
    if entity.discriminator:
        row["discriminator"] = entity.discriminator
    columns, places = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    try:
        connection.execute(f"INSERT INTO {entity.table} ({columns}) VALUES ({places})".encode(), row)  # noqa: S608
    except psycopg.errors.UniqueViolation:
        raise _link_exists(values) from None
    for column, pairs in maps.items():
        replace_pairs(connection, column, object_id, pairs)
    changes.log("INSERT", entity.name, [object_id])
    return object_id


def _require_new_link(connection: Connection, actor: Actor, entity: Entity, values: Mapping[Column, Any]) -> None:
    """Refuse a link that is there; that is no error of the database's, for its log."""
    ends = {column.column: value.id for column, value in values.items() if isinstance(value, Reference)}
    condition = " AND ".join(f"{name} = %({name})s" for name in ends)
    statement = f"SELECT 1 FROM {entity.table} WHERE {condition} AND owner_id = %(actor)s"  # noqa: S608
    if connection.execute(statement.encode(), {**ends, "actor": actor.user_id}).fetchone() is not None:
        raise _link_exists(values)


def _link_exists(values: Mapping[Column, Any]) -> AdminError:
    ends = " and ".join(str(value) for value in values.values() if isinstance(value, Reference))
    return conflict("link-exists", f"you have linked {ends} already")


def locked(connection: Connection, actor: Actor, entity: Entity, object_id: int) -> Row:
    """An object that nobody else changes until the transaction ends.

    :raises AdminError: ``not-found``
    """
    hold(connection, entity, [object_id], "UPDATE")
    rows = read(connection, actor, select((entity,), "o.id = %(id)s"), {"id": object_id}, (entity,))
    if not rows:
        raise not_found(entity.name, object_id)
    return rows[0]


def update(
    connection: Connection,
    actor: Actor,
    entity: Entity,
    object_id: int,
    values: Mapping[Column, Any],
    version: int | None = None,
) -> None:
    """Change properties; those that already have their value are no change.

    :param values: checked; ``None`` for what shall be empty
    :param version: that the client has seen; ``None``: any
    :raises AdminError: ``not-found``, ``permission-denied``, ``version-conflict``, ``group-mismatch``, ``name-taken``,
        ``role-protected``, ``request-invalid``
    """
    row = locked(connection, actor, entity, object_id)
    if entity.owned:
        rules.require_edit(actor, row, values)
    else:
        people.require_edit(connection, actor, row, values)
    if entity.name == "Experimenter":
        require_user_change(connection, actor, object_id)
    if version is not None and version != (row["version"] or 0):
        raise conflict(
            "version-conflict",
            f"{entity.name}:{object_id} has changed meanwhile: it is at version {row['version'] or 0}, not {version}",
        )
    found = references.resolve(connection, actor, entity, values)
    group_id = references.one_group(found, values)
    if group_id is not None and group_id != row["group_id"]:
        raise conflict(
            "group-mismatch", f"{entity.name}:{object_id} and what it shall refer to are in different groups"
        )
    stored = {name: value for name, value in _stored(values).items() if row[name] != value}
    if not stored:
        return
    try:
        _touch(connection, Changes(connection, actor), entity, object_id, stored)
    except psycopg.errors.UniqueViolation:
        raise conflict("name-taken", "there is another of this name already") from None


def set_pairs(
    connection: Connection,
    actor: Actor,
    entity: Entity,
    object_id: int,
    column: MapColumn,
    change: Mapping[str, str | None] | Sequence[Pair],
) -> list[Pair]:
    """Change a property of pairs.

    :param change: all pairs; or names with new values, where ``None`` takes all pairs of the name away. A name's first
        pair is changed, and a new name comes last
    :return: all pairs
    :raises AdminError: ``not-found``, ``permission-denied``
    """
    row = locked(connection, actor, entity, object_id)
    if entity.owned:
        rules.require_edit(actor, row, ())
    before = pairs_of(connection, column, [object_id])[object_id]
    after = changed_pairs(before, change) if isinstance(change, Mapping) else list(change)
    if not entity.owned:
        people.require_pairs(connection, actor, row, after)
    if column.table == "experimenter_config":
        require_config_change(connection, actor, object_id, after)
    if after != before:
        replace_pairs(connection, column, object_id, after)
        _touch(connection, Changes(connection, actor), entity, object_id, {})
    return after


def changed_pairs(pairs: Sequence[Pair], change: Mapping[str, str | None]) -> list[Pair]:
    """Pairs with other values for some names."""
    result = list(pairs)
    for name, value in change.items():
        places = [index for index, pair in enumerate(result) if pair[0] == name]
        if value is None:
            result = [pair for pair in result if pair[0] != name]
        elif places:
            result[places[0]] = (name, value)
        else:
            result.append((name, value))
    return result


def replace_pairs(connection: Connection, column: MapColumn, object_id: int, pairs: Sequence[Pair]) -> None:
    """Store the pairs of an object instead of those that it has."""
    connection.execute(f"DELETE FROM {column.table} WHERE {column.key} = %s".encode(), (object_id,))  # noqa: S608
    statement = f"INSERT INTO {column.table} ({column.key}, name, value, index) VALUES (%s, %s, %s, %s)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(
            statement.encode(), [(object_id, name, value, index) for index, (name, value) in enumerate(pairs)]
        )


def _touch(connection: Connection, changes: Changes, entity: Entity, object_id: int, stored: Row) -> None:
    """Write values, a new version and the event."""
    settings = [f"{name} = %({name})s" for name in stored]
    settings.append("version = coalesce(version, 0) + 1")
    if entity.owned:
        settings.append("update_id = %(event)s")
    statement = f"UPDATE {entity.table} SET {', '.join(settings)} WHERE id = %(id)s"  # noqa: S608
    connection.execute(statement.encode(), {**stored, "id": object_id, "event": changes.event_id})
    changes.log("UPDATE", entity.name, [object_id])


def _stored(values: Mapping[Column, Any]) -> Row:
    return {column.column: value.id if isinstance(value, Reference) else value for column, value in values.items()}


def _group_of_new(actor: Actor, referred: int | None, wanted: int | None) -> int:
    if referred is not None:
        if wanted is not None and wanted != referred:
            raise conflict("group-mismatch", f"what it refers to is in group {referred}, not in {wanted}")
        return referred
    group_id = actor.group.group_id if wanted is None else wanted
    if group_id == USER_GROUP and not actor.is_admin:
        raise denied("no data is kept in the group of all users; change to another group first")
    return group_id


def _own_holding(connection: Connection, actor: Actor, group_id: int) -> Holding:
    row = connection.execute("SELECT permissions FROM experimentergroup WHERE id = %s", (group_id,)).fetchone()
    if row is None:
        raise invalid(f"there is no group {group_id}")
    return Holding(actor.user_id, group_id, row["permissions"])
