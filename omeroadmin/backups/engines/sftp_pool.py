"""The pool of a target on another host: contents are hashed here, and sent if the listing of the pool lacks them."""

from __future__ import annotations

import os
import posixpath
import secrets
import threading
from collections.abc import Iterator

from omeroadmin.backups.engines.remote_files import RemoteFiles
from omeroadmin.backups.pool import Copied, Hashes
from omeroadmin.system.pace import Pace

_CHUNK = 1 << 20
_ATTEMPTS = 3
_KEY_DIGITS = 16
"""Of a BLAKE3; two of a million contents share them once in ten million runs."""


class _SourceChangedError(Exception):
    """A file isn't what it was when it was hashed."""


class SftpPool:
    """Contents on another host; the lock must be held.

    :param remote: the target
    :param pace: of bytes to read and of bytes to send; ``None``: as fast as it goes
    """

    def __init__(self, remote: RemoteFiles, pace: Pace | None = None) -> None:
        self._remote = remote
        self._pace = pace
        self._lock = threading.Lock()
        self._sizes: dict[bytes, int] = {}
        self._listed: set[str] = set()
        self._coming: set[bytes] = set()

    def path(self, digest: str) -> str:
        """Where a content is kept."""
        return self._remote.path("pool", digest[:2], digest)

    def holds(self, digest: str, size: int) -> bool:
        """Whether a content of this size is there. One listing answers for a 256th of the pool."""
        with self._lock:
            self._list(digest[:2])
            return self._sizes.get(bytes.fromhex(digest)) == size

    def key(self, digest: bytes, size: int) -> bytes:
        """What stands for a content in :meth:`absent`."""
        return b"%b %d" % (digest[:_KEY_DIGITS], size)

    def absent(self, keys: set[bytes]) -> int:
        """How many of some contents are not there; those that are are taken out."""
        with self._lock:
            for number in range(256):
                self._list(f"{number:02x}")
            keys.difference_update(self.key(digest.hex().encode(), size) for digest, size in self._sizes.items())
        return len(keys)

    def _list(self, top: str) -> None:
        if top in self._listed:
            return
        for item in self._remote.list(self._remote.path("pool", top)):
            if len(item.name) == 64 and not item.is_directory:
                self._sizes[bytes.fromhex(item.name)] = item.size
        self._listed.add(top)

    def copy_in(self, source: str, *, with_sha1: bool) -> Copied:
        """Hash a file and, unless its content is there, send it. Safe to run in threads.

        :raises FileNotFoundError: if it has gone
        :raises OSError: if it can't be read
        :raises AdminError: ``backup-not-written`` and those of the connection
        """
        for _ in range(_ATTEMPTS - 1):
            copied = self._copy_once(source, with_sha1=with_sha1)
            if copied is not None and not copied.changed:
                return copied
        copied = self._copy_once(source, with_sha1=with_sha1, whole=True)
        if copied is None:
            raise AssertionError("what is read at once is sent as it was hashed")
        return copied

    def _copy_once(self, source: str, *, with_sha1: bool, whole: bool = False) -> Copied | None:
        """Hash and send; ``None`` if the file changed between the two.

        :param whole: whether a file that never stands still is put aside first, as it is at one moment
        """
        if whole:
            return self._copy_aside(source, with_sha1=with_sha1)
        hashes = Hashes(with_sha1)
        with open(source, "rb", buffering=0) as stream:  # noqa: PTH123 - inner loop
            before = os.fstat(stream.fileno())
            while chunk := stream.read(_CHUNK):
                self._wait(chunk)
                hashes.update(chunk)
                if hashes.size > before.st_size:
                    break
            after = os.fstat(stream.fileno())
            if (before.st_mtime_ns, hashes.size) != (after.st_mtime_ns, after.st_size):
                return None
            stream.seek(0)
            try:
                new = self._send(hashes.blake3, hashes.size, iter(lambda: stream.read(_CHUNK) or b"", b""))
            except _SourceChangedError:
                return None
        return _copied(hashes, before, new=new, changed=False)

    def _copy_aside(self, source: str, *, with_sha1: bool) -> Copied:
        import tempfile

        hashes = Hashes(with_sha1)
        with open(source, "rb", buffering=0) as stream, tempfile.TemporaryFile() as aside:  # noqa: PTH123
            before = os.fstat(stream.fileno())
            while chunk := stream.read(min(_CHUNK, before.st_size - hashes.size)):
                hashes.update(chunk)
                aside.write(chunk)
            after = os.fstat(stream.fileno())
            aside.seek(0)
            new = self._send(hashes.blake3, hashes.size, iter(lambda: aside.read(_CHUNK), b""))
        changed = (before.st_mtime_ns, hashes.size) != (after.st_mtime_ns, after.st_size)
        return _copied(hashes, before, new=new, changed=changed)

    def keep(self, copied: Copied) -> bool:
        """Whether the content was new; it is there already."""
        return copied.temporary is not None

    def flush(self) -> None:
        """Nothing is pending: what was sent is there."""

    def _send(self, digest: str, size: int, chunks: Iterator[bytes]) -> bool:
        """Send a content and name it; ``False`` if it is there or on its way."""
        key = bytes.fromhex(digest)
        if self.holds(digest, size):
            return False
        with self._lock:
            if key in self._coming:
                return False
            self._coming.add(key)
        try:
            temporary = self._remote.path("partial", secrets.token_hex(12))
            self._remote.create(temporary, self._paced(_verified(chunks, digest)))
            self._name(temporary, self.path(digest))
            with self._lock:
                self._sizes[key] = size
        finally:
            with self._lock:
                self._coming.discard(key)
        return True

    def _paced(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._wait(chunk)
            yield chunk

    def _wait(self, chunk: bytes) -> None:
        if self._pace is not None:
            self._pace.take(len(chunk))

    def _name(self, temporary: str, final: str) -> None:
        try:
            self._remote.rename(temporary, final)
        except FileNotFoundError:
            self._remote.make_directory(posixpath.dirname(final))
            self._remote.rename(temporary, final)


def _verified(chunks: Iterator[bytes], digest: str) -> Iterator[bytes]:
    """The chunks, which must be those that were hashed."""
    from blake3 import blake3

    found = blake3()
    try:
        for chunk in chunks:
            found.update(chunk)
            yield chunk
    except OSError as error:
        raise _SourceChangedError from error
    if found.hexdigest() != digest:
        raise _SourceChangedError


def _copied(hashes: Hashes, status: os.stat_result, *, new: bool, changed: bool) -> Copied:
    marker = hashes.blake3 if new else None
    return Copied(marker, hashes.size, status.st_mtime_ns, status.st_mode & 0o7777, hashes.blake3, hashes.sha1, changed)
