"""Where a cleanse may work: the roots of the repository, which must be this database's, and since when."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.database import stored
from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.repository.layout import read_repository_uuid
from omeroadmin.repository.orphans.findings import Horizon
from omeroadmin.repository.orphans.trees import MARKERS
from omeroadmin.schema.settings import Settings
from omeroadmin.system.files import inside

if TYPE_CHECKING:
    from psycopg import Connection

DATA = "data"
MANAGED = "managed"
MANAGED_DIRECTORY = "ManagedRepository"

STALE_SECONDS = 86_400
"""After which a temporary file or a lock that nobody holds is nobody's any more."""
_NS = 1_000_000_000
_LATE_NS = 50_000_000


@dataclass(frozen=True)
class Scope:
    """The repository of one database.

    :param public_uuid: of the data directory's own repository
    :param below: where the managed repository is in the data directory, with a slash at its end; empty where it isn't
    """

    data: Path
    managed: Path
    database_uuid: str
    public_uuid: str
    managed_uuid: str
    below: str

    @property
    def roots(self) -> dict[str, Path]:
        """The roots by name."""
        return {DATA: self.data, MANAGED: self.managed}


def find_scope(connection: Connection[Any], settings: Settings, directory: Path | None) -> Scope:
    """The repository that is meant, if it is the database's.

    :param directory: its data directory; ``None``: as ``omero.data.dir`` says
    :raises AdminError: ``data-directory-missing``, ``database-empty``, ``repository-foreign``, ``repository-unmarked``,
        ``repository-shared``, ``repository-unknown``, ``marker-invalid``, ``file-not-read``
    """
    own = settings.data_directory.absolute()
    data = own if directory is None else directory.absolute()
    if not data.is_dir():
        raise configuration_error(
            "data-directory-missing", f"{data} is not a directory", "name the data directory, e.g. /OMERO"
        )
    managed = settings.managed_repository.absolute()
    if not own.is_dir() or not own.samefile(data):
        managed = data / MANAGED_DIRECTORY
    database_uuid = stored.database_uuid(connection)
    if not database_uuid:
        raise configuration_error("database-empty", "the database has no identity yet", "start the server once")
    known = stored.repository_uuids(connection)
    uuids = [_repository_of(root, database_uuid, known) for root in (data, managed)]
    relative = os.path.relpath(os.path.realpath(managed), os.path.realpath(data))
    below = "" if relative.startswith("..") else f"{relative}/"
    return Scope(data, managed, database_uuid, uuids[0], uuids[1], below)


def _repository_of(root: Path, database_uuid: str, known: set[str]) -> str:
    markers = root / MARKERS / "repository"
    try:
        marked = {entry.name for entry in os.scandir(markers) if entry.is_dir(follow_symlinks=False)}
    except OSError:
        marked = set()
    others = sorted(marked - {database_uuid})
    uuid = read_repository_uuid(root, database_uuid)
    if uuid is None and others:
        raise configuration_error(
            "repository-foreign",
            f"{root} belongs to the database {others[0]}, and this is the database {database_uuid}",
            "nothing was touched; correct omero.db.* or the directory",
        )
    if uuid is None:
        raise configuration_error(
            "repository-unmarked",
            f"{root} is no repository of this database: {markers / database_uuid} is missing",
            "nothing was touched; correct the directory, or start the server once, which marks it",
        )
    if others:
        raise configuration_error(
            "repository-shared",
            f"{root} is marked by another database as well, {others[0]}, whose files this one doesn't know",
            f"nothing was touched; if that database is gone for good: mv {markers / others[0]} /var/tmp/",
        )
    if uuid not in known:
        raise configuration_error(
            "repository-unknown",
            f"{root} is the repository {uuid}, which the database doesn't know",
            "nothing was touched; start the server once, which registers it",
        )
    return uuid


def find_horizon(connection: Connection[Any], scope: Scope, *, min_age: float, may_write: bool) -> Horizon:
    """Since when files may have rows that can't be seen yet; to be asked for before the database's view is taken.

    A file comes before the end of the transaction that names it, but not before its beginning. So what had changed
    before the oldest transaction began that is open now has its row in a view that is taken later, if it has one at
    all. The exception are imports, whose files come before the transaction; they have markers for that time.

    :param min_age: seconds that files must be old
    :param may_write: whether the clock of the repository's file system may be asked, which makes a file
    :raises AdminError: ``marker-invalid``, ``file-not-read``
    """
    began = time.time_ns() + min(_clock_offset(scope), 0) * may_write
    busy = running_imports(scope.managed)
    now = stored.activity(connection)
    row = began
    if now.oldest is not None:
        row -= max(0, int((now.now - now.oldest).total_seconds() * _NS))
    young = row - int(min_age * _NS)
    return Horizon(row, young, min(young, row - STALE_SECONDS * _NS), busy)


def running_imports(managed: Path) -> frozenset[str]:
    """Directories of imports that go on or were broken off by a kill, below the managed repository.

    :raises AdminError: ``marker-invalid``
    """
    busy: set[str] = set()
    for marker in (managed / MARKERS / "imports").glob("*/*.json"):
        try:
            directory = str(json.loads(marker.read_text())["directory"])
            inside(managed, directory)
        except FileNotFoundError:
            continue  # complete: its rows are there
        except (OSError, ValueError, KeyError, TypeError, AdminError) as error:
            raise configuration_error(
                "marker-invalid",
                f"{marker} doesn't say which import goes on",
                "nothing was touched; when no import is running, remove it",
            ) from error
        busy.add(directory.strip("/"))
    return frozenset(busy)


def _clock_offset(scope: Scope) -> int:
    """How far the clock of the file system is ahead of this machine's, in nanoseconds; negative if it is late."""
    offsets = []
    for root in scope.roots.values():
        try:
            with tempfile.TemporaryFile(dir=root / MARKERS) as probe:
                before = time.time_ns()
                probe.write(b"?")
                probe.flush()
                offsets.append(os.fstat(probe.fileno()).st_mtime_ns - before)
        except OSError:
            continue
    offset = min(offsets, default=0)
    return offset if offset < -_LATE_NS else 0
