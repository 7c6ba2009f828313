"""What the database says should be in the repository: in the order of a walk, and for single things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from psycopg import Connection

_BATCH = 2000
_WORK_MEMORY = "64MB"
_TABLES = ("originalfile", "pixels", "thumbnail")

# OMERO's rule for the directory of ids, of whole thousands: the last three digits of each higher thousand.
_GROUP = " || ".join(
    f"CASE WHEN thousands >= {1000**level} THEN 'Dir-' || lpad((thousands / {1000**level} % 1000)::text, 3, '0') || '/'"
    " ELSE '' END"
    for level in range(5, -1, -1)
)
_IDS = """
SELECT directory, names FROM (
    SELECT {group} AS directory, names FROM (
        SELECT id / 1000 AS thousands, string_agg(id::text, '/') AS names FROM {table} GROUP BY 1) AS grouped
) AS placed ORDER BY directory COLLATE "C"
"""
_IS_PLAIN = "path LIKE '%%/' AND path NOT LIKE '/%%' AND path NOT LIKE '%%//%%' AND name NOT LIKE '%%/%%'"
_WHOLE = "regexp_replace(ltrim(path || '/' || name, '/'), '/+', '/', 'g')"
_IS_FILE = "coalesce(mimetype, '') NOT IN ('Directory', 'Repository')"
_PATHS = f"""
SELECT directory, string_agg(name, '/') AS names FROM (
    SELECT CASE WHEN {_IS_PLAIN} THEN path ELSE regexp_replace({_WHOLE}, '[^/]*$', '') END AS directory,
           CASE WHEN {_IS_PLAIN} THEN name ELSE regexp_replace({_WHOLE}, '^.*/', '') END AS name
      FROM (SELECT path, name FROM originalfile WHERE repo = %(managed)s AND {_IS_FILE}
            UNION ALL
            SELECT substr(ltrim(path, '/'), %(skip)s), name FROM originalfile
             WHERE repo = %(public)s AND %(below)s <> '' AND starts_with(ltrim(path, '/'), %(below)s) AND {_IS_FILE}
           ) AS named
) AS placed GROUP BY directory ORDER BY directory COLLATE "C"
"""  # noqa: S608 - constants
_NAMED_PATHS = """
SELECT wanted.number - 1 FROM unnest(%(directories)s::text[], %(names)s::text[])
       WITH ORDINALITY AS wanted (directory, name, number)
 WHERE EXISTS (SELECT 1 FROM {table} stored
                WHERE stored.repo = ANY(%(repositories)s::text[]) AND stored.name = wanted.name
                  AND stored.path IN (wanted.directory, wanted.directory || '/', '/' || wanted.directory,
                                   '/' || wanted.directory || '/'))
"""
# OMERO makes the fileset first and its images last. An import that goes on has an unfinished job; so has one that
# was broken off.
_EMPTY_FILESETS = """
SELECT f.id, f.templateprefix, e.experimenter, count(o.id), coalesce(sum(o.size), 0)::bigint
  FROM fileset f
  LEFT JOIN event e ON e.id = f.creation_id
  LEFT JOIN filesetentry x ON x.fileset = f.id
  LEFT JOIN originalfile o ON o.id = x.originalfile
 WHERE NOT EXISTS (SELECT 1 FROM image i WHERE i.fileset = f.id)
   AND e.time < timezone('UTC', %(before)s)
   AND (e.time < timezone('UTC', %(stale)s) OR NOT EXISTS (
        SELECT 1 FROM filesetjoblink l JOIN job j ON j.id = l.child JOIN jobstatus s ON s.id = j.status
         WHERE l.parent = f.id AND j.type IN ('UploadJob', 'MetadataImportJob')
           AND s.value NOT IN ('Finished', 'Cancelled', 'Error')))
 GROUP BY f.id, f.templateprefix, e.experimenter ORDER BY f.id
