"""Reads from the database what the index says of an object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from omeroadmin.runtime.kernel.eventlog import Entry

TABLES = {"Image": "image", "Dataset": "dataset", "Project": "project"}
"""Types that can be found, and their tables."""
_LINKS = {f"{entity}AnnotationLink": (entity, f"{table}annotationlink") for entity, table in TABLES.items()}

_FILES = """
SELECT i.id, f.name
  FROM image i
  CROSS JOIN LATERAL (
       SELECT o.name FROM filesetentry e JOIN originalfile o ON o.id = e.originalfile
        WHERE e.fileset = i.fileset ORDER BY e.fileset_index LIMIT %s) f
 WHERE i.id = ANY(%s)
"""

_ANNOTATIONS = {
    entity: f"""
SELECT l.parent, concat_ws(' ', a.name, a.description, a.textvalue, a.termvalue, m.name, m.value, o.name)
  FROM {table}annotationlink l
  JOIN annotation a ON a.id = l.child
  LEFT JOIN annotation_mapvalue m ON m.annotation_id = a.id
  LEFT JOIN originalfile o ON o.id = a.file
 WHERE l.parent = ANY(%s)
"""  # noqa: S608 - the names are constants
    for entity, table in TABLES.items()
}


@dataclass
class Document:
    """What the index keeps of an object.

    :param texts: everything it is found by
    """

    entity: str
    id: int
    name: str
    owner: int
    group: int
    texts: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Name in the index: one document each object."""
        return key_of(self.entity, self.id)


def key_of(entity: str, object_id: int) -> str:
    """Name of an object in the index."""
    return f"{entity}:{object_id}"


def touched_objects(connection: psycopg.Connection[tuple[Any, ...]], entries: Iterable[Entry]) -> dict[str, set[int]]:
    """Objects that a batch of rows is about, by type; a link to an annotation is about what it annotates."""
    touched: dict[str, set[int]] = defaultdict(set)
    links: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        if entry.entity in TABLES:
            touched[entry.entity].add(entry.entity_id)
        elif entry.entity in _LINKS:
            links[entry.entity].add(entry.entity_id)
    for name, ids in links.items():
        entity, table = _LINKS[name]
        rows = connection.execute(f"SELECT parent FROM {table} WHERE id = ANY(%s)", (list(ids),))  # noqa: S608
        touched[entity].update(row[0] for row in rows)
    return touched


def load_documents(
    connection: psycopg.Connection[tuple[Any, ...]], entity: str, ids: Sequence[int], *, most_files: int
) -> list[Document]:
    """Documents of those objects that still exist.

    :param most_files: file names of an image that are indexed at most
    """
    table = TABLES[entity]
    wanted = list(ids)
    rows = connection.execute(
        f"SELECT id, name, coalesce(description, ''), owner_id, group_id FROM {table} WHERE id = ANY(%s)",  # noqa: S608
        (wanted,),
    )
    documents = {
        row[0]: Document(entity, row[0], str(row[1]), row[3], row[4], [str(row[1]), str(row[2])]) for row in rows
    }
    _add_texts(documents, connection.execute(_ANNOTATIONS[entity], (wanted,)))
    if entity == "Image":
        _add_texts(documents, connection.execute(_FILES, (most_files, wanted)))
    return list(documents.values())


def _add_texts(documents: dict[int, Document], rows: Iterable[tuple[Any, ...]]) -> None:
    for object_id, text in rows:
        if object_id in documents and text:
            documents[object_id].texts.append(str(text))
