"""Brings files out of the pool, hashing them on the way; what is there already with the right bytes stays."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    late: list[tuple[Path, Entry]] = []
    parents = _Parents(places)
    for content in engine.contents(snapshot, _missing(entries, parents, late, done)):
        _write(content, parents, done)
    for path, entry in reversed(late):
        _finish(path, entry)
    for place in places.values():
        if place.is_dir():
            files.sync_filesystem(place)
    return done


def _missing(
    entries: Iterable[Entry], parents: _Parents, late: list[tuple[Path, Entry]], done: Extracted
) -> Iterator[Entry]:
    """The files whose contents are needed; directories are made on the way."""
    for entry in entries:
        path = parents.place(entry)
        if path is None:
            continue
        if entry.is_directory:
            parents.make(path, entry)
            late.append((path, entry))
        elif not entry.is_file:
            late.append((path, entry))
        elif _is_there(path, entry):
            done.present += 1
            _set_attributes(path, entry)
        else:
            yield entry


class _Parents:
    """Turns paths of the manifest into places, and refuses those that leave their root, be it through a link."""

    def __init__(self, places: Mapping[str, Path]) -> None:
        self._places = {name: Path(os.path.realpath(path)) for name, path in places.items()}
        self._safe: Path | None = None

    def place(self, entry: Entry) -> Path | None:
        name, _, relative = entry.path.partition("/")
        root = self._places.get(name)
        if root is None:
            return None
        path = files.inside(root, relative.rstrip("/") or ".")
        if path != root and path.parent != self._safe:
            if not Path(os.path.realpath(path.parent)).is_relative_to(root):
                raise failed_error("path-escapes", f"path {entry.path!r} leaves {root} through a link")
            self._safe = path.parent
        return path

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
        _set_attributes(path, entry)


def _is_there(path: Path, entry: Entry) -> bool:
    try:
        if path.is_symlink() or path.stat().st_size != entry.size:
            return False
        return file_checksum(path).blake3 == entry.blake3
    except (OSError, AdminError):
        return False


def _copy_out(chunks: Iterator[bytes], content: Content, path: Path, faults: FaultList) -> bool:
    from blake3 import blake3

    digest = blake3()
    # The same name each time, so that what a killed restore was writing is replaced by the one that goes on.
    temporary = path.with_name(f".{blake3(os.fsencode(path.name)).hexdigest(length=8)}.restoring")
    try:
        with _created(temporary) as out:
            for chunk in chunks:
                digest.update(chunk)
                out(chunk)
        if digest.hexdigest() != content.entry.blake3:
            message = "its bytes have changed since the backup; not restored"
            faults.add(Fault("content-damaged", content.entry.path, message, content.place))
            return False
        temporary.replace(path)
    except OSError as error:
        raise files.file_error("restored", path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return True


@contextlib.contextmanager
def _created(path: Path) -> Iterator[Callable[[bytes], None]]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, files.SECRET_MODE)
    with os.fdopen(descriptor, "wb", buffering=0) as stream:

        def write(chunk: bytes) -> None:
            rest = memoryview(chunk)
            while rest:
                rest = rest[stream.write(rest) or 0 :]

        yield write


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
