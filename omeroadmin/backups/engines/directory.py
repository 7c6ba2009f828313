"""Snapshots in a directory, local or mounted: manifests and a pool of whole files."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from omeroadmin.backups import target as layout
from omeroadmin.backups.checking import TOGETHER, checking
from omeroadmin.backups.collect import Collected, Collector
from omeroadmin.backups.copying import copying
from omeroadmin.backups.engines import sweep
from omeroadmin.backups.engines.engine import Content, InUse, Removed, Sources
from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import Entry
from omeroadmin.backups.pool import Pool
from omeroadmin.backups.snapshot import DOCUMENT_NAME, Snapshot, manifest_path, read_snapshot, write_snapshot
from omeroadmin.backups.target import PRIVATE, Target, is_id
from omeroadmin.backups.verify import Read, check_contents
from omeroadmin.errors import AdminError
from omeroadmin.system import files
from omeroadmin.system.pace import Pace

_CHUNK = 1 << 20


class DirectoryEngine:
    """A target in a directory.

    :param root: the directory, absolute
    """

    def __init__(self, root: Path) -> None:
        self._target = Target(root)

    @property
    def address(self) -> str:
        """The directory."""
        return str(self._target.root)

    @property
    def local(self) -> Path | None:
        """The directory."""
        return self._target.root

    def make(self) -> None:
        """See :class:`~omeroadmin.backups.engines.engine.Engine`, here and below."""
        layout.make_target(self._target.root)

    @contextlib.contextmanager
    def locked(self, *, timeout: float = 10.0) -> Iterator[None]:
        """Hold the lock of the directory."""
        layout.require_place(self._target.root)
        with layout.locked(self._target, timeout=timeout):
            yield

    def names(self) -> list[str]:
        """Directories with a document."""
        target = layout.require_target(self._target.root)
        try:
            entries = [entry for entry in target.snapshots.iterdir() if is_id(entry.name)]
        except OSError as error:
            raise files.file_error("read", target.snapshots, error) from error
        return sorted(entry.name for entry in entries if (entry / DOCUMENT_NAME).exists())

    def read(self, snapshot_id: str) -> Snapshot:
        """Read ``snapshot.json``."""
        return read_snapshot(self._target.snapshot_directory(snapshot_id))

    def place(self, snapshot_id: str) -> str:
        """Name the snapshot's directory."""
        return str(self._target.snapshot_directory(snapshot_id))

    @contextlib.contextmanager
    def using(self, ids: Sequence[str]) -> Iterator[None]:
        """Hold shared locks on the documents."""
        with layout.using(self._target, ids):
            yield

    @contextlib.contextmanager
    def begin(self, snapshot_id: str) -> Iterator[Path]:
        """Make the snapshot's directory, without a document as yet."""
        directory = self._target.snapshot_directory(snapshot_id)
        try:
            files.make_directory(directory, mode=PRIVATE)
            yield directory
        except BaseException as failure:
            try:
                layout.remove(directory)
                layout.remove_leftovers(self._target)
            except AdminError as second:
                # The next run removes what is left; what went wrong first is what the admin must know.
                failure.add_note(second.message)
            raise
        layout.remove_leftovers(self._target)

    def collect(self, snapshot_id: str, sources: Sources, result: Collected) -> Generator[Entry | bytes, None, None]:  # noqa: ARG002
        """Copy new contents into the pool."""
        pace = Pace(sources.limit)
        with copying(self._target, sources.jobs) as copiers:
            collector = Collector(
                Pool(self._target, pace),
                sources.previous,
                trusted_until_ns=sources.trusted_until_ns,
                with_sha1=sources.with_sha1,
                jobs=sources.jobs,
                result=result,
                stop=pace.stop,
                thorough=sources.thorough or self._target.suspect_file.exists(),
                # Processes can't share a limit.
                copy_many=None if sources.limit else copiers.copy,
            )
            yield from collector.entries(sources.found)

    def finish(self, directory: Path, snapshot: Snapshot) -> None:
        """Write the document. What was suspect has been looked at one by one."""
        write_snapshot(directory, snapshot)
        self._target.suspect_file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def parts(self, snapshot_id: str, only: Collection[str] = ()) -> Iterator[Path]:  # noqa: ARG002
        """Give the snapshot's directory itself."""
        yield self._target.snapshot_directory(snapshot_id)

    def contents(self, snapshot: Snapshot, entries: Iterable[Entry]) -> Iterator[Content]:  # noqa: ARG002
        """Open files of the pool, in the order of the entries."""
        pool = str(self._target.pool)
        for entry in entries:
            # A string: there may be millions.
            path = f"{pool}/{entry.blake3[:2]}/{entry.blake3}"
            try:
                stream = files.open_regular(path)
            except OSError as error:
                message = f"its content can't be read: {error.strerror}"
                yield Content(entry, None, path, Fault("content-missing", entry.path, message, path))
                continue
            with stream:
                yield Content(entry, _chunks(stream, entry.size), path)

    def check(self, snapshot: Snapshot, entries: Iterable[Entry], read: Read, *, jobs: int = 1) -> Iterator[Fault]:  # noqa: ARG002
        """Read files of the pool."""
        with checking(self._target, jobs) as check:
            for fault in check_contents(entries, check, read, jobs=jobs, together=TOGETHER):
                with contextlib.suppress(OSError):
                    # The next run mends what it can, and doesn't take a part of the pool for the whole.
                    self._target.suspect_file.touch(mode=files.SECRET_MODE)
                yield fault

    def remove(self, ids: Sequence[str], *, dry_run: bool = False) -> Removed:
        """Take snapshots away, then what no manifest names."""
        found = [InUse(name, layout.retire(self._target, name, dry_run=dry_run)) for name in ids]
        in_use = tuple(item for item in found if item.by)
        going = tuple(item.id for item in found if not item.by)
        manifests = [
            (manifest_path(self._target.snapshot_directory(name)), functools.partial(self.read, name))
            for name in self.names()
            if name not in going
        ]
        if not dry_run:
            layout.remove_leftovers(self._target)
        removed = sweep.sweep(going, manifests, sweep.DirectoryContents(self._target), dry_run=dry_run)
        return replace(removed, in_use=in_use)

    def record(self, snapshot_id: str, name: str, document: Mapping[str, Any] | None) -> None:
        """Write a file beside the document."""
        path = files.inside(self._target.snapshot_directory(snapshot_id), name)
        if document is not None:
            files.write_atomically(path, json.dumps(document) + "\n", mode=files.SECRET_MODE)
            return
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise files.file_error("removed", path, error) from error

    def recorded(self, snapshot_id: str, name: str) -> dict[str, Any] | None:
        """Read a file beside the document."""
        path = files.inside(self._target.snapshot_directory(snapshot_id), name)
        try:
            document = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    def close(self) -> None:
        """Nothing is held."""


def _chunks(stream: IO[bytes], size: int) -> Iterator[bytes]:
    # One byte more than there should be: what has grown is noticed. Room for a whole chunk would have to be cleared.
    while chunk := stream.read(min(size + 1, _CHUNK)):
        yield chunk