"""


@dataclass(frozen=True)
class Activity:
    """Who is at work in the database.

    :param now: by the clock of the database's server
    :param oldest: when the oldest transaction of the servers began, if there is one
    """

    now: datetime
    oldest: datetime | None


class EmptyFileset(NamedTuple):
    """A fileset without images.

    :param prefix: its directory below the managed repository
    :param files: number of its files
    :param size: their bytes
    """

    id: int
    prefix: str
    owner_id: int | None
    files: int
    size: int


def activity(connection: Connection[Any]) -> Activity:
    """Transactions that are open in this database; what they have inserted nobody else can see yet.

    Those of other roles are left out: they don't write files of the repository.
    """
    row = connection.execute(
        "SELECT clock_timestamp(), min(xact_start) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate
    return Activity(row[0], row[1])


def take_view(connection: Connection[Any]) -> None:
    """Begin a transaction that sees the database as it is now, however long it goes on."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    connection.execute(f"SET LOCAL work_mem = '{_WORK_MEMORY}'".encode())
    # A cursor is read to its end: no plan for the first rows.
    connection.execute("SET LOCAL cursor_tuple_fraction = 1")
    connection.execute("SELECT FROM originalfile LIMIT 1")


def ids_by_directory(connection: Connection[Any], table: str) -> Iterator[tuple[str, str]]:
    """The ids of a table by the directory that OMERO keeps their files in, in byte order.

    :param table: ``originalfile``, ``pixels`` or ``thumbnail``
    :return: directory with a slash at its end, and the ids with slashes between
    """
    assert table in _TABLES  # noqa: S101 - no text from outside
    yield from _rows(connection, table, _IDS.format(group=_GROUP, table=table), None)


def files_by_directory(
    connection: Connection[Any], *, managed: str, public: str, below: str
) -> Iterator[tuple[str, str]]:
    """The files that rows name in the managed repository, by directory and in byte order.

    :param managed: its UUID
    :param public: UUID of the data directory's own repository, which may name files in the managed one, too
    :param below: where the managed repository is in the data directory, with a slash at its end; empty where it isn't
    """
    values = {"managed": managed, "public": public, "below": below, "skip": len(below) + 1}
    yield from _rows(connection, "files", _PATHS, values)


def named_places(connection: Connection[Any], repositories: Sequence[str], places: Sequence[str]) -> set[int]:
    """Which of some places a row names now, as a file or as a directory.

    :param repositories: their UUIDs
    :param places: paths below the repository
    :return: indexes
    """
    split = [place.rpartition("/") for place in places]
    values = {
        "directories": [directory for directory, _, _ in split],
        "names": [name for _, _, name in split],
        "repositories": list(repositories),
    }
    found: set[int] = set()
    for table in ("originalfile", "pixels"):
        # Names of tables are constants of this module.
        found |= {int(number) for (number,) in connection.execute(_NAMED_PATHS.format(table=table).encode(), values)}
    return found


def present_ids(connection: Connection[Any], table: str, ids: Sequence[int]) -> set[int]:
    """Which ids a table has now.

    :param table: ``originalfile``, ``pixels`` or ``thumbnail``
    """
    assert table in _TABLES  # noqa: S101 - no text from outside
    rows = connection.execute(f"SELECT id FROM {table} WHERE id = ANY(%s)".encode(), (list(ids),))  # noqa: S608
    return {int(number) for (number,) in rows}


def empty_filesets(connection: Connection[Any], before: datetime, stale: datetime) -> list[EmptyFileset]:
    """Filesets without images.

    :param before: only those that are older
    :param stale: only older ones where the import was never finished
    """
    values = {"before": before, "stale": stale}
    return [EmptyFileset(*row) for row in connection.execute(_EMPTY_FILESETS, values)]


def database_uuid(connection: Connection[Any]) -> str:
    """The UUID that a database gives itself; empty where it has none yet."""
    row = connection.execute("SELECT value FROM configuration WHERE name = 'omero.db.uuid'").fetchone()
    return "" if row is None else str(row[0])


def repository_uuids(connection: Connection[Any]) -> set[str]:
    """UUIDs of the repositories that the database knows."""
    rows = connection.execute("SELECT hash FROM originalfile WHERE mimetype = 'Repository' AND hash IS NOT NULL")
    return {str(uuid) for (uuid,) in rows}


def _rows(
    connection: Connection[Any], name: str, query: str, values: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    # A name of its own, because a walk need not read all of it.
    with connection.cursor(name=f"stored_{name}") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(query.encode(), values)
        yield from cursor
