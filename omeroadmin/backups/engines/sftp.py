"""Snapshots in a directory of another host, reached by SFTP; on the disk there, they are as in a directory here."""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from omeroadmin.backups.collect import Collected, Collector
from omeroadmin.backups.engines import sweep
from omeroadmin.backups.engines.address import parse_ssh
from omeroadmin.backups.engines.engine import Content, InUse, Removed, Sources
from omeroadmin.backups.engines.remote_files import RemoteFiles
from omeroadmin.backups.engines.remote_lock import RemoteLock
from omeroadmin.backups.engines.remote_marks import RemoteMarks
from omeroadmin.backups.engines.remote_trees import fetch_tree, send_tree
from omeroadmin.backups.engines.sftp_pool import SftpPool
from omeroadmin.backups.engines.staging import staging_directory
from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import MANIFEST_NAME, Checksum, Entry
from omeroadmin.backups.snapshot import DOCUMENT_NAME, Snapshot, parse_snapshot, snapshot_text
from omeroadmin.backups.target import is_id, snapshot_gone, target_missing, target_occupied
from omeroadmin.backups.verify import Read, check_contents, difference
from omeroadmin.errors import AdminError
from omeroadmin.system.pace import Pace
from omeroadmin.system.ssh import MOST_THREADS, SshConnection
from omeroadmin.system.ssh_route import SshTarget

_SMALL = 1 << 20
"""Contents up to this size are fetched ahead, several at a time."""
_AHEAD = 4 * MOST_THREADS


