"""Makes one tree like another, file by file: whole, compared on the disk, and able to go on after any interruption.

A file gets its name only when its copy was read back from the disk with the same hash. So a file of the right name,
size and time is a finished one, and a run that was killed is gone on with by the next.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.system import files

_CHUNK = 1 << 20
_BATCH_FILES = 1000
_BATCH_BYTES = 1 << 28
_PREFIX = ".omero-copy-"


@dataclass
class Mirrored:
    """How far it has come.

    :param files: files that are alike now, those among them that were so before
    :param size: their bytes
    :param copied_files: files that were copied
    :param copied_bytes: bytes of these
    :param removed: what was removed because the source hasn't got it any more
    :param left_out: sockets, pipes and devices, which aren't copied
    """

    files: int = 0
    size: int = 0
    copied_files: int = 0
    copied_bytes: int = 0
    removed: int = 0
    left_out: list[str] = field(default_factory=list)


Watcher = Callable[[Mirrored], None]
"""Called after each file."""


def mirror(source: Path, target: Path, watcher: Watcher | None = None) -> Mirrored:
    """Make ``target`` like ``source``: contents, modes, times, links; what only ``target`` has is removed.

    Links are copied as links and never followed. Files that vanish meanwhile are none that must be copied.

    :raises AdminError: ``copy-failed``, ``copy-differs``
    """
    run = _Run(watcher)
    run.directory(source, target)
    run.finish()
    return run.done


def differences(source: Path, target: Path, limit: int = 10) -> tuple[str, ...]:
    """Names, sizes and times that are not the same in two trees.

    :param limit: how many are looked for
    :return: a line each; empty where the trees are alike
    :raises AdminError: ``copy-failed``
    """
    found: list[str] = []
    for line in _differences(source, target):
        found.append(line)
        if len(found) >= limit:
            break
    return tuple(found)


def extent(source: Path) -> tuple[int, int]:
    """Number of files below a directory, and the bytes that they take on its disk.

    :raises AdminError: ``copy-failed``
    """
    count = size = 0
    stack = [source]
    while stack:
        directory = stack.pop()
        for entry in _scan(directory).values():
            with contextlib.suppress(FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    stack.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    count += 1
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
    return count, size


@dataclass
class _Pending:
    """A copy that waits for the disk."""

    source: Path
    temporary: Path
    final: Path
    blake3: str


class _Run:
    def __init__(self, watcher: Watcher | None) -> None:
        self.done = Mirrored()
        self._watcher = watcher
        self._pending: list[_Pending] = []
        self._pending_bytes = 0
        self._directories: list[tuple[Path, os.stat_result]] = []

    def directory(self, source: Path, target: Path) -> None:
        """Everything below a directory, without recursion: trees may be deep."""
        stack = [(source, target)]
        while stack:
            source, target = stack.pop()
            try:
                status = source.stat(follow_symlinks=False)
                target.mkdir(mode=0o700, exist_ok=True)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _failed(target, error) from error
            self._directories.append((target, status))
            wanted = _scan(source)
            self._remove_surplus(target, wanted)
            for name, entry in wanted.items():
                with contextlib.suppress(FileNotFoundError):
                    if self._entry(entry, target / name):
                        stack.append((source / name, target / name))

    def finish(self) -> None:
        """Put all on the disk, and give directories their modes and times, the innermost first."""
        self._flush()
        # A directory's time changes as long as anything is made in it.
        for target, status in reversed(self._directories):
            try:
                target.chmod(stat.S_IMODE(status.st_mode))
                os.utime(target, ns=(status.st_mtime_ns, status.st_mtime_ns))
            except OSError as error:
                raise _failed(target, error) from error
        if self._directories:
            files.sync_filesystem(self._directories[0][0])

    def _entry(self, entry: os.DirEntry[str], target: Path) -> bool:
        """Copy anything but a directory; tell whether it is one."""
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            if target.is_symlink() or not target.is_dir():
                _remove(target)
            return True
        if stat.S_ISLNK(status.st_mode):
            self._link(entry.path, target)
        elif stat.S_ISREG(status.st_mode):
            self._file(Path(entry.path), status, target)
        else:
            self.done.left_out.append(entry.path)
        return False

    def _link(self, source: str, target: Path) -> None:
        leads_to = os.readlink(source)  # noqa: PTH115 - as written, not normalised
        if target.is_symlink() and os.readlink(target) == leads_to:  # noqa: PTH115
            return
        _remove(target)
        try:
            target.symlink_to(leads_to)
            shutil.copystat(source, target, follow_symlinks=False)
        except OSError as error:
            raise _failed(target, error) from error

    def _file(self, source: Path, status: os.stat_result, target: Path) -> None:
        if not _is_alike(target, status):
            if target.is_dir() and not target.is_symlink():
                _remove(target)
            self._copy(source, status, target)
        self.done.files += 1
        self.done.size += status.st_size
        if self._watcher is not None:
            self._watcher(self.done)

    def _copy(self, source: Path, status: os.stat_result, target: Path) -> None:
        temporary = target.with_name(f"{_PREFIX}{secrets.token_hex(8)}.tmp")
        try:
            digest = _copied(source, temporary)
            shutil.copystat(source, temporary, follow_symlinks=False)
            with contextlib.suppress(PermissionError):
                os.chown(temporary, -1, status.st_gid)
            # The time of the look, not of the copy: a file that was written to meanwhile is copied again.
            os.utime(temporary, ns=(status.st_mtime_ns, status.st_mtime_ns))
        except FileNotFoundError:
            temporary.unlink(missing_ok=True)
            return
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise _failed(target, error) from error
        self._pending.append(_Pending(source, temporary, target, digest))
        self._pending_bytes += status.st_size
        self.done.copied_files += 1
        self.done.copied_bytes += status.st_size
        if len(self._pending) >= _BATCH_FILES or self._pending_bytes >= _BATCH_BYTES:
            self._flush()

    def _flush(self) -> None:
        """One call to the disk for many files; then each is read back and gets its name."""
        if not self._pending:
            return
        try:
            files.sync_filesystem(self._pending[0].temporary.parent)
            for one in self._pending:
                if _hash_on_disk(one.temporary) != one.blake3:
                    one.temporary.unlink()
                    raise failed_error(
                        "copy-differs",
                        f"{one.final} was read back otherwise than it was written",
                        "check that disk: dmesg, smartctl; the original is untouched",
                    )
                one.temporary.replace(one.final)
        except OSError as error:
            raise _failed(self._pending[0].final, error) from error
        self._pending.clear()
        self._pending_bytes = 0

    def _remove_surplus(self, target: Path, wanted: dict[str, os.DirEntry[str]]) -> None:
        for name in _scan(target):
            if name not in wanted:
                _remove(target / name)
                self.done.removed += not name.startswith(_PREFIX)


def _scan(directory: Path) -> dict[str, os.DirEntry[str]]:
    try:
        with os.scandir(directory) as scan:
            return {entry.name: entry for entry in scan}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _failed(directory, error) from error


def _is_alike(target: Path, status: os.stat_result) -> bool:
    try:
        found = target.stat(follow_symlinks=False)
    except OSError:
        return False
    return (found.st_mode, found.st_size, found.st_mtime_ns) == (status.st_mode, status.st_size, status.st_mtime_ns)


def _copied(source: Path, temporary: Path) -> str:
    """Copy the bytes.

    :return: their BLAKE3
    """
    from blake3 import blake3

    digest = blake3()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with (
        os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb", buffering=0) as stream,
        os.fdopen(os.open(temporary, flags, files.SECRET_MODE), "wb", buffering=0) as out,
    ):
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            rest = memoryview(chunk)
            while rest:
                rest = rest[out.write(rest) or 0 :]
    return str(digest.hexdigest())


def _hash_on_disk(path: Path) -> str:
    """BLAKE3 of what the disk has: the pages in memory, which are what was written, are dropped first."""
    from blake3 import blake3

    digest = blake3()
    with path.open("rb", buffering=0) as stream:
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return str(digest.hexdigest())


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise files.file_error("removed", path, error) from error


def _differences(source: Path, target: Path) -> Iterator[str]:
    stack = [Path()]
    while stack:
        below = stack.pop()
        here, there = _scan(source / below), _scan(target / below)
        for name in sorted(here.keys() | there.keys()):
            path = below / name
            if name in here and name in there:
                one, other = (entry.stat(follow_symlinks=False) for entry in (here[name], there[name]))
                what = _difference(one, other)
                if what:
                    yield f"{path} {what}"
                elif stat.S_ISDIR(one.st_mode):
                    stack.append(path)
            elif name in there or _is_copied(here[name]):
                yield f"{path} is only in {source if name in here else target}"


def _difference(one: os.stat_result, other: os.stat_result) -> str:
    if stat.S_IFMT(one.st_mode) != stat.S_IFMT(other.st_mode):
        return "is another kind of file"
    if stat.S_ISREG(one.st_mode) and (one.st_size, one.st_mtime_ns) != (other.st_size, other.st_mtime_ns):
        return "has another size or time"
    return ""


def _is_copied(entry: os.DirEntry[str]) -> bool:
    """Sockets and the like aren't."""
    return entry.is_symlink() or entry.is_dir() or entry.is_file()


def _failed(path: Path, error: OSError) -> AdminError:
    return failed_error(
        "copy-failed",
        f"{path} can't be copied: {error.strerror or error}",
        f"make room or mend it, and run it again: df -h {path.parent}",
    )
