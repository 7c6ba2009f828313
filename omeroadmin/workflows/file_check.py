"""Looks whether the files that the database names are there and as they were recorded: ``omero fs check``.

The check goes by ids and writes down how far it is, so that one that was broken off goes on where it stopped.
"""

from __future__ import annotations

import json
import secrets
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.database import recorded
from omeroadmin.database.connection import DatabaseAddress, check_version, connect
from omeroadmin.database.recorded import FileOwner, FileRow
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import AdminError
from omeroadmin.repository.file_faults import FaultKind, FileFault, Recorded, file_fault
from omeroadmin.repository.layout import original_file_path
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files, locks
from omeroadmin.system.pace import Pace
from omeroadmin.workflows.backup_scope import database_up
from omeroadmin.workflows.cleanse_scope import Scope, find_scope
from omeroadmin.workflows.reporter import SILENT, Reporter

if TYPE_CHECKING:
    from psycopg import Connection

_STATE = "fs-check.json"
_FAULTS = "fs-check.faults.jsonl"
_SAVE_SECONDS = 2.0


@dataclass(frozen=True)
class FileCheckWish:
    """What was asked for.

    :param directory: data directory; ``None``: as ``omero.data.dir`` says
    :param checksums: whether files are read
    :param sample: share of the files that are read, 0 to 1; all are looked at
    :param limit: bytes a second that are read at most; 0: no limit
    :param restart: whether a check that was broken off begins anew
    """

    instance: Instance
    settings: Settings
    directory: Path | None = None
    checksums: bool = False
    sample: float = 1.0
    limit: int = 0
    restart: bool = False


@dataclass(frozen=True)
class FaultyFile:
    """A file that isn't what was recorded.

    :param path: where it should be
    :param kind: of :class:`FaultKind`
    :param images: ids of the images that came with it
    """

    file_id: int
    path: str
    kind: str
    problem: str
    size: int | None
    user: str
    group: str
    fileset: int | None
    images: tuple[int, ...]


@dataclass
class Progress:
    """How far a check is.

    :param after: the last id that is done
    :param read: bytes that were read
    :param changed: files that changed or went while they were looked at
    :param seed: chooses the sample
    """

    options: dict[str, Any]
    after: int = -1
    files: int = 0
    hashed: int = 0
    read: int = 0
    faulty: int = 0
    changed: int = 0
    seed: int = field(default_factory=lambda: secrets.randbits(32))
    faults_length: int = 0


@dataclass(frozen=True)
class FileCheck:
    """The outcome of a check.

    :param progress: its figures
    :param continued: whether it went on with one that was broken off
    :param faults_file: a line of JSON for each faulty file
    """

    progress: Progress
    continued: bool
    seconds: float
    faults_file: Path

    def faults(self) -> Iterator[FaultyFile]:
        """The faulty files, in the order of their ids.

        :raises AdminError: ``file-not-read``
        """
        try:
            with self.faults_file.open("rb") as stream:
                for line in stream:
                    values = json.loads(line)
                    yield FaultyFile(**{**values, "images": tuple(values["images"])})
        except FileNotFoundError:
            return
        except OSError as error:
            raise files.file_error("read", self.faults_file, error) from error


@dataclass
class _Run:
    wish: FileCheckWish
    scope: Scope
    connection: Connection[Any]
    progress: Progress
    reporter: Reporter
    total_files: int = 0
    total_bytes: int = 0
    begun: float = field(default_factory=time.monotonic)
    read_before: int = 0
    done_before: int = 0

    @property
    def state(self) -> Path:
        return self.wish.instance.var / _STATE

    @property
    def faults_file(self) -> Path:
        return self.wish.instance.var / _FAULTS


def check_files(wish: FileCheckWish, reporter: Reporter = SILENT) -> FileCheck:
    """Look at all files that rows name; one check at a time.

    :raises AdminError: ``locked``, ``file-not-written``, and as :func:`find_scope`
    """
    begun = time.monotonic()
    wish.instance.var.mkdir(mode=0o700, exist_ok=True)
    lock = wish.instance.var / f".{_STATE}.lock"
    with locks.exclusive(lock, what="the check of files", timeout=2.0), database_up(wish.instance, wish.settings):
        address = DatabaseAddress.from_settings(wish.settings)
        with connect(address, autocommit=True) as connection:
            check_version(connection, SchemaVersion.from_settings(wish.settings))
            scope = find_scope(connection, wish.settings, wish.directory)
            progress, continued = _begin(wish, scope)
            run = _Run(wish, scope, connection, progress, reporter)
            if continued:
                reporter.say(f"going on after originalfile {progress.after}; --restart begins anew")
            _check_all(run)
            run.state.unlink(missing_ok=True)
    return FileCheck(progress, continued, time.monotonic() - begun, run.faults_file)


