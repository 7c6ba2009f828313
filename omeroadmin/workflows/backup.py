"""Takes a snapshot of a running or stopped server, and proves that it is one.

The database comes first, the files after it: a file that is imported meanwhile is surplus, which harms nobody. Then
every file that the dump names is looked for among those saved. So no server needs to stop, and yet it is known
whether database and files fit. Files of what is deleted meanwhile stay until the end, because removals are held up.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Protocol

from omeroadmin.backups import parts, rows
from omeroadmin.backups.collect import Collected
from omeroadmin.backups.engines.engine import Engine, Sources
from omeroadmin.backups.faults import Fault, FaultList
from omeroadmin.backups.keys import Seal
from omeroadmin.backups.manifest import (
    MANIFEST_NAME,
    Checksum,
    file_checksum,
    read_lines,
    read_manifest,
    write_manifest,
)
from omeroadmin.backups.newcomers import without_newcomers
from omeroadmin.backups.reconcile import Tally, reconcile
from omeroadmin.backups.scan import Found
from omeroadmin.backups.sealing import seal_tree
from omeroadmin.backups.snapshot import Snapshot, manifest_path
from omeroadmin.backups.store import newest_snapshot
from omeroadmin.backups.target import PRIVATE, new_id, remove
from omeroadmin.backups.walking import Walker, walking
from omeroadmin.database.connection import DatabaseAddress
from omeroadmin.database.holds import Hold, hold_removals
from omeroadmin.errors import AdminError
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files
from omeroadmin.system.clock import utc_now
from omeroadmin.system.garbage import seldom_collected
from omeroadmin.system.interrupts import endings_interrupt
from omeroadmin.system.priority import give_way
from omeroadmin.system.scratch import scratch_directory
from omeroadmin.workflows.backup_database import SavedDatabase, SavingDatabase, saving_database
from omeroadmin.workflows.backup_keys import refuse_key_inside, seal_for
from omeroadmin.workflows.backup_known import refuse_emptied, remember_target
from omeroadmin.workflows.backup_record import note_facts
from omeroadmin.workflows.backup_scope import (
    Scope,
    database_up,
    refuse_inside,
    scope_of,
)
from omeroadmin.workflows.backup_target import open_target

ROWS_NAME = "rows.jsonl.zst"
"""The rows of the database while a run needs them."""

_FULL = ("backup-not-written", "file-not-written", "dump-failed")
"""What a full target may be called, by the part that meets it."""

_CLOCK_GRAIN_NS = 2_000_000_000
"""Files this young when a run began are read again by the next: some file systems count in seconds."""


@dataclass(frozen=True)
class BackupWish:
    """What was asked for.

    :param target: ``None``: as ``omero.backup.target`` says
    :param tag: the admin's own words
    :param jobs: connections that dump, threads or processes that copy
    :param certificates: whether private keys are saved as well
    :param encrypt_to: public keys of age, or files of them, for whom dump, configuration and private keys are sealed
    :param passphrase_file: its first line seals them as well; with neither, it is as ``omero.backup.encryption`` says
    :param limit: bytes a second that are read of the files; 0: as fast as it goes
    :param gentle: whether this process gives way to all others from now on
    :param physical: kind of the physical backup that is taken with it: ``auto``, or one of pgBackRest's; ``None``: none
    :param new_target: whether a target that had snapshots and holds none now is begun anew
    """

    instance: Instance
    settings: Settings
    target: str | Path | None = None
    tag: str = ""
    jobs: int = 2
    certificates: bool = True
    encrypt_to: tuple[str, ...] = ()
    passphrase_file: Path | None = None
    limit: int = 0
    gentle: bool = False
    physical: str | None = None
    new_target: bool = False


class BackupListener(Protocol):
    """Whoever watches a backup."""

    def begins(self, part: str, size: int = 0) -> None:
        """A part begins; so many bytes are expected, 0 where nobody knows."""
        ...

    def passes(self, size: int) -> None:
        """A file of this size is next."""
        ...


@dataclass
class _Run:
    """A snapshot in the making.

    :param directory: the snapshot's own, as the target will have it
    :param seal: ``None``: its parts are in the clear
    :param work: where its parts are made: the same, or another one where they are to be sealed
    :param rows: the rows put aside
    """

    wish: BackupWish
    scope: Scope
    engine: Engine
    id: str
    directory: Path
    seal: Seal | None
    work: Path
    rows: Path
    started: float
    listener: BackupListener | None
    faults: FaultList = field(default_factory=FaultList)
    warnings: FaultList = field(default_factory=FaultList)
    tally: Tally = field(default_factory=Tally)
    physical: dict[str, str] = field(default_factory=dict)


def create_backup(wish: BackupWish, listener: BackupListener | None = None) -> Snapshot:
    """Take a snapshot. One that isn't consistent is kept, and says so.

    :param listener: is told how far it has come
    :raises AdminError: ``backup-target-unset``, ``backup-target-inside``, ``backup-target-occupied``,
        ``backup-target-emptied``, ``locked``, ``removals-busy``, ``backup-not-written``, ``database-empty``, those of
        the database, and as :func:`omeroadmin.workflows.backup_physical.back_up_physically`
    """
    if wish.gentle:
        give_way()
    seal = seal_for(wish.settings, wish.encrypt_to, wish.passphrase_file)
    scope = scope_of(wish.instance, wish.settings, certificates=wish.certificates, keys_apart=seal is not None)
    refuse_key_inside(wish.settings, wish.passphrase_file, scope.roots)
    with open_target(wish.settings, wish.target, wish.instance.temporary_directory) as engine:
        refuse_inside(engine, scope)
        if not wish.new_target:
            refuse_emptied(wish.instance, engine)
        engine.make()
        with endings_interrupt(), engine.locked(), _room_given_back(engine):
            moment = utc_now()
            snapshot_id = new_id(moment)
            with engine.begin(snapshot_id) as directory, _workplace(wish.instance, directory, seal) as (work, aside):
                started = moment.timestamp()
                run = _Run(wish, scope, engine, snapshot_id, directory, seal, work, aside, started, listener)
                snapshot = _take(run)
            note_facts(wish.instance, wish.settings, engine)
            remember_target(wish.instance, engine, snapshot_id)
    return snapshot


@contextlib.contextmanager
def _room_given_back(engine: Engine) -> Iterator[None]:
    """Where the target is full, contents that were brought in go as well: others may need the room.

    Else they stay, for the next run to find.
    """
    try:
        yield
    except AdminError as failure:
        if failure.code in _FULL:
            try:
                engine.remove([])
            except AdminError as second:
                failure.add_note(second.message)
        raise


@contextlib.contextmanager
def _workplace(instance: Instance, directory: Path, seal: Seal | None) -> Iterator[tuple[Path, Path]]:
    """Where the parts and the rows are; what is to be sealed never gets to the target in the clear."""
    if seal is None:
        yield directory, directory / ROWS_NAME
        return
    with scratch_directory(instance.temporary_directory, "omero-sealing") as scratch:
        work = scratch / "parts"
        files.make_directory(work, mode=PRIVATE)
        yield work, scratch / ROWS_NAME


def _save_configuration(run: _Run) -> None:
    """Save ``etc/``, and seal all parts; private keys are among them then, since the pool is in the clear."""
    parts.copy_configuration(run.wish.instance.etc, run.work)
    if run.seal is None:
        return
    if run.scope.keys is not None:
        parts.copy_tree(run.scope.keys, run.work)
    seal_tree(run.work, run.directory, run.seal)
    # A dump may be large, and the room is wanted.
    remove(run.work)


def _take(run: _Run) -> Snapshot:
    """All that happens between an empty directory and a snapshot.

    The database stays up, and removals are held, from before the dump until the last file is saved. The dump goes on
    beside the files: its snapshot is older than the first look at any of them.
    """
    wish = run.wish
    with (
        seldom_collected(),
        walking() as walker,
        database_up(wish.instance, wish.settings),
        hold_removals(DatabaseAddress.from_settings(wish.settings)) as hold,
    ):
        _begins(run, "database")
        sealed = run.seal is not None
        if wish.physical is not None:
            run.physical = _back_up_physically(run, sealed=sealed)
        saving = saving_database(
            wish.settings, run.scope, run.work, run.rows, jobs=wish.jobs, begun=lambda: _begin_walk(run, walker)
        )
        with saving as database:
            run.faults.extend(database.known.faults)
            if sealed:
                database.finish()
            _save_configuration(run)
            collected, lines = _save_files(run, walker, database)
            database.finish()
            run.warnings.extend(database.warnings)
        _check_hold(run, hold)
    _begins(run, "reconciliation")
    _reconcile(run)
    return _finish(run, database.known, collected, lines)


def _back_up_physically(run: _Run, *, sealed: bool) -> dict[str, str]:
    from omeroadmin.workflows.backup_physical import back_up_physically

    return back_up_physically(run.wish.instance, run.wish.settings, run.engine, run.wish.physical, sealed=sealed)


def _begins(run: _Run, part: str, size: int = 0) -> None:
    if run.listener is not None:
        run.listener.begins(part, size)


def _watched(found: Iterator[Found], listener: BackupListener | None) -> Iterator[Found]:
    """The same; nobody is asked for each of a million files where nobody watches."""
    if listener is None:
        return found

    def passing() -> Iterator[Found]:
        for item in found:
            listener.passes(item.size)
            yield item

    return passing()


def _beside(walked: Iterator[list[Found]], database: SavingDatabase) -> Iterator[list[Found]]:
    """The same; a dump that fails ends the walk, and one that has ended ends its transaction."""
    for together in walked:
        database.look()
        yield together


def _check_hold(run: _Run, hold: Hold) -> None:
    """No fault in itself: the reconciliation finds out whether a file is missing."""
    if not hold.lasts():
        message = "the database server was stopped or restarted meanwhile, so that files of deleted data may be missing"
        run.warnings.add(Fault("hold-lost", parts.DATABASE, message))


def _begin_walk(run: _Run, walker: Walker) -> None:
    walker.begin(run.scope.roots, never=[] if run.engine.local is None else [run.engine.local])


def _save_files(run: _Run, walker: Walker, database: SavingDatabase) -> tuple[Collected, int]:
    """Save what the walker, which is at it, finds."""
    result, lines = _collected(run, walker, database, thorough=False)
    if result.absent:
        # The target has lost contents that the previous manifest names: now each is asked for, and copied again.
        _begin_walk(run, walker)
        result, lines = _collected(run, walker, database, thorough=True)
    run.faults.take_over(result.faults)
    run.warnings.take_over(result.warnings)
    return result, lines


def _collected(run: _Run, walker: Walker, database: SavingDatabase, *, thorough: bool) -> tuple[Collected, int]:
    engine, previous, result = run.engine, newest_snapshot(run.engine), Collected()
    _begins(run, "files", 0 if previous is None else previous.size)
    known = without_newcomers(_beside(walker.found(), database), database.known.highest_ids)
    found = _watched(chain.from_iterable(known), run.listener)
    with contextlib.ExitStack() as stack:
        before: Iterator[bytes] = iter(())
        trusted_until_ns = 0
        if previous is not None:
            directory = stack.enter_context(engine.parts(previous.id, only=(MANIFEST_NAME,)))
            before = _readable(manifest_path(directory), previous)
            trusted_until_ns = int(previous.started * 1e9) - _CLOCK_GRAIN_NS
        sources = Sources(
            found,
            before,
            trusted_until_ns,
            run.scope.has_recorded_hash,
            jobs=run.wish.jobs,
            roots=run.scope.roots,
            thorough=thorough,
            limit=run.wish.limit,
        )
        # What copies has come to an end before anybody removes what it has left.
        entries = stack.enter_context(contextlib.closing(engine.collect(run.id, sources, result)))
        lines = write_manifest(manifest_path(run.directory), entries)
    return result, lines


def _readable(manifest: Path, previous: Snapshot) -> Iterator[bytes]:
    """Lines of the previous manifest; none if it isn't what it was: then all files are read again."""
    try:
        if file_checksum(manifest) != previous.manifest_checksum:
            return iter(())
    except AdminError:
        return iter(())
    return read_lines(manifest)