class SftpEngine:
    """A target on another host.

    :param address: ``ssh://user@host:port/path``
    :param temporary: directory for what is on its way; ``None``: the system's
    :raises AdminError: ``backup-target-invalid``
    """

    def __init__(self, address: str, temporary: Path | None = None) -> None:
        parsed = parse_ssh(address)
        self.address = address
        self.local: Path | None = None
        self._temporary = temporary
        self._connection = SshConnection(SshTarget(parsed.host, parsed.port, parsed.user))
        self._remote = RemoteFiles(self._connection, parsed.path)
        self._lock = RemoteLock(self._remote, self._remote.path("lock"))
        self._marks = RemoteMarks(self._remote, self._remote.path("readers"))
        self._pool = SftpPool(self._remote)

    def make(self) -> None:
        """See :class:`~omeroadmin.backups.engines.engine.Engine`, here and below."""
        names = {item.name for item in self._remote.list(self._remote.root)}
        if names and not names & {"snapshots", "lock"}:
            raise target_occupied(self.address)
        for name in ("snapshots", "pool", "partial"):
            if name not in names:
                self._remote.make_directory(self._remote.path(name))

    @contextlib.contextmanager
    def locked(self, *, timeout: float = 10.0) -> Iterator[None]:
        """Hold the lock file there."""
        self._require()
        with self._lock.held(timeout=timeout):
            self._pool = SftpPool(self._remote)
            for name in ("snapshots", "pool", "partial"):
                self._remote.make_directory(self._remote.path(name))
            self._remove_leftovers()
            yield

    def _require(self) -> None:
        if not self._remote.exists(self._remote.path("snapshots")):
            raise target_missing(self.address)

    def _remove_leftovers(self) -> None:
        for item in self._remote.list(self._remote.path("partial")):
            path = self._remote.path("partial", item.name)
            if item.is_directory:
                self._remote.remove_tree(path)
            else:
                self._remote.remove(path)
        for item in self._remote.list(self._remote.path("snapshots")):
            if is_id(item.name) and not self._is_finished(item.name):
                self._remote.remove_tree(self._path(item.name))

    def _path(self, snapshot_id: str, *names: str) -> str:
        return self._remote.path("snapshots", snapshot_id, *names)

    def _is_finished(self, snapshot_id: str) -> bool:
        return self._remote.exists(self._path(snapshot_id, DOCUMENT_NAME))

    def names(self) -> list[str]:
        """Directories with a document."""
        self._require()
        listed = self._remote.list(self._remote.path("snapshots"))
        return sorted(item.name for item in listed if is_id(item.name) and self._is_finished(item.name))

    def read(self, snapshot_id: str) -> Snapshot:
        """Read ``snapshot.json``."""
        path = self._path(snapshot_id, DOCUMENT_NAME)
        try:
            content = self._remote.read(path)
        except FileNotFoundError:
            content = b""
        return parse_snapshot(content, self._remote.shown(path))

    def place(self, snapshot_id: str) -> str:
        """Name the snapshot's directory."""
        return self._remote.shown(self._path(snapshot_id))

    @contextlib.contextmanager
    def using(self, ids: Sequence[str]) -> Iterator[None]:
        """Leave a mark there."""
        with self._marks.left(ids):
            for snapshot_id in ids:
                if not self._is_finished(snapshot_id):
                    raise snapshot_gone(snapshot_id, self.address)
            yield

    @contextlib.contextmanager
    def begin(self, snapshot_id: str) -> Iterator[Path]:  # noqa: ARG002
        """Give a staging directory here; what was sent is removed after a failure."""
        try:
            with staging_directory(self._temporary) as directory:
                yield directory
        except BaseException as failure:
            try:
                self._remove_leftovers()
            except AdminError as second:
                # The next run removes what is left; what went wrong first is what the admin must know.
                failure.add_note(second.message)
            raise

    def collect(self, snapshot_id: str, sources: Sources, result: Collected) -> Generator[Entry | bytes, None, None]:  # noqa: ARG002
        """Send new contents."""
        pace = Pace(sources.limit)
        self._pool = SftpPool(self._remote, pace)
        collector = Collector(
            self._pool,
            sources.previous,
            trusted_until_ns=sources.trusted_until_ns,
            with_sha1=sources.with_sha1,
            jobs=min(sources.jobs, MOST_THREADS),
            thorough=sources.thorough,
            result=result,
            stop=pace.stop,
        )
        return collector.entries(sources.found)

    def finish(self, directory: Path, snapshot: Snapshot) -> None:
        """Send the directory and give it its name when it is whole."""
        unfinished = self._remote.path("partial", snapshot.id)
        send_tree(self._remote, directory, unfinished)
        self._remote.write_atomically(f"{unfinished}/{DOCUMENT_NAME}", snapshot_text(snapshot).encode())
        self._lock.require()
        self._remote.rename(unfinished, self._path(snapshot.id))

    @contextlib.contextmanager
    def parts(self, snapshot_id: str, only: Collection[str] = ()) -> Iterator[Path]:
        """Fetch the snapshot's directory."""
        with staging_directory(self._temporary) as directory:
            fetch_tree(self._remote, self._path(snapshot_id), directory, only)
            yield directory

    def contents(self, snapshot: Snapshot, entries: Iterable[Entry]) -> Iterator[Content]:  # noqa: ARG002
        """Fetch contents, small ones several at a time."""
        waiting: deque[tuple[Entry, Future[bytes] | None]] = deque()
        with ThreadPoolExecutor(max_workers=MOST_THREADS, thread_name_prefix="fetch") as executor:
            try:
                for entry in entries:
                    path = self._pool.path(entry.blake3)
                    small = entry.size <= _SMALL
                    waiting.append((entry, executor.submit(self._remote.read, path) if small else None))
                    while len(waiting) > _AHEAD:
                        yield self._content(*waiting.popleft())
                while waiting:
                    yield self._content(*waiting.popleft())
            except BaseException:
                executor.shutdown(wait=True, cancel_futures=True)
                raise

    def _content(self, entry: Entry, future: Future[bytes] | None) -> Content:
        path = self._pool.path(entry.blake3)
        place = self._remote.shown(path)
        try:
            if future is not None:
                return Content(entry, iter((future.result(),)), place)
            if self._remote.exists(path):
                return Content(entry, self._remote.chunks(path), place)
            message = "its content is missing"
        except FileNotFoundError:
            message = "its content is missing"
        except AdminError as error:
            if error.code != "file-not-read":
                raise
            message = error.message
        return Content(entry, None, place, Fault("content-missing", entry.path, message, place))

    def check(self, snapshot: Snapshot, entries: Iterable[Entry], read: Read, *, jobs: int = 1) -> Iterator[Fault]:  # noqa: ARG002
        """Fetch contents and hash them here."""
        return check_contents(entries, self._check_some, read, jobs=min(jobs, MOST_THREADS))

    def _check_some(self, entries: list[Entry]) -> list[Fault]:
        return [fault for entry in entries if (fault := self._check(entry)) is not None]

    def _check(self, entry: Entry) -> Fault | None:
        from blake3 import blake3

        path = self._pool.path(entry.blake3)
        place, digest, size = self._remote.shown(path), blake3(), 0
        try:
            for chunk in self._remote.chunks(path):
                digest.update(chunk)
                size += len(chunk)
        except FileNotFoundError:
            return Fault("content-missing", entry.path, "its content is missing", place)
        except AdminError as error:
            if error.code != "file-not-read":
                raise
            return Fault("content-unreadable", entry.path, error.message, place)
        found = Checksum(size, digest.hexdigest())
        return difference("content", entry.path, place, Checksum(entry.size, entry.blake3), found)

    def remove(self, ids: Sequence[str], *, dry_run: bool = False) -> Removed:
        """Take snapshots away, then what no manifest names."""
        if not dry_run:
            self._lock.require()
        users = self._marks.users(clean=not dry_run)
        going = [name for name in ids if name not in users]
        if not dry_run:
            users |= self._retire(going)
            self._remove_leftovers()
        going = [name for name in ids if name not in users]
        remaining = [name for name in self.names() if name not in going]
        with staging_directory(self._temporary) as directory:
            for name in remaining:
                (directory / name).mkdir()
                fetch_tree(self._remote, self._path(name), directory / name, (MANIFEST_NAME,))
            manifests = [(directory / name / MANIFEST_NAME, functools.partial(self.read, name)) for name in remaining]
            contents = sweep.RemoteContents(self._remote, self._pool.path)
            removed = sweep.sweep(tuple(going), manifests, contents, dry_run=dry_run)
        return replace(removed, in_use=tuple(InUse(name, users[name]) for name in ids if name in users))

    def _retire(self, ids: Sequence[str]) -> dict[str, str]:
        """Take snapshots away; those that somebody has begun to read in the same moment are put back.

        :return: who reads them
        """
        asides = {name: self._remote.path("partial", f"{name}.{secrets.token_hex(4)}") for name in ids}
        for name, aside in asides.items():
            with contextlib.suppress(FileNotFoundError):
                self._remote.rename(self._path(name), aside)
        late = {name: by for name, by in self._marks.users(clean=False).items() if name in asides}
        for name in late:
            with contextlib.suppress(FileNotFoundError):
                self._remote.rename(asides[name], self._path(name))
        return late

    def record(self, snapshot_id: str, name: str, document: Mapping[str, Any] | None) -> None:
        """Write a file beside the document."""
        path = self._path(snapshot_id, name)
        if document is None:
            self._remote.remove(path)
        else:
            self._remote.write_atomically(path, json.dumps(document).encode() + b"\n")

    def recorded(self, snapshot_id: str, name: str) -> dict[str, Any] | None:
        """Read a file beside the document."""
        try:
            document = json.loads(self._remote.read(self._path(snapshot_id, name)))
        except (FileNotFoundError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