def _begin(wish: FileCheckWish, scope: Scope) -> tuple[Progress, bool]:
    """The progress of the last check, if it was broken off and meant the same; else a new one."""
    options = {
        "data": str(scope.data),
        "database": scope.database_uuid,
        "checksums": wish.checksums,
        "sample": wish.sample,
    }
    state, faults = wish.instance.var / _STATE, wish.instance.var / _FAULTS
    try:
        progress = Progress(**json.loads(state.read_bytes()))
        usable = not wish.restart and progress.options == options and faults.stat().st_size >= progress.faults_length
    except (OSError, ValueError, TypeError):
        usable = False
    if usable:
        with faults.open("r+b") as stream:
            stream.truncate(progress.faults_length)
        return progress, True
    state.unlink(missing_ok=True)
    files.write_atomically(faults, b"", mode=files.SECRET_MODE)
    return Progress(options), False


def _check_all(run: _Run) -> None:
    progress = run.progress
    run.total_files, run.total_bytes = recorded.count_files(run.connection, progress.after)
    run.read_before, run.done_before = progress.read, progress.files
    pace = Pace(run.wish.limit) if run.wish.limit else None
    saved = time.monotonic()
    while rows := recorded.next_files(run.connection, progress.after):
        faulty: list[tuple[FileRow, FileFault]] = []
        for row in rows:
            fault = _check_one(run, row, pace)
            if fault is not None:
                faulty.append((row, fault))
            progress.after = row.id
            progress.files += 1
            if time.monotonic() - saved > _SAVE_SECONDS:
                _save(run, faulty)
                faulty.clear()
                saved = time.monotonic()
                run.reporter.progress(_words(run))
        _save(run, faulty)


def _check_one(run: _Run, row: FileRow, pace: Pace | None) -> FileFault | None:
    progress = run.progress
    checksum = run.wish.checksums and _is_chosen(progress.seed, row.id, run.wish.sample)
    path: Path | None
    try:
        path = _path_of(run.scope, row)
    except AdminError as error:
        return FileFault(FaultKind.PATH, error.message)
    if path is None:
        return FileFault(FaultKind.REPOSITORY, f"it is in the repository {row.repo}, which is not here")

    def count(length: int) -> None:
        progress.read += length
        if pace is not None:
            pace.take(length)

    progress.hashed += checksum
    return file_fault(path, Recorded(row.size, row.hash, row.algorithm), checksum=checksum, on_read=count)


def _path_of(scope: Scope, row: FileRow) -> Path | None:
    if row.repo is None:
        return original_file_path(scope.data, row.id)
    roots = {scope.public_uuid: scope.data, scope.managed_uuid: scope.managed}
    root = roots.get(row.repo)
    return None if root is None else files.inside(root, f"{row.path}/{row.name}".lstrip("/"))


def _is_chosen(seed: int, file_id: int, share: float) -> bool:
    """Whether a file is of the sample; the same for one check, however often it is broken off."""
    return share >= 1.0 or zlib.crc32(f"{seed}:{file_id}".encode()) < share * 2**32


def _save(run: _Run, faulty: Sequence[tuple[FileRow, FileFault]]) -> None:
    """Write down the faults that are real, and how far the check is."""
    progress = run.progress
    real = _still_faulty(run, faulty)
    try:
        with run.faults_file.open("ab") as stream:
            stream.writelines(json.dumps(asdict(one)).encode() + b"\n" for one in real)
            stream.flush()
            progress.faults_length = stream.tell()
    except OSError as error:
        raise files.file_error("written", run.faults_file, error) from error
    progress.faulty += len(real)
    progress.changed += len(faulty) - len(real)
    files.write_atomically(run.state, json.dumps(asdict(progress)), mode=files.SECRET_MODE)


def _still_faulty(run: _Run, faulty: Sequence[tuple[FileRow, FileFault]]) -> list[FaultyFile]:
    """Without those whose row changed or went since it was read: of what is being deleted the file goes last."""
    if not faulty:
        return []
    ids = [row.id for row, _ in faulty]
    now = recorded.same_files(run.connection, ids)
    owners = recorded.owners(run.connection, ids)
    return [
        _faulty(run, row, fault, owners[row.id]) for row, fault in faulty if now.get(row.id) == row and row.id in owners
    ]


def _faulty(run: _Run, row: FileRow, fault: FileFault, owner: FileOwner) -> FaultyFile:
    try:
        place = str(_path_of(run.scope, row) or f"{row.repo}:{row.path}{row.name}")
    except AdminError:
        place = f"{row.path}{row.name}"
    return FaultyFile(
        row.id,
        place,
        fault.kind.value,
        fault.words,
        row.size,
        owner.user or "",
        owner.group or "",
        owner.fileset,
        tuple(owner.images),
    )


def _words(run: _Run) -> str:
    """A line of progress with the time that is left."""
    progress = run.progress
    seconds = max(time.monotonic() - run.begun, 0.001)
    files_done, read = progress.files - run.done_before, progress.read - run.read_before
    expected = run.total_bytes * run.wish.sample if run.wish.checksums else 0
    share = max(read / expected if expected else 0.0, 0.0 if expected else files_done / max(run.total_files, 1))
    line = f"{files_done} of {run.total_files} files"
    if run.wish.checksums:
        line += f", {read / 1e9:.1f} of {expected / 1e9:.1f} GB, {read / seconds / 1e6:.0f} MB/s"
    left = seconds / share - seconds if share > 0 else 0.0
    return f"{line}, {progress.faulty} faulty, {left / 60:.0f} min left"
