"""Finds many objects: by type and filters, and those that another object has in its lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from omeroadmin.runtime.services.blitz.database import Connection, Row
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES
from omeroadmin.runtime.services.blitz.services.model.entity import Column, ColumnKind, Entity
from omeroadmin.runtime.services.blitz.services.model.lookup import entities_named, links_from, links_to
from omeroadmin.runtime.services.blitz.services.objects.reading import Object, columns_of, objects_of, read, select
from omeroadmin.runtime.services.blitz.services.objects.values import Reference, parse
from omeroadmin.runtime.services.blitz.services.problems import invalid

ORDERS = ("id", "-id", "name", "-name")
"""Orders of a listing; names are those of annotations' values, too."""


@dataclass(frozen=True)
class Filters:
    """Which objects are wanted; what isn't given isn't looked at.

    :param fields: properties and the values that they must have
    :param owner: id or name of a user
    :param group: id or name of a group
    :param parent: object that they are linked to from, or refer to
    :param child: object that is linked to from them
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    group: str = ""
    parent: Reference | None = None
    child: Reference | None = None


def find(
    connection: Connection,
    actor: Actor,
    entities: Sequence[Entity],
    filters: Filters,
    *,
    order: str = "id",
    offset: int = 0,
    limit: int = 100,
) -> list[Object]:
    """Objects of types that share a table.

    :raises AdminError: ``request-invalid``
    """
    conditions, parameters = _conditions(entities, filters)
    ordered = f"ORDER BY {_order(entities, order)} LIMIT %(limit)s OFFSET %(offset)s"
    statement = select(entities, " AND ".join(["true", *conditions]), order=ordered)
    rows = read(connection, actor, statement, {**parameters, "limit": limit, "offset": offset}, entities)
    return objects_of(connection, actor, rows)


def members(connection: Connection, actor: Actor, entity: Entity, object_id: int, name: str) -> list[str]:
    """What a list of an object has, as ``Type:id`` in the order of the ids.

    :raises AdminError: ``request-invalid``
    """
    lists = back_references(entity)
    if name not in lists:
        possible = ", ".join(sorted([*lists, *(column.name for column in entity.maps)])) or "none"
        raise invalid(f"{entity.one} has no list {name[:80]!r}; its lists: {possible}")
    other, column = lists[name]
    statement = select((other,), f"o.{column.column} = %(id)s", order="ORDER BY o.id")
    rows = read(connection, actor, statement, {"id": object_id}, (other,))
    return [f"{other.name}:{row['id']}" for row in rows]


def _conditions(entities: Sequence[Entity], filters: Filters) -> tuple[list[str], Row]:
    conditions: list[str] = []
    parameters: Row = {}
    columns = {column.name: column for column in columns_of(entities)}
    for index, (name, text) in enumerate(filters.fields.items()):
        if name not in columns:
            raise invalid(f"{entities[0].one} has no {name[:80]!r} to look for")
        condition, value = _field(columns[name], text, f"field{index}")
        conditions.append(condition)
        parameters[f"field{index}"] = value
    for what, table, column in (("owner", "experimenter", "omename"), ("group", "experimentergroup", "name")):
        text = getattr(filters, what)
        if text and not entities[0].owned:
            raise invalid(f"{entities[0].one} has no {what}")
        if text:
            # An id, or a name; a name may be made of digits.
            is_id = text.isascii() and text.isdigit() and len(text) < 19
            by_id = f" OR id = {int(text)}" if is_id else ""
            conditions.append(f"o.{what}_id IN (SELECT id FROM {table} WHERE {column} = %({what})s{by_id})")  # noqa: S608
            parameters[what] = text
    for end in ("parent", "child"):
        reference: Reference | None = getattr(filters, end)
        if reference is not None:
            conditions.append(_linked(entities, reference, end))
            parameters[end] = reference.id
    return conditions, parameters


def _field(column: Column, text: str, parameter: str) -> tuple[str, object]:
    if column.kind is ColumnKind.ENUMERATION:
        return (
            f"o.{column.column} = (SELECT e.id FROM {column.target} e WHERE e.value = %({parameter})s)",  # noqa: S608
            text,
        )
    value = parse(column, text)
    if isinstance(value, Reference):
        if value.type not in {one.name for one in entities_named(column.target)} | {column.target}:
            raise invalid(f"{column.name} is of the type {column.target}, not {value}")
        value = value.id
    return f"o.{column.column} = %({parameter})s", value


def _linked(entities: Sequence[Entity], reference: Reference, end: str) -> str:
    """Condition for what is linked with an object, by a link that the actor may see."""
    other = entities_named(reference.type)[0]
    entity = entities[0]
    direct = next((one for one in entity.columns if one.target and other.is_a(one.target)), None)
    if entity.link is not None:
        direct = entity.column(end)
    if direct is not None and other.is_a(direct.target):
        return f"o.{direct.column} = %({end})s"
    near = "child" if end == "parent" else "parent"
    links = {link.name: link for link in (links_from(other) if end == "parent" else links_to(other))}
    ours = {link.name for link in (links_to(entity) if end == "parent" else links_from(entity))}
    link = next((link for name, link in links.items() if name in ours), None)
    if link is None:
        raise invalid(f"no {entity.name} has {other.one} as its {end}")
    return (
        f"EXISTS (SELECT 1 FROM {link.table} l"  # noqa: S608
        f" WHERE l.{end} = %({end})s AND l.{near} = o.id AND {visible('l')})"
    )


def _order(entities: Sequence[Entity], order: str) -> str:
    direction = "DESC" if order.startswith("-") else "ASC"
    column = "id"
    if order.removeprefix("-") == "name":
        names = [one.column for one in columns_of(entities) if one.name in ("name", "omeName", "textValue")]
        column = f"coalesce({', '.join(f'o.{name}' for name in names)})" if names else "o.id"
        return f"{column} {direction}, o.id {direction}"
    return f"o.{column} {direction}"


def back_references(entity: Entity) -> dict[str, tuple[Entity, Column]]:
    """Lists of an object: links and other objects that refer to it, by OMERO's names, e.g. ``datasetLinks``."""
    lists: dict[str, tuple[Entity, Column]] = {}
    for other in ENTITIES.values():
        for column in other.columns:
            if column.kind is ColumnKind.REFERENCE and entity.is_a(column.target):
                name = _list_name(other, column)
                if name:
                    lists.setdefault(name, (other, column))
    return lists


def _list_name(other: Entity, column: Column) -> str:
    if other.link is not None:
        far = other.link.child if column.name == "parent" else other.link.parent
        # Annotations don't know what they annotate.
        is_known = column.name == "parent" or other.link.child != "Annotation"
        return f"{far[:1].lower()}{far[1:]}Links" if is_known else ""
    stem = other.name[:1].lower() + other.name[1:]
    return stem if stem.endswith("s") else f"{stem}s"
