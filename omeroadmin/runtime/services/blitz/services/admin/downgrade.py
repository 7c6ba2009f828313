"""What a lower level of a group doesn't permit any more, found in its data; nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from omeroadmin.runtime.services.blitz.database import Connection
from omeroadmin.runtime.services.blitz.services.levels import Level
from omeroadmin.runtime.services.blitz.services.model.declared import ABSTRACT, ENTITIES
from omeroadmin.runtime.services.blitz.services.model.entity import ColumnKind, Entity

_ORDER = (Level.PRIVATE, Level.READ_ONLY, Level.READ_ANNOTATE, Level.READ_WRITE)
_DETACHED = "Roi"
"""A region of interest that somebody drew on another's image stays, but not on the image."""
_OF_EVERYBODY = frozenset({"Thumbnail", "Roi"})
"""Types whose objects may hang on others' data; they hold nothing of their owner's that would be lost."""

_OWNED_LINKS = """
SELECT l.id FROM {table} l JOIN {parent} p ON p.id = l.parent JOIN {child} c ON c.id = l.child
 WHERE l.group_id = %(group)s AND NOT (l.owner_id = p.owner_id AND l.owner_id = c.owner_id) ORDER BY l.id
"""
_MEMBERS_LINKS = """
SELECT l.id FROM {table} l JOIN {parent} p ON p.id = l.parent
 WHERE l.group_id = %(group)s AND l.owner_id <> p.owner_id AND NOT l.owner_id = ANY(%(trusted)s) ORDER BY l.id
"""
_REFERENCES = """
SELECT o.id FROM {table} o JOIN {target} t ON t.id = o.{column}
 WHERE o.group_id = %(group)s AND o.owner_id <> t.owner_id AND NOT o.owner_id = ANY(%(trusted)s) ORDER BY o.id
"""
_TRUSTED = """
SELECT child FROM groupexperimentermap WHERE parent = %(group)s AND owner
UNION
SELECT child FROM groupexperimentermap m WHERE parent = 0 AND NOT EXISTS (
       SELECT 1 FROM experimenter_config c
        WHERE c.experimenter_id = m.child AND c.name = 'AdminPrivilege:WriteOwned' AND lower(c.value) <> 'true')
"""
_PROJECTIONS = """
SELECT p.id, p.image FROM pixels p JOIN pixels q ON q.id = p.relatedto
 WHERE (p.group_id = %(group)s OR q.group_id = %(group)s) AND p.owner_id <> q.owner_id ORDER BY p.id
"""


@dataclass(frozen=True)
class Losses:
    """What has to go.

    :param links: ids of links to be removed, by their type
    :param detached: ids of regions of interest that lose their image
    :param in_the_way: objects that can't be separated: words that name them
    """

    links: dict[str, list[int]] = field(default_factory=dict)
    detached: list[int] = field(default_factory=list)
    in_the_way: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many of each type."""
        found = {name: len(ids) for name, ids in self.links.items()}
        return {**found, **({_DETACHED: len(self.detached)} if self.detached else {})}


def losses(connection: Connection, group_id: int, before: Level, after: Level) -> Losses:
    """What a group loses when its level becomes another (manual, 2.6.1, "Changing group permissions").

    A private group keeps nothing that joins data of different owners, and refuses to become one where a projection was
    made from another's data. In a read-only group only owners of the group and administrators annotate what isn't
    theirs.
    """
    if _ORDER.index(after) >= _ORDER.index(before) or after is Level.READ_ANNOTATE:
        return Losses()
    private = after is Level.PRIVATE
    trusted = [] if private else _trusted(connection, group_id)
    kinds = [link for link in _links() if private or _annotates(link)]
    links = {link.name: _ids(connection, _link_statement(link, private=private), group_id, trusted) for link in kinds}
    roi = _REFERENCES.format(table="roi", target="image", column="image")
    return Losses(
        {name: ids for name, ids in links.items() if ids},
        _ids(connection, roi, group_id, trusted),
        tuple(_inseparable(connection, group_id)) if private else (),
    )


def _links() -> Iterable[Entity]:
    return (entity for entity in ENTITIES.values() if entity.link is not None)


def _annotates(link: Entity) -> bool:
    return link.link is not None and link.link.child == "Annotation"


def _link_statement(link: Entity, *, private: bool) -> str:
    if link.link is None:
        raise TypeError(f"{link.name} is no link")
    parent, child = _table(link.link.parent), _table(link.link.child)
    return (_OWNED_LINKS if private else _MEMBERS_LINKS).format(table=link.table, parent=parent, child=child)


def _table(name: str) -> str:
    """The table of a type, or that of all kinds of an abstract one."""
    if name in ABSTRACT:
        return next(entity.table for entity in ENTITIES.values() if entity.is_a(name))
    return ENTITIES[name].table


def _trusted(connection: Connection, group_id: int) -> list[int]:
    return [row["child"] for row in connection.execute(_TRUSTED, {"group": group_id}).fetchall()]


def _inseparable(connection: Connection, group_id: int) -> Iterable[str]:
    rows = connection.execute(_PROJECTIONS, {"group": group_id}).fetchall()
    for row in rows[:1]:
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        yield f"Image:{row['image']}{more} was made by one member from data of another"
    for entity in ENTITIES.values():
        if not entity.owned or entity.link is not None or entity.name in _OF_EVERYBODY:
            continue
        for column in entity.columns:
            if column.kind is ColumnKind.REFERENCE and ENTITIES[column.target].owned:
                target = ENTITIES[column.target].table
                statement = _REFERENCES.format(table=entity.table, target=target, column=column.column)
                ids = _ids(connection, statement, group_id, [])
                if ids:
                    yield f"{entity.name}:{ids[0]} and its {column.target} belong to different users"


def _ids(connection: Connection, statement: str, group_id: int, trusted: list[int]) -> list[int]:
    # Names of tables and columns come from the declared model only.
    rows = connection.execute(statement.encode(), {"group": group_id, "trusted": trusted}).fetchall()
    return [row["id"] for row in rows]
