"""Proves a snapshot: reads it again; if wanted, restores its dump to a throwaway database and reconciles the two."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.backups import parts, rows
from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.faults import Fault, FaultList
from omeroadmin.backups.keys import NO_KEYS, Keys
from omeroadmin.backups.manifest import MANIFEST_NAME, Entry, read_manifest
from omeroadmin.backups.reconcile import Tally, reconcile
from omeroadmin.backups.sealing import identities_for, opened
from omeroadmin.backups.snapshot import Snapshot, manifest_path
from omeroadmin.backups.store import Verification, record_verification, using_snapshot
from omeroadmin.backups.verify import Read, check_parts
from omeroadmin.database.cluster import LOOPBACK
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.dump import restore, scratch_cluster
from omeroadmin.database.programs import Programs, client_programs
from omeroadmin.errors import AdminError
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import monotonic, utc_now
from omeroadmin.system.interrupts import endings_interrupt
from omeroadmin.system.scratch import scratch_directory
from omeroadmin.system.sockets import unused_ports
from omeroadmin.workflows.backup_physical import check_physical
from omeroadmin.workflows.backup_record import note_facts
from omeroadmin.workflows.backup_target import open_target

KIND = "omero-verify"
"""Beginning of the names of scratch directories."""
_ATTEMPTS = 5
_UNREAD = ("part-missing", "part-unreadable")
"""What a manifest is called that nobody needs to be told of twice."""


@dataclass(frozen=True)
class VerifyWish:
    """What was asked for.

    :param target: ``None``: as ``omero.backup.target`` says
    :param snapshot: id, the beginning of one, or ``latest``
    :param jobs: processes or threads that read, connections that restore
    :param keys: what opens a sealed dump
    :param deep: whether the dump is restored and reconciled with the manifest, which needs PostgreSQL's programs
    :param sample: the part of the contents to read, chosen by chance each time; 1.0 for all
    :param temporary: where the throwaway database and what comes from elsewhere are put; by default the system's
        temporary directory
    :param instance: whose monitoring is told; ``None``: nobody's
    """

    target: str | Path | None
    settings: Settings
    snapshot: str = "latest"
    jobs: int = 2
    temporary: Path | None = None
    instance: Instance | None = None
    keys: Keys = NO_KEYS
    deep: bool = False
    sample: float = 1.0


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
        ``postgresql-too-old``, ``database-as-root``, ``backup-key-missing``,
        ``pgbackrest-missing``
    """
    began = monotonic()
    faults, read, tally = FaultList(), Read(), Tally()
    with (
        open_target(wish.settings, wish.target, wish.temporary) as engine,
        using_snapshot(engine, wish.snapshot) as snapshot,
    ):
        with engine.parts(snapshot.id) as directory:
            damaged = list(check_parts(directory, snapshot, engine.place(snapshot.id)))
            faults.extend(damaged)
            if wish.deep and snapshot.sealed_to:
                _require_key(wish, snapshot, directory, whole=not damaged)
            if not any(fault.path == MANIFEST_NAME and fault.code in _UNREAD for fault in damaged):
                faults.extend(_content(engine, snapshot, directory, read, wish))
            if wish.deep and not any(fault.path.startswith((parts.DATABASE, MANIFEST_NAME)) for fault in damaged):
                faults.extend(_reconciled(wish, engine, snapshot, directory, tally))
        faults.extend(check_physical(engine, snapshot, thorough=wish.sample >= 1.0))
        seconds = monotonic() - began
        record = Verification(utc_now().timestamp(), seconds, read.files, read.size, tally.rows, wish.deep, wish.sample)
        record_verification(engine, snapshot.id, record if faults.count == 0 else None)
        if wish.instance is not None:
            note_facts(wish.instance, wish.settings, engine)
    return Verified(snapshot, record, faults.count, tuple(faults.kept))


def _require_key(wish: VerifyWish, snapshot: Snapshot, directory: Path, *, whole: bool) -> None:
    """Tell that a key is missing or wrong before everything is read."""
    if whole:
        with opened(directory, snapshot, wish.keys, only=[parts.CONFIGURATION], temporary=wish.temporary):
            return
    identities_for(directory, snapshot, wish.keys)


def _content(engine: Engine, snapshot: Snapshot, directory: Path, read: Read, wish: VerifyWish) -> Iterator[Fault]:
    entries = read_manifest(manifest_path(directory))
    try:
        yield from engine.check(snapshot, _sampled(entries, wish.sample), read, jobs=wish.jobs)
    except AdminError as error:
        if error.code not in ("manifest-damaged", "file-not-read"):
            raise
        yield Fault(error.code, MANIFEST_NAME, error.message, f"{engine.place(snapshot.id)}/{MANIFEST_NAME}")


def _sampled(entries: Iterator[Entry], sample: float) -> Iterator[Entry]:
    """Others each time, so that daily samples get round to everything."""
    if sample >= 1.0:
        return entries
    return (entry for entry in entries if random.random() < sample)  # noqa: S311 - nobody gains by guessing


def _reconciled(wish: VerifyWish, engine: Engine, snapshot: Snapshot, directory: Path, tally: Tally) -> Iterator[Fault]:
    major = int(snapshot.versions["postgresql"].partition(".")[0])
    programs = client_programs(wish.settings, server_major=major, whole=True)
    with (
        endings_interrupt(),
        scratch_directory(wish.temporary or Path(tempfile.gettempdir()), KIND) as scratch,
        _scratch(programs, scratch / "postgresql") as address,
    ):
        try:
            with opened(directory, snapshot, wish.keys, only=[parts.DATABASE], temporary=scratch) as clear:
                restore(address, programs, clear / parts.DATABASE, jobs=wish.jobs)
        except AdminError as error:
            if error.code not in ("restore-failed", "part-damaged"):
                raise
            yield Fault(
                "dump-unrestorable", parts.DATABASE, error.message, f"{engine.place(snapshot.id)}/{parts.DATABASE}"
            )
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
                address = stack.enter_context(scratch_cluster(programs, directory, *unused_ports(1, LOOPBACK)))
                break
            except AdminError as error:
                if error.code not in ("port-taken", "database-not-started") or attempt == _ATTEMPTS:
                    raise
        yield address
