"""What a server holds, from its database: objects, and the bytes of imports by group, user, month and format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

_TABLES = {
    "Project": "project",
    "Dataset": "dataset",
    "Screen": "screen",
    "Plate": "plate",
    "Image": "image",
    "Fileset": "fileset",
    "OriginalFile": "originalfile",
    "Roi": "roi",
    "Annotation": "annotation",
    "Experimenter": "experimenter",
    "ExperimenterGroup": "experimentergroup",
}

# Every fileset is looked at once, whatever it is counted for.
_IMPORTS = """
WITH contents AS (
    SELECT entry.fileset, count(*) AS files, coalesce(sum(file.size), 0) AS size
      FROM filesetentry entry JOIN originalfile file ON file.id = entry.originalfile
     GROUP BY entry.fileset
), images AS (
    SELECT fileset, count(*) AS images, min(format) AS format FROM image WHERE fileset IS NOT NULL GROUP BY fileset
), imports AS (
    SELECT grp.name AS group_name, owner.omename AS user_name, to_char(event.time, 'YYYY-MM') AS month,
           coalesce(format.value, '') AS format, contents.files, contents.size, coalesce(images.images, 0) AS images
      FROM contents
      JOIN fileset ON fileset.id = contents.fileset
      JOIN event ON event.id = fileset.creation_id
      JOIN experimenter owner ON owner.id = fileset.owner_id
      JOIN experimentergroup grp ON grp.id = fileset.group_id
      LEFT JOIN images ON images.fileset = fileset.id
      LEFT JOIN format ON format.id = images.format
)
SELECT grouping(group_name, user_name, month, format), group_name, user_name, month, format,
       count(*), coalesce(sum(images), 0), coalesce(sum(files), 0), coalesce(sum(size), 0)
  FROM imports GROUP BY GROUPING SETS ((group_name), (user_name), (month), (format), ())
"""
_GROUPINGS = {0b0111: "group", 0b1011: "user", 0b1101: "month", 0b1110: "format", 0b1111: "all"}
"""Values of PostgreSQL's ``grouping()``: a bit is set where the column is not grouped by."""

_LARGEST = """
SELECT entry.fileset, min(owner.omename), min(grp.name), count(*), coalesce(sum(file.size), 0) AS size,
       (SELECT name FROM image WHERE image.fileset = entry.fileset ORDER BY id LIMIT 1)
  FROM filesetentry entry
  JOIN originalfile file ON file.id = entry.originalfile
  JOIN fileset ON fileset.id = entry.fileset
  JOIN experimenter owner ON owner.id = fileset.owner_id
  JOIN experimentergroup grp ON grp.id = fileset.group_id
 GROUP BY entry.fileset ORDER BY size DESC, entry.fileset LIMIT %s
"""
# Empty files are all the same, and nobody's waste.
_DUPLICATES = """
WITH same AS (
    SELECT file.hash, file.hasher, file.size, count(*) AS copies, min(file.id) AS first,
           (count(*) - 1) * file.size AS surplus
      FROM filesetentry entry JOIN originalfile file ON file.id = entry.originalfile
     WHERE file.hash IS NOT NULL AND file.size > 0
     GROUP BY file.hash, file.hasher, file.size HAVING count(*) > 1
)
SELECT same.copies, same.size, same.surplus, file.path || file.name, same.hash,
       sum(same.copies - 1) OVER (), sum(same.surplus) OVER ()
  FROM same JOIN originalfile file ON file.id = same.first
 ORDER BY same.surplus DESC, same.first LIMIT %s
"""
_OTHERS = """
SELECT count(*), coalesce(sum(file.size), 0) FROM originalfile file
 WHERE NOT EXISTS (SELECT FROM filesetentry entry WHERE entry.originalfile = file.id)
   AND coalesce(file.mimetype, '') NOT IN ('Directory', 'Repository')
"""
_OPEN_SESSIONS = "SELECT count(*) FROM session WHERE closed IS NULL"


