"""Finds the file and the image in it that a pixels object stands for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from omeroadmin.system import files

_SOURCE = """
SELECT i.series, coalesce(p.path, m.path, e.path), coalesce(p.name, m.name, e.name),
       ARRAY(SELECT j.type FROM filesetjoblink k JOIN job j ON j.id = k.child JOIN jobstatus s ON s.id = j.status
              WHERE k.parent = i.fileset AND s.value = 'Cancelled')
  FROM pixels p
  JOIN image i ON i.id = p.image
  LEFT JOIN LATERAL (
       SELECT o.path, o.name FROM pixelsoriginalfilemap l JOIN originalfile o ON o.id = l.parent
        WHERE l.child = p.id ORDER BY l.id LIMIT 1) m ON true
  LEFT JOIN LATERAL (
       SELECT o.path, o.name FROM filesetentry f JOIN originalfile o ON o.id = f.originalfile
        WHERE f.fileset = i.fileset ORDER BY f.fileset_index LIMIT 1) e ON true
 WHERE p.id = %s
"""


@dataclass(frozen=True)
class Source:
    """Where the planes of a pixels object are.

    :param series: number of the image in its file
    :param cancelled: types of jobs that the import wanted to be left out
    """

    path: Path
    series: int
    cancelled: frozenset[str] = frozenset()


def source_of(
    connection: psycopg.Connection[tuple[Any, ...]], managed_repository: Path, pixels_id: int
) -> Source | None:
    """The file of a pixels object; ``None`` where the object is gone or has no file.

    :raises AdminError: ``path-escapes`` for a path that leaves the managed repository
    """
    row = connection.execute(_SOURCE, (pixels_id,)).fetchone()
    if row is None or row[1] is None or row[2] is None:
        return None
    return Source(
        files.inside(managed_repository, f"{str(row[1]).lstrip('/')}/{row[2]}"), int(row[0]), frozenset(row[3])
    )
