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

# The expression is OMERO's rule for the directory of an id; its order must be that of bytes.
_ROWS = """
SELECT place, size, hash, algorithm, id FROM (
    SELECT roots.prefix || '/' || regexp_replace(ltrim(file.path || '/' || file.name, '/'), '/+', '/', 'g') AS place,
           file.size, file.hash, algorithm.value AS algorithm, file.id
      FROM originalfile file
      JOIN unnest(%(uuids)s::text[], %(prefixes)s::text[]) AS roots (uuid, prefix) ON file.repo = roots.uuid
      LEFT JOIN checksumalgorithm algorithm ON algorithm.id = file.hasher
     WHERE coalesce(file.mimetype, '') NOT IN ('Directory', 'Repository')
    UNION ALL
    SELECT 'data/Files/'
           || CASE WHEN file.id >= 1000000000 THEN 'Dir-' || lpad((file.id / 1000000000 %% 1000)::text, 3, '0') || '/'
                   ELSE '' END
           || CASE WHEN file.id >= 1000000 THEN 'Dir-' || lpad((file.id / 1000000 %% 1000)::text, 3, '0') || '/'
                   ELSE '' END
           || CASE WHEN file.id >= 1000 THEN 'Dir-' || lpad((file.id / 1000 %% 1000)::text, 3, '0') || '/' ELSE '' END
           || file.id, file.size, file.hash, algorithm.value, file.id
      FROM originalfile file
      LEFT JOIN checksumalgorithm algorithm ON algorithm.id = file.hasher
     WHERE file.repo IS NULL AND file.size > 0 AND file.hash IS NOT NULL
       AND coalesce(file.mimetype, '') NOT IN ('Directory', 'Repository')
) AS named
ORDER BY place COLLATE "C"
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
        for place, size, hash_, algorithm, file_id in cursor:
            yield Row(place, size, hash_, algorithm, file_id)


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
