"""Snapshots in a repository of restic or borg, which deduplicate and encrypt.

A snapshot consists of two archives: the contents of the files, under their real paths, and after it the parts with
the document. Where the second is, the snapshot exists. What was archived is compared with the manifest.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omeroadmin.backups.collect import Collected, Collector
from omeroadmin.backups.engines.archive_cache import ArchiveCache
from omeroadmin.backups.engines.archive_contents import checked, contents_of
from omeroadmin.backups.engines.archive_store import HashingStore
from omeroadmin.backups.engines.archiver import FILES, PARTS, RECORD, Archive, Archiver, Label, Wanted
from omeroadmin.backups.engines.engine import Content, InUse, Removed, Sources
from omeroadmin.backups.engines.places import PLACES_NAME, Locator, Places
from omeroadmin.backups.engines.staging import staging_directory
from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import Entry
from omeroadmin.backups.snapshot import DOCUMENT_NAME, Snapshot, parse_snapshot, write_snapshot
from omeroadmin.backups.target import PRIVATE, snapshot_gone
from omeroadmin.backups.verify import Read
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.system import files, locks
from omeroadmin.system.pace import Pace


class ArchiveEngine:
    """A target in a repository of another program.

    :param address: as it was named; without a password
    :param local: directory of the repository, if it is on this machine
    :param temporary: directory for what is on its way; ``None``: the system's
    """

    def __init__(self, address: str, archiver: Archiver, local: Path | None, temporary: Path | None) -> None:
        self.address = address
        self.local = local
        self._archiver = archiver
        self._temporary = temporary
        self._cache = ArchiveCache(address)
        self._archives: list[Archive] | None = None
        self._work: Path | None = None

    def make(self) -> None:
        """See :class:`~omeroadmin.backups.engines.engine.Engine`, here and below."""
        self._archiver.initialise()

    @contextlib.contextmanager
    def locked(self, *, timeout: float = 10.0) -> Iterator[None]:
        """Hold a lock of this machine; the programs have locks of their own against others."""
        with locks.exclusive(self._cache.lock_file, what=f"backup target {self.address}", timeout=timeout):
            self._archiver.settle()
            self._archives = None
            self._remove_leftovers()
            yield

    def _remove_leftovers(self) -> None:
        """Remove what killed runs of this machine left; another one may be at work."""
        archives = self._all()
        finished = {archive.label.snapshot for archive in archives if archive.label.kind == PARTS}
        left = [
            archive
            for archive in archives
            if archive.host == socket.gethostname()
            and (archive.label.snapshot not in finished or archive.label.kind.endswith(".checkpoint"))
        ]
        if left:
            self._delete(left)

    def _all(self) -> list[Archive]:
        if self._archives is None:
            self._archives = self._archiver.archives()
        return self._archives

    def _delete(self, archives: Sequence[Archive]) -> None:
        self._archives = None
        self._archiver.delete(archives)

    def _find(self, snapshot_id: str, kind: str) -> Archive | None:
        label = Label(snapshot_id, kind)
        return next((archive for archive in reversed(self._all()) if archive.label == label), None)

    def _require(self, snapshot_id: str, kind: str) -> Archive:
        archive = self._find(snapshot_id, kind)
        if archive is None:
            raise failed_error(
                "snapshot-damaged",
                f"{self.place(snapshot_id)} is damaged: its archive of {kind} is missing",
                "use another snapshot: omero backup list",
            )
        return archive

    def names(self) -> list[str]:
        """Snapshots whose parts are there."""
        return sorted({archive.label.snapshot for archive in self._all() if archive.label.kind == PARTS})

    def read(self, snapshot_id: str) -> Snapshot:
        """Fetch ``snapshot.json``, once per machine: archives don't change."""
        archive = self._require(snapshot_id, PARTS)
        content = self._cache.content(archive, lambda: self._archiver.content(archive, DOCUMENT_NAME))
        return parse_snapshot(content, f"{self.place(snapshot_id)}/{DOCUMENT_NAME}")

    def place(self, snapshot_id: str) -> str:
        """Name the repository and the snapshot."""
        return f"{self.address} {snapshot_id}"

    @contextlib.contextmanager
    def using(self, ids: Sequence[str]) -> Iterator[None]:
        """Leave marks on this machine; the programs lock a repository themselves, for the length of each call."""
        with contextlib.ExitStack() as stack:
            for name in ids:
                stack.enter_context(self._cache.reading(name))
            self._archives = None
            present = self.names()
            for name in ids:
                if name not in present:
                    raise snapshot_gone(name, self.address)
            yield

    @contextlib.contextmanager
    def begin(self, snapshot_id: str) -> Iterator[Path]:
        """Give a staging directory; archives that were made are deleted after a failure."""
        try:
            with staging_directory(self._temporary) as directory:
                self._work = directory / "work"
                for path in (self._work, directory / PARTS):
                    files.make_directory(path, mode=PRIVATE)
                yield directory / PARTS
        except BaseException as failure:
            try:
                self._archives = None
                made = [archive for archive in self._all() if archive.label.snapshot == snapshot_id]
                if made:
                    self._delete(made)
            except AdminError as second:
                # The next run removes what is left; what went wrong first is what the admin must know.
                failure.add_note(second.message)
            raise
        finally:
            self._work = None

    def collect(self, snapshot_id: str, sources: Sources, result: Collected) -> Generator[Entry | bytes, None, None]:
        """Hash what is new for the manifest, then let the program save all files, and compare."""
        pace = Pace(sources.limit)
        collector = Collector(
            HashingStore(pace),
            sources.previous,
            trusted_until_ns=sources.trusted_until_ns,
            with_sha1=sources.with_sha1,
            jobs=sources.jobs,
            result=result,
            stop=pace.stop,
        )
        if self._work is None:
            raise AssertionError("begin() comes first")
        with Places(self._work / "places") as places:
            for entry in collector.entries(places.noting(sources.found)):
                places.noted(entry)
                yield entry
            places.write_exceptions(self._work.parent / PARTS / PLACES_NAME, sources.roots)
            places.write_list(self._work / "list")
            wanted = Wanted(sources.roots, self._work / "list", self._previous_files(), sources.limit)
            self._archiver.save_files(Label(snapshot_id, FILES), wanted)
            self._archives = None
            places.compare(self._archiver.files(self._require(snapshot_id, FILES)))
            for _, missed in places.remaining():
                for entry in missed:
                    result.faults.add(
                        Fault("file-changing", entry.path, f"was not saved by {self.address} as it was read")
                    )

    def _previous_files(self) -> Archive | None:
        return next((archive for archive in reversed(self._all()) if archive.label.kind == FILES), None)

    def finish(self, directory: Path, snapshot: Snapshot) -> None:
        """Save the parts: with that, the snapshot exists."""
        write_snapshot(directory, snapshot)
        self._archives = None
        self._require(snapshot.id, FILES)
        self._archiver.save_directory(Label(snapshot.id, PARTS), directory)
        self._archives = None

    @contextlib.contextmanager
    def parts(self, snapshot_id: str, only: Collection[str] = ()) -> Iterator[Path]:
        """Fetch the parts."""
        with staging_directory(self._temporary) as directory:
            self._archiver.fetch(self._require(snapshot_id, PARTS), directory, only)
            yield directory

    def contents(self, snapshot: Snapshot, entries: Iterable[Entry]) -> Iterator[Content]:
        """Stream the archive of the files past those that are wanted."""
        with staging_directory(self._temporary) as directory, self.parts(snapshot.id, (PLACES_NAME,)) as parts:
            locator = Locator(parts / PLACES_NAME)
            with Places(directory / "places") as places:
                for entry in (entry for entry in entries if entry.is_file):
                    places.add(entry, locator.place(entry))
                archive = self._require(snapshot.id, FILES)
                yield from contents_of(self._archiver, archive, places, self.place(snapshot.id))

    def check(self, snapshot: Snapshot, entries: Iterable[Entry], read: Read, *, jobs: int = 1) -> Iterator[Fault]:  # noqa: ARG002
        """Stream the archive of the files and hash them here."""
        return checked(self.contents(snapshot, entries), read)

    def remove(self, ids: Sequence[str], *, dry_run: bool = False) -> Removed:
        """Delete the parts first, then all else."""
        with contextlib.ExitStack() as stack:
            found = [InUse(name, stack.enter_context(self._cache.claimed(name))) for name in ids]
            going = tuple(item.id for item in found if not item.by)
            if not dry_run:
                doomed = [archive for archive in self._all() if archive.label.snapshot in going]
                self._delete(sorted(doomed, key=lambda archive: archive.label.kind != PARTS))
            return Removed(going, in_use=tuple(item for item in found if item.by))

    def record(self, snapshot_id: str, name: str, document: Mapping[str, Any] | None) -> None:
        """Save the document in an archive of its own."""
        label = Label(snapshot_id, RECORD + name)
        earlier = [archive for archive in self._all() if archive.label == label]
        if document is not None:
            with staging_directory(self._temporary) as directory:
                files.write_atomically(directory / name, json.dumps(document) + "\n", mode=files.SECRET_MODE)
                self._archiver.save_directory(label, directory)
        if earlier:
            self._delete(earlier)
        self._archives = None

    def recorded(self, snapshot_id: str, name: str) -> dict[str, Any] | None:
        """Fetch the document."""
        archive = self._find(snapshot_id, RECORD + name)
        if archive is None:
            return None
        try:
            document = json.loads(self._cache.content(archive, lambda: self._archiver.content(archive, name)))
        except (AdminError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    def close(self) -> None:
        """Ask again next time."""
        self._archives = None