@dataclass(frozen=True)
class Share:
    """What was imported under one name: a group, a user, a month ``2026-11`` or a format.

    :param size: bytes
    """

    name: str
    filesets: int
    images: int
    files: int
    size: int


@dataclass(frozen=True)
class LargeFileset:
    """One of the largest imports.

    :param image: name of its first image; empty where it has none
    :param size: bytes
    """

    id: int
    image: str
    user: str
    group: str
    files: int
    size: int


@dataclass(frozen=True)
class Duplicate:
    """A content that was imported several times.

    :param copies: how often it is there
    :param size: bytes of each
    :param surplus: bytes of all but one
    :param path: the first of them, below its repository
    """

    copies: int
    size: int
    surplus: int
    path: str
    hash: str


@dataclass(frozen=True)
class Statistics:
    """What a server holds.

    :param objects: number of objects by type
    :param open_sessions: sessions that were not closed
    :param imported: all imports
    :param other_files: files that belong to no import: attachments, scripts, logs, tables
    :param other_size: bytes of these
    :param months: imports by month, oldest first
    :param duplicate_files: files that are there once more
    :param duplicate_size: bytes of these
    """

    objects: Mapping[str, int]
    open_sessions: int
    imported: Share
    other_files: int
    other_size: int
    groups: tuple[Share, ...]
    users: tuple[Share, ...]
    months: tuple[Share, ...]
    formats: tuple[Share, ...]
    largest: tuple[LargeFileset, ...]
    duplicate_files: int
    duplicate_size: int
    duplicates: tuple[Duplicate, ...]


def statistics(connection: Connection[Any], *, top: int) -> Statistics:
    """Count everything, in one snapshot of the database.

    :param top: how many of the largest imports and duplicates are named
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        shares = _shares(connection)
        duplicates = connection.execute(_DUPLICATES, (top,)).fetchall()
        others = _one(connection, _OTHERS)
        return Statistics(
            objects=_objects(connection),
            open_sessions=int(_one(connection, _OPEN_SESSIONS)[0]),
            imported=shares["all"][0],
            other_files=int(others[0]),
            other_size=int(others[1]),
            groups=_by_size(shares["group"]),
            users=_by_size(shares["user"]),
            months=tuple(sorted(shares["month"], key=lambda share: share.name)),
            formats=_by_size(shares["format"]),
            largest=tuple(_large(*row) for row in connection.execute(_LARGEST, (top,))),
            duplicate_files=int(duplicates[0][5]) if duplicates else 0,
            duplicate_size=int(duplicates[0][6]) if duplicates else 0,
            duplicates=tuple(Duplicate(row[0], row[1], int(row[2]), row[3], row[4]) for row in duplicates),
        )


def _shares(connection: Connection[Any]) -> dict[str, list[Share]]:
    shares: dict[str, list[Share]] = {kind: [] for kind in _GROUPINGS.values()}
    for grouping, group, user, month, kind, filesets, images, files, size in connection.execute(_IMPORTS):
        name = next((value for value in (group, user, month, kind) if value is not None), "")
        shares[_GROUPINGS[grouping]].append(Share(name or "unknown", filesets, int(images), int(files), int(size)))
    return shares


def _by_size(shares: list[Share]) -> tuple[Share, ...]:
    return tuple(sorted(shares, key=lambda share: (-share.size, share.name)))


def _large(fileset: int, user: str, group: str, files: int, size: Any, image: str | None) -> LargeFileset:
    return LargeFileset(fileset, image or "", user, group, files, int(size))


def _objects(connection: Connection[Any]) -> dict[str, int]:
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in _TABLES.values())  # noqa: S608 - ours
    return dict(zip(_TABLES, map(int, _one(connection, f"SELECT {counts}")), strict=True))


def _one(connection: Connection[Any], query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None  # noqa: S101 - aggregates give a row
    return tuple(row)
