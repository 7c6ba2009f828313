"""The files that a database names, in the order of manifests, put aside so that no transaction stays open for long."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import line_writer, read_lines
from omeroadmin.backups.reconcile import Row

if TYPE_CHECKING:
    from psycopg import Connection

SCRIPT_REPOSITORY = "ScriptRepo"
"""Fixed UUID of the scripts' repository; scripts are edited in place, so their rows prove nothing."""

_BATCH = 5000

# OMERO's rule for the directory of an id: three digits a level, as far as 64 bits go.
_ID_PLACE = (
    " || ".join(
        f"CASE WHEN {{id}} >= {number} THEN 'Dir-' || lpad(({{id}} / {number} %% 1000)::text, 3, '0') || '/' ELSE '' END"  # noqa: E501 - of constants
        for number in (10**18, 10**15, 10**12, 10**9, 10**6, 10**3)
    )
    + " || {id}"
)
_REPOSITORY_PLACE = "roots.prefix || '/' || regexp_replace(ltrim({row}.path || '/' || {row}.name, '/'), '/+', '/', 'g')"
_ROOTS = "unnest(%(uuids)s::text[], %(prefixes)s::text[]) AS roots (uuid, prefix)"

# Pixels of an import name a file of their fileset, which has a row of its own: only others are asked for here. Those
# of a time before OMERO 5, or written through the API, have a file of their own; until their planes have come, their
# SHA-1 is none. The order must be that of bytes.
_ROWS = f"""
WITH files AS MATERIALIZED (
    SELECT {_REPOSITORY_PLACE.format(row="file")} AS place, file.size, file.hash, file.hasher, file.id,
           coalesce(file.mimetype, '') AS mimetype
      FROM originalfile file JOIN {_ROOTS} ON file.repo = roots.uuid
)
SELECT place, size, hash, algorithm, id, kind FROM (
    SELECT files.place, files.size, files.hash, algorithm.value AS algorithm, files.id, 'originalfile' AS kind
      FROM files LEFT JOIN checksumalgorithm algorithm ON algorithm.id = files.hasher
     WHERE files.mimetype NOT IN ('Directory', 'Repository')
    UNION ALL
    SELECT 'data/Files/' || {_ID_PLACE.format(id="file.id")}, file.size, file.hash, algorithm.value, file.id,
           'originalfile'
      FROM originalfile file
      LEFT JOIN checksumalgorithm algorithm ON algorithm.id = file.hasher
     WHERE file.repo IS NULL AND file.size > 0 AND file.hash IS NOT NULL
       AND coalesce(file.mimetype, '') NOT IN ('Directory', 'Repository')
    UNION ALL
    SELECT named.place, NULL, '', NULL, min(named.id), 'pixels'
      FROM (SELECT {_REPOSITORY_PLACE.format(row="pixels")} AS place, pixels.id
              FROM pixels JOIN {_ROOTS} ON pixels.repo = roots.uuid) AS named
      LEFT JOIN files ON files.place = named.place
     WHERE files.place IS NULL
     GROUP BY named.place
    UNION ALL
    SELECT 'data/Pixels/' || {_ID_PLACE.format(id="pixels.id")},
           CASE WHEN type.bitsize >= 8
                THEN pixels.sizex::bigint * pixels.sizey * pixels.sizez * pixels.sizec * pixels.sizet * type.bitsize / 8
           END, '', NULL, pixels.id, 'pixels'
      FROM pixels JOIN pixelstype type ON type.id = pixels.pixelstype
     WHERE pixels.repo IS NULL AND pixels.sha1 ~ '^[0-9a-fA-F]{{40}}$'
) AS named
ORDER BY place COLLATE "C"
"""  # noqa: S608 - of constants

_HIGHEST = """
SELECT 'data/Files/', coalesce(max(id), 0) FROM originalfile
UNION ALL SELECT 'data/Pixels/', coalesce(max(id), 0) FROM pixels
UNION ALL SELECT 'data/Thumbnails/', coalesce(max(id), 0) FROM thumbnail
"""

_UNKNOWN = """
SELECT repo, count(*), min(path || name) FROM originalfile
 WHERE repo IS NOT NULL AND repo <> ALL (%(known)s::text[])
   AND coalesce(mimetype, '') NOT IN ('Directory', 'Repository')
 GROUP BY repo ORDER BY repo
"""


def database_uuid(connection: Connection[Any]) -> str:
    """The UUID that a database gives itself; empty where it has none yet."""
    row = connection.execute("SELECT value FROM configuration WHERE name = 'omero.db.uuid'").fetchone()
    return "" if row is None else str(row[0])


def registered_repositories(connection: Connection[Any]) -> dict[str, str]:
    """Location of each repository that the database knows, by its UUID."""
    query = "SELECT hash, path || '/' || name FROM originalfile WHERE mimetype = 'Repository' AND hash IS NOT NULL"
    return {str(uuid): str(location) for uuid, location in connection.execute(query)}


def unknown_repositories(connection: Connection[Any], prefixes: Mapping[str, str]) -> Iterator[Fault]:
    """A fault for each repository with files of which nobody knows where they are.

    :param prefixes: where the manifest has the files of each repository, by UUID
    """
    known = [*prefixes, SCRIPT_REPOSITORY]
    for uuid, count, example in connection.execute(_UNKNOWN, {"known": known}):
        message = f"{count} files of the database are in repository {uuid}, which is not among what was backed up"
        yield Fault("repository-unknown", str(example), message)


def named_files(connection: Connection[Any], prefixes: Mapping[str, str]) -> Iterator[Row]:
    """The files that the database names, sorted by the server and fetched in batches.

    :param connection: in a transaction
    :param prefixes: where the manifest has the files of each repository, by UUID
    """
    with connection.cursor(name="named_files") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(_ROWS, {"uuids": list(prefixes), "prefixes": list(prefixes.values())})
        for row in cursor:
            yield Row(*row)


def highest_ids(connection: Connection[Any]) -> dict[str, int]:
    """The highest id that the database has given away, by the directory with the files that are named by such ids."""
    return {str(prefix): int(highest) for prefix, highest in connection.execute(_HIGHEST)}


def put_aside(rows: Iterator[Row], path: Path) -> None:
    """Write rows to a compressed file.

    :raises AdminError: ``file-not-written``
    """
    with line_writer(path) as writer:
        for row in rows:
            writer.write(json.dumps(row).encode() + b"\n")


def take_up(path: Path) -> Iterator[Row]:
    """The rows of a file, in their order.

    :raises AdminError: ``file-not-read``
    """
    for line in read_lines(path):
        yield Row(*json.loads(line))