def _reconcile(run: _Run) -> None:
    entries = read_manifest(manifest_path(run.directory))
    run.faults.extend(reconcile(rows.take_up(run.rows), entries, run.tally))
    run.rows.unlink()


def _finish(run: _Run, database: SavedDatabase, collected: Collected, lines: int) -> Snapshot:
    sums: dict[str, Checksum] = parts.part_checksums(run.directory)
    snapshot = Snapshot(
        id=run.id,
        tag=run.wish.tag,
        started=run.started,
        finished=utc_now().timestamp(),
        consistent=run.faults.count == 0,
        files=collected.files,
        directories=collected.directories,
        size=collected.size,
        read_files=collected.read_files,
        copied_files=collected.copied_files,
        copied_bytes=collected.copied_bytes,
        rows=run.tally.rows,
        manifest_lines=lines,
        manifest_checksum=file_checksum(manifest_path(run.directory)),
        omerodir=str(run.wish.instance.omerodir),
        parts=sums,
        roots={root.name: str(root.directory) for root in run.scope.saved},
        repositories=database.repositories,
        versions=database.versions,
        physical=run.physical,
        database=database.names,
        sealed_to=() if run.seal is None else run.seal.names,
        fault_count=run.faults.count,
        faults=tuple(run.faults.kept),
        warnings=tuple(run.warnings.kept),
    )
    run.engine.finish(run.directory, snapshot)
    return snapshot
