"""Whether this server may write: as configured, or because it finds that it can't."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.runtime.services.blitz.database import Database
from omeroadmin.schema.settings import Settings

_LOG = logging.getLogger("ome.services.util.ReadOnlyStatus")
_BOTH = "omero.cluster.read_only"


@dataclass(frozen=True)
class ReadOnly:
    """What this server must not write to.

    :param database: nothing at all is changed then, and sessions are in memory
    :param repository: no file is made, changed or removed in the binary repository then
    """

    database: bool = False
    repository: bool = False

    @property
    def any(self) -> bool:
        """Whether it is read-only in any way: then it leaves no markers, locks and rows of its own."""
        return self.database or self.repository

    def __str__(self) -> str:
        return f"db={str(self.database).lower()}, repo={str(self.repository).lower()}"


def read_only_error(what: str) -> AdminError:
    """This server doesn't write.

    :param what: ``database`` or ``repository``
    """
    return failed_error("read-only", f"this server is read-only: it changes nothing in its {what}")


def find_read_only(database: Database, settings: Settings) -> ReadOnly:
    """As the properties say, and what turns out when a statement and a file are tried.

    :raises AdminError: ``directory-missing``
    """
    roots = [settings.data_directory, settings.managed_repository]
    if not settings.data_directory.is_dir():
        # Made anew, it would hide what lies on a disk that isn't mounted.
        raise configuration_error(
            "directory-missing", f"the data directory (omero.data.dir) {settings.data_directory} is missing"
        )
    both = settings.flag(_BOTH)
    found = ReadOnly(
        both or settings.flag(f"{_BOTH}.db") or not _database_is_writable(database),
        both or settings.flag(f"{_BOTH}.repo") or not all(_is_writable(root) for root in roots if root.is_dir()),
    )
    _LOG.info("read-only status: %s", found)
    return found


def _database_is_writable(database: Database) -> bool:
    try:
        with database.transaction() as connection:
            connection.execute("DELETE FROM event WHERE false")
    except (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.InsufficientPrivilege):
        return False
    return True


def _is_writable(directory: Path) -> bool:
    if not os.access(directory, os.W_OK | os.X_OK):
        return False
    try:
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError as error:
        # A disk that is full isn't read-only.
        return error.errno not in _REFUSALS


_REFUSALS = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
