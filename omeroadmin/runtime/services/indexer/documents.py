"""Reads from the database what the index says of an object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from omeroadmin.runtime.kernel.eventlog import Entry
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES, SEARCHED
from omeroadmin.runtime.services.blitz.services.model.entity import Entity
from omeroadmin.runtime.services.indexer.contents import Attachment, Contents

FIELDS = ("name", "description", "annotation", "file", "content")
"""Parts of an object that can be searched by themselves."""
INDEXABLE: dict[str, Entity] = {
    name: entity for name, entity in ENTITIES.items() if name in SEARCHED or entity.is_a("Annotation")
}
"""Types that can be found, if ``omero.search.include_types`` has them."""
_LINKS = {f"{name}AnnotationLink": (name, ENTITIES[f"{name}AnnotationLink"].table) for name in SEARCHED}

_FILES = """
SELECT i.id, f.name
  FROM unnest(%s::bigint[], %s::bigint[]) AS i (id, fileset)
  CROSS JOIN LATERAL (
       SELECT o.name FROM filesetentry e JOIN originalfile o ON o.id = e.originalfile
        WHERE e.fileset = i.fileset ORDER BY e.fileset_index LIMIT %s) f
"""
_ANNOTATION_TEXTS = """
SELECT {key}, concat_ws(' ', a.name, a.description, a.textvalue, a.termvalue, a.longvalue, a.doublevalue,
       m.name, m.value, o.name), a.file
  FROM {tables}
  LEFT JOIN annotation_mapvalue m ON m.annotation_id = a.id
  LEFT JOIN originalfile o ON o.id = a.file
 WHERE {key} = ANY(%s::bigint[])
"""
# Names of tables come from the declared model.
_ATTACHMENTS = """
SELECT {key}, o.id, o.repo, o.path, o.name, coalesce(o.mimetype, ''), coalesce(o.size, 0)
  FROM {tables}
  JOIN originalfile o ON o.id = a.file
 WHERE {key} = ANY(%s::bigint[])
"""
_OBJECTS = """
SELECT x.id, {name}, coalesce(x.description, ''), x.owner_id, x.group_id,
       (extract(epoch FROM e.time) * 1000)::bigint, (extract(epoch FROM {acquired}) * 1000)::bigint, {fileset}
  FROM {table} x JOIN event e ON e.id = x.creation_id WHERE x.id = ANY(%s::bigint[]) AND {condition}
"""
_ANNOTATION_NAME = (
    "coalesce(x.textvalue, x.termvalue, x.name, (SELECT o.name FROM originalfile o WHERE o.id = x.file), '')"
)


@dataclass(slots=True)
class Document:
    """What the index keeps of an object.

    :param texts: everything it is found by, by :data:`FIELDS`
    :param created: milliseconds since 1970 UTC
    :param acquired: the same, of an image
    :param contents: words of attached files, ready for the index
    """

    entity: str
    id: int
    name: str
    owner: int
    group: int
    texts: dict[str, list[str]] = field(default_factory=dict)
    created: int = 0
    acquired: int | None = None
    contents: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Name in the index: one document each object."""
        return key_of(self.entity, self.id)


def key_of(entity: str, object_id: int) -> str:
    """Name of an object in the index."""
    return f"{entity}:{object_id}"


def included(class_names: Iterable[str]) -> frozenset[str]:
    """Those of some types that can be found.

    :param class_names: OMERO's full names, e.g. ``ome.model.core.Image``
    """
    wanted = {name.strip() for name in class_names}
    return frozenset(name for name, entity in INDEXABLE.items() if entity.class_name in wanted)


