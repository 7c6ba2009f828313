"""Finds types by the names that clients write, and the links between them."""

from __future__ import annotations

from omeroadmin.runtime.services.blitz.services.model.declared import ABSTRACT, ENTITIES
from omeroadmin.runtime.services.blitz.services.model.entity import Entity
from omeroadmin.runtime.services.blitz.services.problems import invalid

_FOLDED = {name.lower(): name for name in (*ENTITIES, *ABSTRACT)}


def entity_named(name: str) -> Entity:
    """A type by its name, in any case.

    :raises AdminError: ``request-invalid``
    """
    found = ENTITIES.get(_FOLDED.get(name.lower(), ""))
    if found is None:
        raise invalid(f"{name[:80]!r} is not a type of OMERO's that this server keeps")
    return found


def entities_named(name: str) -> tuple[Entity, ...]:
    """The types that a name stands for: itself, or all kinds of an abstract one such as ``Annotation``.

    :raises AdminError: ``request-invalid``
    """
    proper = _FOLDED.get(name.lower(), "")
    if proper in ABSTRACT:
        return tuple(entity for entity in ENTITIES.values() if entity.is_a(proper))
    return (entity_named(name),)


def links_from(entity: Entity) -> tuple[Entity, ...]:
    """Links whose parent is of this type."""
    return tuple(link for link in ENTITIES.values() if link.link is not None and entity.is_a(link.link.parent))


def links_to(entity: Entity) -> tuple[Entity, ...]:
    """Links whose child is of this type."""
    return tuple(link for link in ENTITIES.values() if link.link is not None and entity.is_a(link.link.child))


def entity_of_annotation(discriminator: str) -> Entity:
    """The type of a row of the table ``annotation``."""
    return next(entity for entity in ENTITIES.values() if entity.discriminator == discriminator)
