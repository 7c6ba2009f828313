"""Proves a snapshot: reads all of it again, restores the dump into a throwaway database and reconciles the two."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.backups import parts, rows
from omeroadmin.backups.faults import Fault, FaultList
from omeroadmin.backups.manifest import MANIFEST_NAME, read_manifest
from omeroadmin.backups.reconcile import Tally, reconcile
from omeroadmin.backups.snapshot import Snapshot, manifest_path
from omeroadmin.backups.store import Verification, find_snapshot, record_verification
from omeroadmin.backups.target import Target
from omeroadmin.backups.verify import Read, check_parts, check_pool
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.dump import restore, scratch_cluster
from omeroadmin.database.programs import Programs, client_programs
from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import monotonic, utc_now
from omeroadmin.system.sockets import port_is_free

_FIRST_PORT = 26000
_LAST_PORT = 32767
"""Below the range that the kernel hands out to clients."""
_ATTEMPTS = 5


@dataclass(frozen=True)
class VerifyWish:
    """What was asked for.

    :param target: directory with snapshots
    :param snapshot: id, the beginning of one, or ``latest``
    :param jobs: threads that read, connections that restore
    :param temporary: where the throwaway database may be made; by default the system's temporary directory
    """

    target: Path
    settings: Settings
    snapshot: str = "latest"
    jobs: int = 2
    temporary: Path | None = None


@dataclass(frozen=True)
class Verified:
    """The outcome.

    :param fault_count: how many faults were found
    :param faults: the first of them
    """

    snapshot: Snapshot
    record: Verification
    fault_count: int
    faults: tuple[Fault, ...]

    @property
    def succeeded(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault_count == 0


def verify_backup(wish: VerifyWish) -> Verified:
    """Verify a snapshot and record a success in it.

    :raises AdminError: ``backup-target-missing``, ``snapshot-unknown``, ``snapshot-ambiguous``, ``snapshot-damaged``,
        ``postgresql-too-old``, ``database-as-root``
    """
    began = monotonic()
    target, snapshot = find_snapshot(wish.target, wish.snapshot)
    faults, read, tally = FaultList(), Read(), Tally()
    damaged = list(check_parts(target, snapshot))
    faults.extend(damaged)
    faults.extend(_all_content(target, snapshot, read, wish.jobs))
    if not any(fault.path.startswith((parts.DATABASE, MANIFEST_NAME)) for fault in damaged):
        faults.extend(_reconciled(wish, target, snapshot, tally))
    record = Verification(utc_now().timestamp(), monotonic() - began, read.files, read.size, tally.rows)
    record_verification(target, snapshot.id, record if faults.count == 0 else None)
    return Verified(snapshot, record, faults.count, tuple(faults.kept))


def _all_content(target: Target, snapshot: Snapshot, read: Read, jobs: int) -> Iterator[Fault]:
    try:
        yield from check_pool(target, snapshot, read, jobs=jobs)
    except AdminError as error:
        yield Fault(
            error.code, MANIFEST_NAME, error.message, str(manifest_path(target.snapshot_directory(snapshot.id)))
        )


def _reconciled(wish: VerifyWish, target: Target, snapshot: Snapshot, tally: Tally) -> Iterator[Fault]:
    directory = target.snapshot_directory(snapshot.id)
    major = int(snapshot.versions["postgresql"].partition(".")[0])
    programs = client_programs(wish.settings, server_major=major)
    with (
        tempfile.TemporaryDirectory(prefix="omero-verify-", dir=wish.temporary) as scratch,
        _scratch(programs, Path(scratch) / "postgresql") as address,
    ):
        try:
            restore(address, programs, directory / parts.DATABASE, jobs=wish.jobs)
        except AdminError as error:
            if error.code != "restore-failed":
                raise
            yield Fault("dump-unrestorable", parts.DATABASE, error.message, str(directory / parts.DATABASE))
            return
        with connect(address) as connection:
            yield from rows.unknown_repositories(connection, snapshot.repositories)
            named = rows.named_files(connection, snapshot.repositories)
            yield from reconcile(named, read_manifest(manifest_path(directory)), tally)


@contextlib.contextmanager
def _scratch(programs: Programs, directory: Path) -> Iterator[DatabaseAddress]:
    """A throwaway cluster; between finding a free port and using it another process may take it."""
    with contextlib.ExitStack() as stack:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                address = stack.enter_context(scratch_cluster(programs, directory, _free_port()))
                break
            except AdminError as error:
                if error.code not in ("port-taken", "database-not-started") or attempt == _ATTEMPTS:
                    raise
        yield address


def _free_port() -> int:
    """A port by chance, so that verifications at the same time don't want the same one."""
    for _ in range(1000):
        port = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT)
        if port_is_free(port, "127.0.0.1"):
            return port
    raise configuration_error("database-port-taken", f"no port between {_FIRST_PORT} and {_LAST_PORT} is free")
