"""The pool: contents of files, each kept once under its BLAKE3.

A content gets its name only when it is on the disk: files are written below ``partial/`` in batches, the file
system is told to flush once per batch, then they are renamed. A flush per file would make a first backup of half a
million small files take hours.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from omeroadmin.backups.target import PRIVATE, Target, is_part
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.system import files
from omeroadmin.system.pace import Pace

_CHUNK = 1 << 20
_SMALL = 1 << 20
_BATCH_FILES = 1000
_BATCH_BYTES = 1 << 28
_UNDER_WAY = 4000
"""More files than are copied at the same time as others are taken in."""
_ATTEMPTS = 3
_KEY_DIGITS = 15
_HEXADECIMAL = b"0123456789abcdef"


class Copied(NamedTuple):
    """A file as it was read.

    :param temporary: path of its copy below ``partial/``; ``None`` where the pool has the content already
    :param changed: whether somebody wrote to it while it was read, each time it was tried
    """

    temporary: str | None
    size: int
    mtime_ns: int
    mode: int
    blake3: str
    sha1: str | None
    changed: bool


@dataclass
class Pool:
    """Contents of one target; the lock must be held while it is written to.

    :param pace: of bytes to read; ``None``: as fast as it goes
    """

    target: Target
    pace: Pace | None = None
    _pending: dict[str, str] = field(default_factory=dict)
    _pending_bytes: int = 0
    _recent: set[str] = field(default_factory=set)
    _less_recent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._prefix = f"{self.target.pool}/"
        self._part = secrets.choice(_HEXADECIMAL)
        # The lock is held and partial/ was empty: a number is enough.
        self._temporary_prefix = f"{self.target.partial}/{secrets.token_hex(6)}-"
        self._numbers = itertools.count()

    def holds(self, digest: str, size: int) -> bool:
        """Whether a content of this size is there; a truncated one isn't."""
        try:
            status = os.lstat(self._final(digest))
        except OSError:
            return False
        return status.st_size == size and stat.S_ISREG(status.st_mode)

    def _final(self, digest: str) -> str:
        return f"{self._prefix}{digest[:2]}/{digest}"

    def key(self, digest: bytes, size: int) -> bytes:
        """What stands for a content in :meth:`absent`: the beginning of its name, which takes half of the memory.

        Sizes count in one of sixteen parts of the pool, a different one in each run: a look at each file takes longer
        than all the rest of a run in which nothing has changed.
        """
        return digest[:_KEY_DIGITS] if digest[0] != self._part else b"%b %d" % (digest[:_KEY_DIGITS], size)

    def absent(self, keys: set[bytes]) -> int:
        """How many of some contents are not there, found out by one listing of the pool, which is much faster.

        :param keys: as of :meth:`key`; those that are there are taken out
        :raises AdminError: ``backup-not-written``
        """
        try:
            with os.scandir(self.target.pool) as directories:
                # Others leave things there as well: file managers, NFS, snapshots of file systems.
                for directory in filter(is_part, directories):
                    if directory.name[0] != chr(self._part):
                        names = os.listdir(os.fsencode(directory.path))  # noqa: PTH208 - bytes
                        keys.difference_update([name[:_KEY_DIGITS] for name in names])
                        continue
                    with os.scandir(os.fsencode(directory.path)) as contents:
                        keys.difference_update(
                            self.key(entry.name, entry.stat(follow_symlinks=False).st_size) for entry in contents
                        )
        except OSError as error:
            raise target_error(self.target, error) from error
        return len(keys)

    def copy_in(self, source: str, *, with_sha1: bool) -> Copied:
        """Read a file and, unless the pool has its content, copy it below ``partial/``. Safe to run in threads.

        :param with_sha1: also compute what OMERO records
        :raises FileNotFoundError: if it has gone
        :raises OSError: if it can't be read
        :raises AdminError: ``backup-not-written``
        """
        for attempt in range(1, _ATTEMPTS + 1):
            copied = self._copy_once(source, with_sha1=with_sha1)
            if not copied.changed or attempt == _ATTEMPTS:
                return copied
            if copied.temporary is not None:
                os.unlink(copied.temporary)  # noqa: PTH108 - strings throughout: there may be millions
        raise AssertionError("the last attempt returns")

    def keep(self, copied: Copied) -> bool:
        """Take a copy into the pool, at the latest with :meth:`flush`.

        :return: whether the content is new
        :raises AdminError: ``backup-not-written``
        """
        if copied.temporary is None:
            return False
        if any(copied.blake3 in known for known in (self._pending, self._recent, self._less_recent)):
            # One like it was taken in since this one was looked for.
            os.unlink(copied.temporary)  # noqa: PTH108
            return False
        self._pending[copied.blake3] = copied.temporary
        self._pending_bytes += copied.size
        if len(self._pending) >= _BATCH_FILES or self._pending_bytes >= _BATCH_BYTES:
            self.flush()
        return True

    def flush(self) -> None:
        """Put pending copies on the disk and give them their names.

        :raises AdminError: ``backup-not-written``
        """
        if not self._pending:
            return
        try:
            files.sync_filesystem(self.target.partial)
            for digest, temporary in self._pending.items():
                final = self._final(digest)
                try:
                    os.replace(temporary, final)  # noqa: PTH105
                except FileNotFoundError:
                    self.target.pool_file(digest).parent.mkdir(mode=PRIVATE, exist_ok=True)
                    os.replace(temporary, final)  # noqa: PTH105
        except OSError as error:
            raise target_error(self.target, error) from error
        self._recent.update(self._pending)
        if len(self._recent) >= _UNDER_WAY:
            self._recent, self._less_recent = set(), self._recent
        self._pending.clear()
        self._pending_bytes = 0

    def _copy_once(self, source: str, *, with_sha1: bool) -> Copied:
        hashes = Hashes(with_sha1)
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file any more", source)
            if before.st_size <= _SMALL:
                temporary = self._copy_small(descriptor, hashes, before.st_size)
            else:
                temporary = self._copy_large(descriptor, hashes, before.st_size)
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        changed = (before.st_mtime_ns, hashes.size) != (after.st_mtime_ns, after.st_size)
        mode = before.st_mode & 0o7777
        return Copied(temporary, hashes.size, before.st_mtime_ns, mode, hashes.blake3, hashes.sha1, changed)

    def _copy_small(self, descriptor: int, hashes: Hashes, size: int) -> str | None:
        """Most files are known or small: look before anything is written."""
        content = os.read(descriptor, size) if size else b""
        while len(content) < size and (more := os.read(descriptor, size - len(content))):
            content += more
        if self.pace is not None:
            self.pace.take(len(content))
        hashes.update(content)
        if self.holds(hashes.blake3, hashes.size):
            return None
        temporary, copy = self._open_temporary()
        with self._closing(temporary, copy):
            self._write(copy, content)
        return temporary

    def _copy_large(self, descriptor: int, hashes: Hashes, size: int) -> str | None:
        """Copy what was there at the beginning: a file that grows faster than it is read would never end."""
        buffer = memoryview(bytearray(_CHUNK))
        temporary, copy = self._open_temporary()
        with self._closing(temporary, copy):
            while count := os.readv(descriptor, [buffer[: size - hashes.size]]):
                if self.pace is not None:
                    self.pace.take(count)
                hashes.update(buffer[:count])
                self._write(copy, buffer[:count])
        if self.holds(hashes.blake3, hashes.size):
            os.unlink(temporary)  # noqa: PTH108
            return None
        return temporary

    def _open_temporary(self) -> tuple[str, int]:
        path = f"{self._temporary_prefix}{next(self._numbers)}"
        try:
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, files.SECRET_MODE)
        except OSError as error:
            raise target_error(self.target, error) from error

    @contextlib.contextmanager
    def _closing(self, path: str, descriptor: int) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108
            raise
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, content: bytes | memoryview) -> None:
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError as error:
            # Told apart from a source that can't be read, which ends nothing.
            raise target_error(self.target, error) from error


class Hashes:
    """Size, BLAKE3 and, where OMERO records it, SHA-1 of what passes."""

    def __init__(self, with_sha1: bool) -> None:
        from blake3 import blake3

        self._blake3 = blake3()
        self._sha1 = hashlib.sha1(usedforsecurity=False) if with_sha1 else None
        self.size = 0

    def update(self, content: bytes | memoryview) -> None:
        """Take the next bytes in."""
        self._blake3.update(content)
        if self._sha1 is not None:
            self._sha1.update(content)
        self.size += len(content)

    @property
    def blake3(self) -> str:
        """The BLAKE3 in hexadecimal."""
        return str(self._blake3.hexdigest())

    @property
    def sha1(self) -> str | None:
        """The SHA-1 in hexadecimal, where it is computed."""
        return None if self._sha1 is None else self._sha1.hexdigest()


def target_error(target: Target, error: OSError) -> AdminError:
    """The one line for a target that can't be written to."""
    return failed_error(
        "backup-not-written",
        f"backup target {target.root} can't be written to: {error.strerror or error}",
        f"make room there and run it again: df -h {target.root}",
    )
