"""How far a cluster is archived: what the disk says, what the running server says, what the repository says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.database import embedded
from omeroadmin.database.connection import connect
from omeroadmin.database.physical.layout import PhysicalLayout
from omeroadmin.database.physical.program import PgBackRest
from omeroadmin.errors import AdminError
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import utc_stamp

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

_ARCHIVER = """
SELECT current_setting('archive_mode') <> 'off', archived_count, failed_count, last_archived_wal, last_archived_time,
       last_failed_wal, last_failed_time
  FROM pg_stat_archiver
"""


@dataclass(frozen=True)
class Archiver:
    """What PostgreSQL says of its archiving.

    :param enabled: whether ``archive_mode`` is on in the running server
    :param archived: segments archived since statistics began
    :param failed: attempts that failed
    :param last_archived: when the last segment was archived
    :param last_failed: when the last attempt failed
    :param failed_segment: name of the segment that it was about
    """

    enabled: bool
    archived: int
    failed: int
    last_archived: datetime | None
    last_failed: datetime | None
    failed_segment: str

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed: the log piles up in ``pg_wal`` then."""
        if not self.enabled or self.last_failed is None:
            return False
        return self.last_archived is None or self.last_failed > self.last_archived


HINT_FAILING = "is the repository there, with space left? PostgreSQL's log says why: var/log/postgresql.log"
"""What to do about an archive that fails."""


def archiver_words(found: Archiver) -> str:
    """What an admin should know of the archive, in a line."""
    last = "nothing archived yet" if found.last_archived is None else f"archived until {utc_stamp(found.last_archived)}"
    if not found.failing or found.last_failed is None:
        return last
    return (
        f"archiving fails: {found.failed_segment} at {utc_stamp(found.last_failed)}, {last};"
        " what is changed since can't be restored, and the log fills the database's disk"
    )


def archiver(connection: Connection[Any]) -> Archiver:
    """Ask a running server, as whatever role."""
    row = connection.execute(_ARCHIVER).fetchone()
    if row is None:
        return Archiver(False, 0, 0, None, None, "")
    enabled, archived, failed, _, last_archived, failed_segment, last_failed = row
    return Archiver(enabled, archived, failed, last_archived, last_failed, failed_segment or "")


@dataclass(frozen=True)
class PhysicalFacts:
    """What there is.

    :param files: the texts of the files that archiving takes; ``None``: not there
    :param running: whether the cluster's server runs
    :param archiving: whether the running server archives; false for a stopped one
    :param stanza: whether the repository is ready
    """

    files: Mapping[Path, str | None]
    running: bool
    archiving: bool
    stanza: bool


def physical_facts(instance: Instance, settings: Settings, layout: PhysicalLayout, program: Path) -> PhysicalFacts:
    """Look at the instance's own cluster and at the repository.

    :raises AdminError: those of the database
    """
    files = {path: _text(path) for path in (layout.configuration, layout.settings)}
    running = embedded.status(instance).running
    archiving = False
    if running:
        with connect(embedded.superuser_address(instance, settings)) as connection:
            archiving = archiver(connection).enabled
    return PhysicalFacts(files, running, archiving, _stanza(layout, program))


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


def _stanza(layout: PhysicalLayout, program: Path) -> bool:
    if not layout.configuration.is_file() or not layout.repository.is_dir():
        return False
    try:
        return PgBackRest(program, layout.configuration).catalog().exists
    except AdminError:
        # Whatever is wrong with it, making the stanza tells.
        return False
