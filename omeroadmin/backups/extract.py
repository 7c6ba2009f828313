"""Brings files out of the pool, hashing them on the way; what is there already with the right bytes stays."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.backups.engines.engine import Content, Engine
from omeroadmin.backups.faults import Fault, FaultList
from omeroadmin.backups.manifest import Entry, file_checksum
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.system import files


@dataclass
class Extracted:
    """How far an extraction has come.

    :param files: files that were written
    :param present: files that were there with the right bytes
    :param faults: files whose content in the pool is missing or damaged; they are not written
    """

    files: int = 0
    size: int = 0
    present: int = 0
    faults: FaultList = field(default_factory=FaultList)


def extract(engine: Engine, snapshot: Snapshot, entries: Iterable[Entry], places: Mapping[str, Path]) -> Extracted:
    """Write all files to their places with their modes and times.

    Directories get their modes and times, and links are made, when all files are there: a file is never written
    through a link that a manifest brought along.

    :param places: where each root of the manifest goes; entries of other roots are left out
    :raises AdminError: ``path-escapes``, ``file-not-written``, ``file-not-restored``
    """
    done = Extracted()
    late: list[tuple[str, Entry]] = []
    parents = _Parents(places)
    for content in engine.contents(snapshot, _missing(entries, parents, late, done)):
        _write(content, parents, done)
    for path, entry in reversed(late):
        _finish(Path(path), entry)
    for place in places.values():
        if place.is_dir():
            files.sync_filesystem(place)
    return done


def _missing(
    entries: Iterable[Entry], parents: _Parents, late: list[tuple[str, Entry]], done: Extracted
) -> Iterator[Entry]:
    """The files whose contents are needed; directories are made on the way."""
    for entry in entries:
        path = parents.place(entry)
        if path is None:
            continue
        if entry.is_directory:
            parents.make(Path(path), entry)
            late.append((path, entry))
        elif not entry.is_file:
            late.append((path, entry))
        elif _is_there(path, entry):
            done.present += 1
            _set_attributes(Path(path), entry)
        else:
            yield entry


class _Parents:
    """Turns paths of the manifest into places, and refuses those that leave their root, be it through a link.

    Places are strings: there may be millions of files, and a ``Path`` takes longer than writing one.
    """

    def __init__(self, places: Mapping[str, Path]) -> None:
        self._places = {name: Path(os.path.realpath(path)) for name, path in places.items()}
        self._safe: tuple[str, str] | None = None

    def place(self, entry: Entry) -> str | None:
        parent, slash, name = entry.path.rpartition("/")
        if self._safe is not None and parent == self._safe[0] and name not in ("", ".", "..") and "\0" not in name:
            return f"{self._safe[1]}/{name}"
        path = self._checked(entry)
        is_plain = slash and name not in ("", ".", "..")
        self._safe = (parent, os.path.dirname(path)) if path is not None and is_plain else None  # noqa: PTH120
        return path

    def _checked(self, entry: Entry) -> str | None:
        name, _, relative = entry.path.partition("/")
        root = self._places.get(name)
        if root is None:
            return None
        path = files.inside(root, relative.rstrip("/") or ".")
        if path != root and not Path(os.path.realpath(path.parent)).is_relative_to(root):
            raise failed_error("path-escapes", f"path {entry.path!r} leaves {root} through a link")
        return str(path)

    def make(self, path: Path, entry: Entry) -> None:
        if path.is_symlink():
            raise failed_error("path-escapes", f"{path} is a link where {entry.path!r} is a directory")
        try:
            # Writable for us while it is filled; its own mode comes at the end.
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                path.chmod(0o700)
        except OSError as error:
            raise files.file_error("written", path, error) from error


def _write(content: Content, parents: _Parents, done: Extracted) -> None:
    entry = content.entry
    path = parents.place(entry)
    if path is None:
        return
    if content.chunks is None:
        if content.fault is not None:
            done.faults.add(content.fault)
    elif _copy_out(content.chunks, content, path, done.faults):
        done.files += 1
        done.size += entry.size


def _is_there(path: str, entry: Entry) -> bool:
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode) or status.st_size != entry.size:
            return False
        return file_checksum(Path(path)).blake3 == entry.blake3
    except (OSError, AdminError):
        return False


def _copy_out(chunks: Iterator[bytes], content: Content, path: str, faults: FaultList) -> bool:
    from blake3 import blake3

    entry = content.entry
    digest = blake3()
    directory, _, name = path.rpartition("/")
    # The same name each time, so that what a killed restore was writing is replaced by the one that goes on.
    temporary = f"{directory}/.{blake3(os.fsencode(name)).hexdigest(length=8)}.restoring"
    try:
        with _created(temporary) as descriptor:
            for chunk in chunks:
                digest.update(chunk)
                _write_all(descriptor, chunk)
            if digest.hexdigest() == entry.blake3:
                os.fchmod(descriptor, entry.mode & 0o777)
                os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))
                os.replace(temporary, path)  # noqa: PTH105
                return True
    except OSError as error:
        raise files.file_error("restored", Path(path), error) from error
    message = "its bytes have changed since the backup; not restored"
    faults.add(Fault("content-damaged", entry.path, message, content.place))
    return False


@contextlib.contextmanager
def _created(path: str) -> Iterator[int]:
    """A file that has got another name when the block ends, or is removed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, files.SECRET_MODE)
    except FileExistsError:
        # A killed restore has left it, and may have made it read-only.
        os.unlink(path)  # noqa: PTH108
        descriptor = os.open(path, flags, files.SECRET_MODE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108


def _write_all(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _set_attributes(path: Path, entry: Entry) -> None:
    try:
        path.chmod(entry.mode & 0o777 if entry.is_file else entry.mode & 0o3777)
        os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns))
    except OSError as error:
        raise files.file_error("written", path, error) from error


def _finish(path: Path, entry: Entry) -> None:
    if entry.link is None:
        _set_attributes(path, entry)
        return
    try:
        if path.is_symlink() and os.readlink(path) == entry.link:  # noqa: PTH115 - as written, not normalised
            return
        path.unlink(missing_ok=True)
        path.symlink_to(entry.link)
    except OSError as error:
        raise files.file_error("written", path, error) from error
