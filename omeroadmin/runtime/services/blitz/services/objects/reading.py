"""Reads objects of every type through the declared model: only what the actor may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from omeroadmin.runtime.services.blitz.database import Connection, Row
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.levels import permission_text
from omeroadmin.runtime.services.blitz.services.model.declared import ABSTRACT
from omeroadmin.runtime.services.blitz.services.model.entity import Column, ColumnKind, Entity, MapColumn
from omeroadmin.runtime.services.blitz.services.model.lookup import entities_named, entity_of_annotation
from omeroadmin.runtime.services.blitz.services.objects.values import Pair, show
from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.runtime.services.blitz.services.times import milliseconds

_DETAILS = (
    "o.owner_id, u.omename AS owner, o.group_id, g.name AS group_name, g.permissions AS group_permissions,"
    " c.time AS created, m.time AS updated"
)
_JOINS = (
    " JOIN experimenter u ON u.id = o.owner_id JOIN experimentergroup g ON g.id = o.group_id"
    " JOIN event c ON c.id = o.creation_id JOIN event m ON m.id = o.update_id"
)


@dataclass(frozen=True)
class Details:
    """Whose an object is, and since when.

    :param permissions: of its group, e.g. ``rwra--``
    :param created: milliseconds since 1970 UTC
    :param updated: the same
    """

    owner_id: int
    owner: str
    group_id: int
    group: str
    permissions: str
    created: int
    updated: int


@dataclass(frozen=True)
class Object:
    """An object as clients get it.

    :param version: goes up with each change
    :param fields: its properties by OMERO's names; references as ``Type:id``
    :param maps: its properties that are lists of pairs, as far as the actor may read them
    :param details: ``None`` for what nobody owns: users and groups
    """

    type: str
    id: int
    version: int
    fields: dict[str, Any]
    maps: dict[str, list[Pair]] = field(default_factory=dict)
    details: Details | None = None


def readable_types(name: str) -> tuple[Entity, ...]:
    """The types that a name stands for, all of one table.

    :raises AdminError: ``request-invalid``
    """
    entities = entities_named(name)
    if any("Job" in entity.ancestors for entity in entities):
        raise invalid(f"a {name} is not read as an object; see /jobs")
    return entities


def select(entities: Sequence[Entity], condition: str, *, order: str = "") -> str:
    """A query for objects of types that share a table.

    Everything in it comes from the declared model; values are parameters.

    :param condition: SQL about ``o``
    :param order: SQL that follows
    """
    first = entities[0]
    columns = ["o.id", "o.version", *(_selected(column) for column in columns_of(entities))]
    joins, conditions = "", [_kinds(entities), condition]
    if first.discriminator:
        columns.append("o.discriminator")
    if first.owned:
        columns.append(_DETAILS)
        joins = _JOINS
        conditions.append(visible("o"))
    if first.table == "experimentergroup":
        columns.append("o.permissions AS level")
    where = " AND ".join(f"({one})" for one in conditions)
    return f"SELECT {', '.join(columns)} FROM {first.table} o{joins} WHERE {where} {order}"  # noqa: S608


def read(
    connection: Connection, actor: Actor, statement: str, parameters: Row, entities: Sequence[Entity]
) -> list[Row]:
    """Rows of a query that :func:`select` made, each with its type."""
    rows = connection.execute(statement.encode(), {**parameters, **actor.visibility()}).fetchall()
    for row in rows:
        row["entity"] = entity_of_annotation(row["discriminator"]) if "discriminator" in row else entities[0]
    return rows


def objects_of(connection: Connection, actor: Actor, rows: Iterable[Row]) -> list[Object]:
    """Rows as objects, with their pairs."""
    rows = list(rows)
    maps = _maps(connection, actor, rows)
    return [_object(row, maps[row["entity"].name, row["id"]]) for row in rows]


def columns_of(entities: Sequence[Entity]) -> list[Column]:
    """All columns of types that share a table, each once."""
    return list({column.column: column for entity in entities for column in entity.columns}.values())


def is_readable(actor: Actor, column: MapColumn, object_id: int) -> bool:
    """Whether pairs may be read: what is configured for users and groups is for administrators and the user."""
    if column.table == "experimenter_config":
        return actor.is_admin or object_id == actor.user_id
    return column.table != "experimentergroup_config" or actor.is_admin


def _selected(column: Column) -> str:
    name = f"o.{column.column}"
    if column.kind is ColumnKind.ENUMERATION:
        name = f"(SELECT e.value FROM {column.target} e WHERE e.id = {name})"  # noqa: S608
    elif column.kind is ColumnKind.REFERENCE and column.target in ABSTRACT:
        return (
            f"{name} AS {column.column},"  # noqa: S608
            f" (SELECT a.discriminator FROM annotation a WHERE a.id = {name}) AS {column.column}_kind"
        )
    return f"{name} AS {column.column}"


def _kinds(entities: Sequence[Entity]) -> str:
    return " OR ".join(f"o.{one.condition}" if one.discriminator else one.condition for one in entities)


def _object(row: Row, maps: dict[str, list[Pair]]) -> Object:
    entity: Entity = row["entity"]
    fields = {column.name: _shown(column, row) for column in entity.columns}
    if "level" in row:
        fields["permissions"] = permission_text(row["level"])
    details = None
    if entity.owned:
        details = Details(
            row["owner_id"],
            row["owner"],
            row["group_id"],
            row["group_name"],
            permission_text(row["group_permissions"]),
            milliseconds(row["created"]),
            milliseconds(row["updated"]),
        )
    return Object(entity.name, row["id"], row["version"] or 0, fields, maps, details)


def _shown(column: Column, row: Row) -> Any:
    value = row[column.column]
    if column.kind is not ColumnKind.REFERENCE or value is None:
        return show(column, value)
    target = column.target
    if target in ABSTRACT:
        target = entity_of_annotation(row[f"{column.column}_kind"]).name
    return f"{target}:{value}"


def _maps(connection: Connection, actor: Actor, rows: list[Row]) -> dict[tuple[str, int], dict[str, list[Pair]]]:
    found: dict[tuple[str, int], dict[str, list[Pair]]] = defaultdict(dict)
    for entity in {row["entity"].name: row["entity"] for row in rows}.values():
        for column in entity.maps:
            ids = [row["id"] for row in rows if row["entity"] is entity and is_readable(actor, column, row["id"])]
            pairs = pairs_of(connection, column, ids)
            for object_id in ids:
                found[entity.name, object_id][column.name] = pairs[object_id]
    return found


def pairs_of(connection: Connection, column: MapColumn, ids: Sequence[int]) -> dict[int, list[Pair]]:
    """Pairs of objects, in their order."""
    found: dict[int, list[Pair]] = defaultdict(list)
    if ids:
        statement = (
            f"SELECT {column.key} AS id, name, value FROM {column.table}"  # noqa: S608
            f" WHERE {column.key} = ANY(%(ids)s) ORDER BY {column.key}, index"
        )
        for row in connection.execute(statement.encode(), {"ids": list(ids)}):
            found[row["id"]].append((row["name"], row["value"]))
    return found
