"""The pool: contents of files, each kept once under its BLAKE3.

A content gets its name only when it is on the disk: files are written below ``partial/`` in batches, the file
system is told to flush once per batch, then they are renamed. A flush per file would make a first backup of half a
million small files take hours.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from omeroadmin.backups.target import PRIVATE, Target, is_part
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.system import files
from omeroadmin.system.pace import Pace

_CHUNK = 1 << 20
_SMALL = 1 << 20
_BATCH_FILES = 1000
_BATCH_BYTES = 1 << 28
_ATTEMPTS = 3
_KEY_DIGITS = 15
_PART_SHIFT = 4 * (_KEY_DIGITS - 1)


class Copied(NamedTuple):
    """A file as it was read.

    :param temporary: its copy below ``partial/``; ``None`` where the pool has the content already
    :param changed: whether somebody wrote to it while it was read, each time it was tried
    """

    temporary: Path | None
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
    _pending: dict[str, Path] = field(default_factory=dict)
    _pending_bytes: int = 0

    def __post_init__(self) -> None:
        self._prefix = f"{self.target.pool}/"
        self._part = secrets.randbelow(16)

    def holds(self, digest: str, size: int) -> bool:
        """Whether a content of this size is there; a truncated one isn't."""
        try:
            status = os.lstat(f"{self._prefix}{digest[:2]}/{digest}")
        except OSError:
            return False
        return status.st_size == size and stat.S_ISREG(status.st_mode)

    def key(self, digest: str | bytes, size: int) -> int:
        """A number that stands for a content in :meth:`absent`: half the memory of its name.

        Sizes count in one of sixteen parts of the pool, a different one in each run: a look at each file takes longer
        than all the rest of a run in which nothing has changed.
        """
        number = int(digest[:_KEY_DIGITS], 16)
        return number | size << 4 * _KEY_DIGITS if number >> _PART_SHIFT == self._part else number

    def absent(self, keys: set[int]) -> int:
        """How many of some contents are not there, found out by one listing of the pool, which is much faster.

        :param keys: as of :meth:`key`; those that are there are taken out
        :raises AdminError: ``backup-not-written``
        """
        try:
            with os.scandir(self.target.pool) as directories:
                # Others leave things there as well: file managers, NFS, snapshots of file systems.
                for directory in filter(is_part, directories):
                    with os.scandir(directory.path) as contents:
                        keys.difference_update(self._keys(contents))
        except OSError as error:
            raise target_error(self.target, error) from error
        return len(keys)

    def _keys(self, contents: Iterable[os.DirEntry[str]]) -> Iterator[int]:
        for entry in contents:
            try:
                number = int(entry.name[:_KEY_DIGITS], 16)
            except ValueError:
                continue
            yield (
                number
                if number >> _PART_SHIFT != self._part
                else self.key(entry.name, entry.stat(follow_symlinks=False).st_size)
            )

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
                copied.temporary.unlink()
        raise AssertionError("the last attempt returns")

    def keep(self, copied: Copied) -> bool:
        """Take a copy into the pool, at the latest with :meth:`flush`.

        :return: whether the content is new
        :raises AdminError: ``backup-not-written``
        """
        if copied.temporary is None:
            return False
        if copied.blake3 in self._pending:
            copied.temporary.unlink()
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
                final = self.target.pool_file(digest)
                try:
                    temporary.replace(final)
                except FileNotFoundError:
                    final.parent.mkdir(mode=PRIVATE, exist_ok=True)
                    temporary.replace(final)
        except OSError as error:
            raise target_error(self.target, error) from error
        self._pending.clear()
        self._pending_bytes = 0

    def _copy_once(self, source: str, *, with_sha1: bool) -> Copied:
        hashes = Hashes(with_sha1)
        with open(source, "rb", buffering=0) as stream:  # noqa: PTH123 - inner loop
            before = os.fstat(stream.fileno())
            if before.st_size <= _SMALL:
                temporary = self._copy_small(stream, hashes)
            else:
                temporary = self._copy_large(stream, hashes, before.st_size)
            after = os.fstat(stream.fileno())
        changed = (before.st_mtime_ns, hashes.size) != (after.st_mtime_ns, after.st_size)
        mode = before.st_mode & 0o7777
        return Copied(temporary, hashes.size, before.st_mtime_ns, mode, hashes.blake3, hashes.sha1, changed)

    def _copy_small(self, stream: io.FileIO, hashes: Hashes) -> Path | None:
        """Most files are known or small: look before anything is written."""
        content = stream.read(_SMALL + 1) or b""
        if self.pace is not None:
            self.pace.take(len(content))
        hashes.update(content)
        if self.holds(hashes.blake3, hashes.size):
            return None
        with self._temporary() as (temporary, descriptor):
            self._write(descriptor, content)
        return temporary

    def _copy_large(self, stream: io.FileIO, hashes: Hashes, size: int) -> Path | None:
        """Copy what was there at the beginning: a file that grows faster than it is read would never end."""
        buffer = memoryview(bytearray(_CHUNK))
        with self._temporary() as (temporary, descriptor):
            while count := stream.readinto(buffer[: size - hashes.size]):
                if self.pace is not None:
                    self.pace.take(count)
                hashes.update(buffer[:count])
                self._write(descriptor, buffer[:count])
        if self.holds(hashes.blake3, hashes.size):
            temporary.unlink()
            return None
        return temporary

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[tuple[Path, int]]:
        path = self.target.partial / secrets.token_hex(12)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, files.SECRET_MODE)
        except OSError as error:
            raise target_error(self.target, error) from error
        try:
            yield path, descriptor
        except BaseException:
            path.unlink(missing_ok=True)
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
