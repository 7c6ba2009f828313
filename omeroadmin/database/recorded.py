"""The files that the database has rows for, in the order of their ids, with what their content should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from psycopg import Connection

_SCRIPTS = "ScriptRepo"
_BATCH = 2000
# Scripts are edited in place, and what has no checksum is still on its way.
_ARE_FILES = f"""
coalesce(o.mimetype, '') NOT IN ('Directory', 'Repository') AND coalesce(o.repo, '') <> '{_SCRIPTS}'
   AND (o.repo IS NOT NULL OR o.size > 0) AND o.hash IS NOT NULL
"""
_COLUMNS = "o.id, o.path, o.name, o.repo, o.size, o.hash, h.value"
_NEXT = f"""
SELECT {_COLUMNS} FROM originalfile o LEFT JOIN checksumalgorithm h ON h.id = o.hasher
 WHERE o.id > %s AND {_ARE_FILES} ORDER BY o.id LIMIT {_BATCH}
"""  # noqa: S608 - constants
_SAME = f"""
SELECT {_COLUMNS} FROM originalfile o LEFT JOIN checksumalgorithm h ON h.id = o.hasher
 WHERE o.id = ANY(%s) AND {_ARE_FILES}
"""  # noqa: S608
_COUNT = f"SELECT count(*), coalesce(sum(o.size), 0)::bigint FROM originalfile o WHERE o.id > %s AND {_ARE_FILES}"  # noqa: S608
_OWNERS = """
SELECT o.id, e.omename, g.name, min(x.fileset), coalesce(array_agg(DISTINCT i.id) FILTER (WHERE i.id IS NOT NULL), '{}')
  FROM originalfile o
  LEFT JOIN experimenter e ON e.id = o.owner_id
  LEFT JOIN experimentergroup g ON g.id = o.group_id
  LEFT JOIN filesetentry x ON x.originalfile = o.id
  LEFT JOIN image i ON i.fileset = x.fileset
 WHERE o.id = ANY(%s) GROUP BY o.id, e.omename, g.name
"""


class FileRow(NamedTuple):
    """What a row says of its file.

    :param repo: UUID of its repository; ``None`` for a file below ``Files``
    :param size: bytes
    :param algorithm: OMERO's name
    """

    id: int
    path: str
    name: str
    repo: str | None
    size: int | None
    hash: str | None
    algorithm: str | None


class FileOwner(NamedTuple):
    """Whose a file is.

    :param images: ids of the images that came with it
    """

    id: int
    user: str | None
    group: str | None
    fileset: int | None
    images: list[int]


def next_files(connection: Connection[Any], after: int) -> list[FileRow]:
    """The next files; none at the end.

    :param after: the last id that is done
    """
    return [FileRow(*row) for row in connection.execute(_NEXT, (after,))]


def same_files(connection: Connection[Any], ids: Sequence[int]) -> dict[int, FileRow]:
    """Rows as they are now, by their ids."""
    return {row[0]: FileRow(*row) for row in connection.execute(_SAME, (list(ids),))}


def count_files(connection: Connection[Any], after: int) -> tuple[int, int]:
    """How many files come after an id, and their bytes."""
    row = connection.execute(_COUNT, (after,)).fetchone()
    assert row is not None  # noqa: S101 - an aggregate
    return int(row[0]), int(row[1])


def owners(connection: Connection[Any], ids: Sequence[int]) -> dict[int, FileOwner]:
    """Whose some files are."""
    return {row[0]: FileOwner(*row) for row in connection.execute(_OWNERS, (list(ids),))}
