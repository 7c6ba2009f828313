"""Objects of all types: made, read, found and changed, as OMERO's query and update services do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from omeroadmin.runtime.services.blitz.database import Connection, Database
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.model.entity import Entity
from omeroadmin.runtime.services.blitz.services.model.lookup import entity_named
from omeroadmin.runtime.services.blitz.services.objects import people, rules, values, writing
from omeroadmin.runtime.services.blitz.services.objects.listing import Filters, find, members
from omeroadmin.runtime.services.blitz.services.objects.reading import (
    Object,
    is_readable,
    objects_of,
    pairs_of,
    read,
    readable_types,
    select,
)
from omeroadmin.runtime.services.blitz.services.objects.values import Pair
from omeroadmin.runtime.services.blitz.services.problems import denied, invalid, not_found

T = TypeVar("T")
_ATTEMPTS = 3


@dataclass(frozen=True)
class ObjectPage:
    """Some objects of a listing.

    :param next: offset to continue at; ``None`` at the end
    """

    objects: list[Object]
    next: int | None


class Objects:
    """Makes, reads and changes objects.

    :param lower_case: whether names of users are kept in lower case
    """

    def __init__(self, database: Database, *, lower_case: bool) -> None:
        self._database = database
        self._lower_case = lower_case

    def create(
        self,
        actor: Actor,
        name: str,
        fields: Mapping[str, Any],
        maps: Mapping[str, Sequence[Any]],
        group_id: int | None = None,
    ) -> Object:
        """A new object; it belongs to the actor.

        :param name: its type
        :param fields: properties by OMERO's names
        :param maps: properties that are lists of pairs
        :param group_id: its group, where it refers to nothing; by default the actor's current one
        :raises AdminError: ``request-invalid``, ``not-found``, ``permission-denied``, ``group-mismatch``,
            ``link-exists``
        """
        entity = entity_named(name)
        if not entity.creatable:
            raise invalid(f"{entity.one} can't be made as an object: {_made_by(entity)}")
        parsed = {column: value for column, value in _fields(entity, fields).items() if value is not None}
        values.require_all(entity, parsed)
        pairs = {values.known_map(entity, key): values.parse_pairs(key, given) for key, given in maps.items()}

        def make(connection: Connection) -> Object:
            object_id = writing.insert(connection, actor, entity, parsed, pairs, group_id)
            return _one(connection, actor, (entity,), object_id)

        return self._changing(make)

    def get(self, actor: Actor, name: str, object_id: int) -> Object:
        """An object.

        :param name: its type, or an abstract one such as ``Annotation``
        :raises AdminError: ``request-invalid``, ``not-found``
        """
        entities = readable_types(name)
        with self._database.transaction() as connection:
            return _one(connection, actor, entities, object_id, name)

    def find(
        self, actor: Actor, name: str, filters: Filters, *, order: str = "id", offset: int = 0, limit: int = 100
    ) -> ObjectPage:
        """Objects of a type.

        :param order: one of :data:`listing.ORDERS`
        :raises AdminError: ``request-invalid``
        """
        entities = readable_types(name)
        with self._database.transaction() as connection:
            found = find(connection, actor, entities, filters, order=order, offset=offset, limit=limit + 1)
        return ObjectPage(found[:limit], offset + limit if len(found) > limit else None)

    def update(
        self, actor: Actor, name: str, object_id: int, fields: Mapping[str, Any], version: int | None = None
    ) -> Object:
        """Change properties of an object; ``None`` makes one empty.

        :param version: that the client has seen; ``None``: any
        :raises AdminError: ``request-invalid``, ``not-found``, ``permission-denied``, ``version-conflict``,
            ``group-mismatch``, ``name-taken``, ``role-protected``
        """
        entity = _readable(name)
        parsed = _fields(entity, fields)
        if not entity.owned:
            parsed = people.readable(entity, parsed, lower_case=self._lower_case)

        def change(connection: Connection) -> Object:
            writing.update(connection, actor, entity, object_id, parsed, version)
            return _one(connection, actor, (entity,), object_id)

        return self._changing(change)

    def pairs(self, actor: Actor, name: str, object_id: int, map_name: str) -> list[Pair]:
        """A property of pairs.

        :raises AdminError: ``request-invalid``, ``not-found``, ``permission-denied``
        """
        entity = _readable(name)
        column = values.known_map(entity, map_name)
        with self._database.transaction() as connection:
            _one(connection, actor, (entity,), object_id)
            if not is_readable(actor, column, object_id):
                raise denied(f"you may not read {map_name} of {entity.name}:{object_id}")
            return pairs_of(connection, column, [object_id])[object_id]

    def replace_pairs(self, actor: Actor, name: str, object_id: int, map_name: str, pairs: Sequence[Any]) -> list[Pair]:
        """Change a property of pairs as a whole.

        :raises AdminError: as :meth:`update`
        """
        checked = values.parse_pairs(map_name, pairs)
        return self._set_pairs(actor, name, object_id, map_name, checked)

    def set_pair(
        self, actor: Actor, name: str, object_id: int, map_name: str, key: str, value: str | None
    ) -> list[Pair]:
        """Change the first pair of a name, or add it; ``None`` takes all pairs of the name away.

        :raises AdminError: as :meth:`update`
        """
        key = values.checked_text("the key", key)
        checked = None if value is None else values.checked_text("the value", value)
        return self._set_pairs(actor, name, object_id, map_name, {key: checked})

    def members(self, actor: Actor, name: str, object_id: int, list_name: str) -> list[str]:
        """What refers to an object: its links and parts, as ``Type:id``.

        :param list_name: OMERO's name, e.g. ``imageLinks``
        :raises AdminError: ``request-invalid``, ``not-found``
        """
        entity = _readable(name)
        with self._database.transaction() as connection:
            _one(connection, actor, (entity,), object_id)
            return members(connection, actor, entity, object_id, list_name)

    def _set_pairs(
        self,
        actor: Actor,
        name: str,
        object_id: int,
        map_name: str,
        change: Mapping[str, str | None] | Sequence[Pair],
    ) -> list[Pair]:
        entity = _readable(name)
        column = values.known_map(entity, map_name)
        return self._changing(
            lambda connection: writing.set_pairs(connection, actor, entity, object_id, column, change)
        )

    def _changing(self, work: Callable[[Connection], T]) -> T:
        """Do something in a transaction of its own, again if it and another one waited for each other."""
        for _ in range(_ATTEMPTS - 1):
            try:
                with self._database.transaction() as connection:
                    return work(connection)
            except psycopg.errors.DeadlockDetected:
                continue
        with self._database.transaction() as connection:
            return work(connection)


def _readable(name: str) -> Entity:
    """One type that has objects of its own.

    :raises AdminError: ``request-invalid``
    """
    readable_types(name)
    return entity_named(name)


def _fields(entity: Entity, fields: Mapping[str, Any]) -> dict[Any, Any]:
    parsed = values.parse_fields(entity, fields)
    for column, value in parsed.items():
        rules.require_value(column, value)
    return parsed


def _one(connection: Connection, actor: Actor, entities: Sequence[Entity], object_id: int, name: str = "") -> Object:
    rows = read(connection, actor, select(entities, "o.id = %(id)s"), {"id": object_id}, entities)
    if not rows:
        raise not_found(name or entities[0].name, object_id)
    return objects_of(connection, actor, rows)[0]


def _made_by(entity: Entity) -> str:
    if entity.name in ("Experimenter", "ExperimenterGroup", "GroupExperimenterMap"):
        return "see omero user add, omero group add"
    return "it comes from an import" if entity.owned else "the server makes it"
