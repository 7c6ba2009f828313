"""Takes the samples of an instance's metrics. A part that can't be reached is a value of 0, not a failure."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from omeroadmin.certificates.expiry import certificate_expiry
from omeroadmin.database import eventlog
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.grid.driver import driver_for
from omeroadmin.grid.model import ServerState, State
from omeroadmin.metrics import families
from omeroadmin.metrics.families import Family, Sample
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import utc_now
from omeroadmin.version import VERSION
from omeroadmin.workflows.backup_record import known_facts
from omeroadmin.workflows.logs import log_facts

if TYPE_CHECKING:
    from psycopg import Connection

_STATEMENT_TIMEOUT_MS = 10_000

_REPOSITORY_SIZE = "SELECT coalesce(sum(size), 0) FROM originalfile WHERE id IN (SELECT originalfile FROM filesetentry)"
_COUNTS: tuple[tuple[Family, str], ...] = (
    (families.DATABASE_SIZE, "SELECT pg_database_size(current_database())"),
    (families.IMAGES, "SELECT count(*) FROM image"),
    (families.GROUPS, "SELECT count(*) FROM experimentergroup"),
    (families.SESSIONS, "SELECT count(*) FROM session WHERE closed IS NULL"),
    (families.REPOSITORY_SIZE, _REPOSITORY_SIZE),
)
# Who may log in is in the group "user", whose id is 1.
_USERS = """
    SELECT id IN (SELECT child FROM groupexperimentermap WHERE parent = 1) AS active, count(*)
    FROM experimenter GROUP BY active
"""

Collector = Callable[[Instance, Settings], Iterator[Sample]]


def collect_samples(instance: Instance) -> list[Sample]:
    """All samples of an instance.

    :raises AdminError: only where the configuration itself can't be read
    """
    settings = load_settings(instance)
    samples = [Sample(families.BUILD_INFO, 1, (VERSION,)), Sample(families.TAKEN, utc_now().timestamp())]
    for name, collector in COLLECTORS.items():
        taken: list[Sample] = []
        try:
            taken.extend(collector(instance, settings))
        except (AdminError, OSError):
            # What was taken before the failure is true all the same, and omero_collector_success tells the rest.
            success = 0
        else:
            success = 1
        samples += [*taken, Sample(families.PART_UP, success, (name,))]
    given = {sample.family for sample in samples}
    samples += [Sample(family, 0) for family in (families.UP, families.DATABASE_UP) if family not in given]
    return samples


def grid_samples(instance: Instance, settings: Settings) -> Iterator[Sample]:
    """Node and servers."""
    state = driver_for(instance, settings).state()
    needed = [server for server in state.servers if server.always and (server.enabled or server.has_failed)]
    yield Sample(families.UP, float(state.running and all(server.is_active for server in needed)))
    for server in state.servers:
        yield from _server_samples(server)


def _server_samples(server: ServerState) -> Iterator[Sample]:
    yield Sample(families.SERVER_UP, float(server.is_active), (server.id,))
    yield Sample(families.SERVER_ENABLED, float(server.enabled), (server.id,))
    started = None if server.pid is None else _start_time(server.pid)
    if started is not None:
        yield Sample(families.SERVER_STARTED, started, (server.id,))
    for state in State:
        yield Sample(families.SERVER_STATE, float(server.state == state), (server.id, str(state)))


def _start_time(pid: int) -> float | None:
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        # It ended since the node was asked.
        return None


def database_samples(instance: Instance, settings: Settings) -> Iterator[Sample]:  # noqa: ARG001
    """Counts that the database knows, a statement each."""
    import psycopg

    with connect(DatabaseAddress.from_settings(settings), autocommit=True) as connection:
        yield Sample(families.DATABASE_UP, 1)
        try:
            connection.execute(f"SET statement_timeout = {_STATEMENT_TIMEOUT_MS}")
            for family, statement in _COUNTS:
                yield Sample(family, _number(connection, statement))
            lag = eventlog.last_entry(connection) - eventlog.indexed_position(connection)
            yield Sample(families.INDEXER_LAG, max(0, lag))
            counts = {bool(row[0]): float(row[1]) for row in connection.execute(_USERS)}
        except psycopg.Error as error:
            raise failed_error("database-refused", str(error)) from error
    for active in (True, False):
        yield Sample(families.USERS, counts.get(active, 0), ("1" if active else "0",))


def _number(connection: Connection[Any], statement: str) -> float:
    row = connection.execute(statement).fetchone()
    return float(row[0]) if row is not None else 0.0


def certificate_samples(instance: Instance, settings: Settings) -> Iterator[Sample]:  # noqa: ARG001
    """When the certificate ends."""
    found = certificate_expiry(settings)
    if found is not None:
        yield Sample(families.CERTIFICATE_EXPIRY, found.not_after.timestamp())


def backup_samples(instance: Instance, settings: Settings) -> Iterator[Sample]:
    """What the backup target holds."""
    facts = known_facts(instance, settings)
    if facts is None:
        return
    yield Sample(families.BACKUP_SNAPSHOTS, facts.snapshots)
    if facts.last_success is not None:
        yield Sample(families.BACKUP_SUCCESS, facts.last_success)
        yield Sample(families.BACKUP_DURATION, facts.seconds)
        yield Sample(families.BACKUP_SIZE, facts.size)
        yield Sample(families.BACKUP_COPIED, facts.copied_bytes)
        yield Sample(families.BACKUP_FILES, facts.files)
    if facts.verified is not None:
        yield Sample(families.BACKUP_VERIFIED, facts.verified)
    if facts.drilled is not None and facts.restore_seconds is not None:
        yield Sample(families.BACKUP_DRILL, facts.drilled)
        yield Sample(families.BACKUP_DRILL_RESTORE, facts.restore_seconds)


def log_samples(instance: Instance, settings: Settings) -> Iterator[Sample]:  # noqa: ARG001
    """Errors and warnings in the logs."""
    for log in log_facts(instance):
        if log.size is not None:
            yield Sample(families.LOG_ERRORS, log.errors, (log.name,))
            yield Sample(families.LOG_WARNINGS, log.warnings, (log.name,))


def disk_samples(instance: Instance, settings: Settings) -> Iterator[Sample]:  # noqa: ARG001
    """Room for data."""
    usage = shutil.disk_usage(settings.data_directory)
    yield Sample(families.DISK_FREE, usage.free)
    yield Sample(families.DISK_SIZE, usage.total)


COLLECTORS: dict[str, Collector] = {
    "grid": grid_samples,
    "database": database_samples,
    "certificate": certificate_samples,
    "backup": backup_samples,
    "logs": log_samples,
    "disk": disk_samples,
}
"""The parts of the metrics, by the name that omero_collector_success gives them."""
