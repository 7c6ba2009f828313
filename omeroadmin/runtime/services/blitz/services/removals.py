"""Removes files of what was deleted: the one place of the server that does, and only after the commit.

A deletion leaves a row of ``_fs_deletelog`` for each file, in its own transaction; the row goes when the file is
gone. A server that was killed in between goes on at its next start. While somebody holds removals up, such as a
backup, the rows wait.
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from psycopg.rows import tuple_row

from omeroadmin.database.holds import try_removals
from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.database import Connection, Database
from omeroadmin.runtime.services.blitz.services.repositories import Repositories
from omeroadmin.system import files

_LOG = logging.getLogger("ome.services.delete.Deletion")
_BATCH = 2000
_NEXT = """
SELECT ctid::text, event_id, file_id, repo, path, name FROM _fs_deletelog
 WHERE (event_id, file_id, path, name) > (%s, %s, %s, %s)
 ORDER BY event_id, file_id, path, name LIMIT %s
"""
_Row = tuple[str, int, int, str, str, str]


class Removals:
    """Files that nothing refers to any more.

    :param enabled: whether this server may change the repository at all
    """

    def __init__(self, database: Database, repositories: Repositories, *, enabled: bool = True) -> None:
        self._database = database
        self._repositories = repositories
        self._enabled = enabled

    def run(self) -> int:
        """Remove every file that waits, some at a time; what can't be removed stays recorded.

        :return: number of files that were removed
        """
        removed, after = 0, (-1, -1, "", "")
        while self._enabled:
            with self._database.transaction() as connection:
                if not try_removals(connection):
                    return removed
                rows = _rows(connection, after)
                if not rows:
                    return removed
                removed += self._remove(connection, rows)
            _, event, file, _, path, name = rows[-1]
            after = (event, file, path, name)
        return removed

    def waiting(self) -> int:
        """Number of files that wait to be removed."""
        row = self._database.row("SELECT count(*) AS number FROM _fs_deletelog")
        return int(row["number"]) if row else 0

    def _remove(self, connection: Connection, rows: list[_Row]) -> int:
        """Remove the files of some rows and then the rows; the directories that are empty then, too."""
        done: list[str] = []
        emptied: dict[str, set[Path]] = defaultdict(set)
        inside: dict[Path, bool] = {}
        removed, failures = 0, []
        needed = _needed(connection, rows)
        for ctid, _, _, repository, path, name in rows:
            root = self._repositories.root_of(repository)
            if root is None:
                failures.append(f"{path}{name} of repository {repository}: not one of this server's")
                continue
            try:
                place = files.inside(root, f"{path}{name}".lstrip("/"))
                if place.parent not in inside:
                    inside[place.parent] = _leads_inside(root, place.parent)
                if (repository, path, name) not in needed and inside[place.parent]:
                    removed += _unlink(place)
                    emptied[repository].add(place.parent)
                done.append(ctid)
            except AdminError as error:
                _LOG.error("A recorded path is left alone: %s", error.message)
                done.append(ctid)
            except OSError as error:
                failures.append(f"{path}{name}: {error.strerror}")
        for repository, directories in emptied.items():
            self._prune(connection, repository, directories)
        connection.execute("DELETE FROM _fs_deletelog WHERE ctid = ANY(%s::tid[])", (done,))
        if failures:
            _LOG.warning("%d file(s) can't be removed yet, the first: %s", len(failures), failures[0])
        return removed

    def _prune(self, connection: Connection, repository: str, directories: Iterable[Path]) -> None:
        """Remove directories that are empty, upwards, but for those with rows of their own and the first level."""
        root = self._repositories.root_of(repository)
        assert root is not None  # noqa: S101 - found before
        candidates: set[Path] = set()
        also_first_level = repository == self._repositories.managed.uuid
        for start in directories:
            directory = start
            while root in directory.parents and directory not in candidates:
                if directory.parent == root and not also_first_level:
                    break
                candidates.add(directory)
                directory = directory.parent
        named = _known_directories(connection, repository, root, candidates)
        for directory in sorted(candidates - named, key=lambda path: -len(path.parts)):
            try:
                directory.rmdir()
            except OSError:
                continue


def _rows(connection: Connection, after: tuple[int, int, str, str]) -> list[_Row]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(_NEXT, (*after, _BATCH)).fetchall()


def _leads_inside(root: Path, directory: Path) -> bool:
    """Whether a directory is below a root with all links followed."""
    real = os.path.realpath(root)
    return os.path.commonpath((real, os.path.realpath(directory))) == real


def _unlink(path: Path) -> int:
    """Remove a file, or a link itself; never what a link points to.

    :return: 1, or 0 where there was none
    """
    try:
        os.unlink(path)  # noqa: PTH108 - the same, without a second Path
    except (FileNotFoundError, NotADirectoryError):
        return 0
    return 1


def _needed(connection: Connection, rows: list[_Row]) -> set[tuple[str, str, str]]:
    """Places that a row of ``originalfile`` names again, as after a restore."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(
            "SELECT o.repo, o.path, o.name FROM originalfile o"
            " JOIN unnest(%s::text[], %s::text[], %s::text[]) AS n (repo, path, name)"
            " ON o.repo = n.repo AND o.path = n.path AND o.name = n.name",
            ([row[3] for row in rows], [row[4] for row in rows], [row[5] for row in rows]),
        )
        return set(cursor.fetchall())


def _known_directories(connection: Connection, repository: str, root: Path, directories: set[Path]) -> set[Path]:
    """Directories that somebody made on purpose: they have rows."""
    names = {str(directory.relative_to(root)): directory for directory in directories}
    rows = connection.execute(
        "SELECT o.path || o.name AS place FROM originalfile o"
        " JOIN unnest(%s::text[]) AS n (name) ON o.name = n.name"
        " WHERE o.repo = %s AND o.mimetype = 'Directory'",
        ([directory.name for directory in directories], repository),
    ).fetchall()
    places = {row["place"].strip("/") for row in rows}
    kept = {directory for name, directory in names.items() if name in places}
    return kept | {parent for directory in kept for parent in directory.parents}