def touched_objects(
    connection: psycopg.Connection[tuple[Any, ...]], entries: Iterable[Entry], types: frozenset[str]
) -> dict[str, set[int]]:
    """Objects that a batch of rows is about, by type; links and annotations are about what is annotated by them, too.

    :param types: those that are wanted
    """
    touched: dict[str, set[int]] = defaultdict(set)
    links: dict[str, set[int]] = defaultdict(set)
    annotations: set[int] = set()
    changed_files: list[int] = []
    for entry in entries:
        if entry.entity in INDEXABLE:
            touched[entry.entity].add(entry.entity_id)
            if entry.entity not in SEARCHED:
                annotations.add(entry.entity_id)
        elif entry.entity in _LINKS:
            links[entry.entity].add(entry.entity_id)
        elif entry.entity == "OriginalFile":
            changed_files.append(entry.entity_id)
    if changed_files:
        statement = "SELECT id FROM annotation WHERE file = ANY(%s::bigint[])"
        attached = {row[0] for row in connection.execute(statement.encode(), (_array(changed_files),))}
        annotations |= attached
        touched["FileAnnotation"] |= attached
    for name, (entity, table) in _LINKS.items():
        if entity in types and (links[name] or annotations):
            statement = f"SELECT parent FROM {table} WHERE id = ANY(%s::bigint[]) OR child = ANY(%s::bigint[])"  # noqa: S608
            rows = connection.execute(statement.encode(), (_array(links[name]), _array(annotations)))
            touched[entity].update(row[0] for row in rows)
    return {name: ids for name, ids in touched.items() if name in types and ids}


def load_documents(
    connection: psycopg.Connection[tuple[Any, ...]],
    name: str,
    ids: Sequence[int],
    *,
    most_files: int,
    contents: Contents | None = None,
) -> list[Document]:
    """Documents of those objects that still exist.

    :param name: one of :data:`INDEXABLE`
    :param most_files: file names of an image that are indexed at most
    :param contents: reads attached files; without it, only their names count
    """
    entity, wanted = INDEXABLE[name], _array(ids)
    is_annotation, is_image = entity.is_a("Annotation"), name == "Image"
    statement = _OBJECTS.format(
        name=_ANNOTATION_NAME if is_annotation else "coalesce(x.name, '')",
        acquired="x.acquisitiondate" if is_image else "NULL::timestamp",
        fileset="x.fileset" if is_image else "NULL",
        table=entity.table,
        condition=entity.condition,
    )
    documents: dict[int, Document] = {}
    filesets: dict[int, int] = {}
    # Batches of rows are made in C; a row at a time takes twice as long.
    for object_id, title, description, owner, group, created, acquired, fileset in connection.execute(
        statement.encode(), (wanted,)
    ).fetchall():
        texts = {"name": [title], "description": [description]}
        documents[object_id] = Document(name, object_id, title, owner, group, texts, created or 0, acquired)
        if fileset is not None:
            filesets[object_id] = fileset
    tables = f"{entity.table}annotationlink l JOIN annotation a ON a.id = l.child"
    key = "l.parent"
    if is_annotation:
        tables, key = "annotation a", "a.id"
    statement = _ANNOTATION_TEXTS.format(tables=tables, key=key)
    rows = connection.execute(statement.encode(), (wanted,)).fetchall()
    _add_texts(documents, "annotation", ((object_id, text) for object_id, text, _ in rows))
    with_files = {object_id for object_id, _, file in rows if file is not None and object_id in documents}
    if contents is not None and with_files:
        attachments = _ATTACHMENTS.format(tables=tables, key=key)
        for object_id, *columns in connection.execute(attachments.encode(), (_array(with_files),)):
            words = contents.words_of(Attachment(*columns))
            if words:
                documents[object_id].contents.append(words)
    if filesets:
        given = (_array(filesets), _array(filesets.values()), most_files)
        _add_texts(documents, "file", connection.execute(_FILES, given).fetchall())
    return list(documents.values())


def _add_texts(documents: dict[int, Document], part: str, rows: Iterable[tuple[int, str]]) -> None:
    for object_id, text in rows:
        document = documents.get(object_id)
        if document is not None and text:
            if part in document.texts:
                document.texts[part].append(text)
            else:
                document.texts[part] = [text]


def _array(ids: Iterable[int]) -> str:
    """Ids as PostgreSQL reads an array, which takes a tenth of the time of a list."""
    return "{" + ",".join(map(str, ids)) + "}"
