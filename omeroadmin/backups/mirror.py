"""Brings in a mirror of a data directory that others made, a plain copy or rdiff-backup's, and lists what it holds.

The list is a manifest as snapshots have them. So what holds for a restored snapshot is proven of a mirror as well:
whether every file that the database names is there as recorded.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from omeroadmin.backups.faults import Fault, FaultList
from omeroadmin.backups.manifest import Entry, write_manifest
from omeroadmin.backups.scan import REBUILDABLE, Found, Root, walk
from omeroadmin.errors import configuration_error
from omeroadmin.system import files

RDIFF_DATA = "rdiff-backup-data"
"""What rdiff-backup keeps at the top of a mirror: earlier versions, and its own records."""

_CHUNK = 1 << 20


@dataclass
class Mirrored:
    """How far a copy has come.

    :param files: files that were written
    :param size: bytes of all files, those that were there among them
    :param present: files that were there with the mirror's size and time
    :param faults: what can't be read
    """

    files: int = 0
    size: int = 0
    present: int = 0
    faults: FaultList = field(default_factory=FaultList)


def check_mirror(mirror: Path) -> None:
    """Make sure that a directory is the mirror of a data directory, and whole as far as can be told by its top.

    :raises AdminError: ``mirror-missing``, ``mirror-unfinished``, ``mirror-quoted``, ``file-not-read``
    """
    try:
        names = {path.name for path in mirror.iterdir()}
        records = [path.name for path in (mirror / RDIFF_DATA).iterdir()] if RDIFF_DATA in names else []
    except OSError as error:
        raise configuration_error(
            "mirror-missing", f"{mirror} can't be read: {error.strerror}", f"check it: ls -ld {mirror}"
        ) from error
    if not names & {"ManagedRepository", "Files", "Pixels"}:
        raise configuration_error(
            "mirror-missing",
            f"{mirror} holds no ManagedRepository, Files or Pixels",
            "name the copy of omero.data.dir, which the manual calls /OMERO",
        )
    if sum(name.startswith("current_mirror.") for name in records) > 1:
        raise configuration_error(
            "mirror-unfinished",
            f"the last run of rdiff-backup to {mirror} did not end",
            f"rdiff-backup --check-destination-dir {mirror}",
        )
    quoting = mirror / RDIFF_DATA / "chars_to_quote"
    if "chars_to_quote" in records and files.read_bytes(quoting).strip():
        raise configuration_error(
            "mirror-quoted",
            f"rdiff-backup has changed the names of files in {mirror}",
            f"let it restore them: rdiff-backup restore {mirror} DIR, then --from-mirror DIR",
        )


def copy_mirror(
    mirror: Path,
    place: Path,
    manifest: Path,
    *,
    root: str,
    skip: frozenset[str] = frozenset(),
    with_sha1: Callable[[str], bool],
) -> Mirrored:
    """Copy a mirror's files with their modes and times; what is there already with the same size and time stays.

    :param place: is made where it is missing
    :param manifest: is written, with the hashes of the copies
    :param root: name of the tree in the manifest
    :param skip: directories and files at the top that are left out
    :param with_sha1: whether OMERO may have recorded a SHA-1 for a path of the manifest
    :raises AdminError: ``file-not-written``, ``file-not-restored``, ``directory-not-created``
    """
    done = Mirrored()
    found = walk([Root(root, mirror, skip | {RDIFF_DATA, *REBUILDABLE})])
    late: list[tuple[Path, Entry]] = []

    def entries() -> Iterator[Entry]:
        for item in found:
            entry = _bring(item, place / item.path.partition("/")[2], done, late, with_sha1)
            if entry is not None:
                yield entry

    write_manifest(manifest, entries())
    for path, entry in reversed(late):
        _finish(path, entry)
    files.sync_filesystem(place)
    return done


def _bring(
    item: Found, path: Path, done: Mirrored, late: list[tuple[Path, Entry]], with_sha1: Callable[[str], bool]
) -> Entry | None:
    if item.problem is not None:
        done.faults.add(Fault("file-unreadable", item.path, item.problem))
        return None
    if item.path.endswith("/") or item.link is not None:
        entry = Entry(item.path, 0, item.mtime_ns, item.mode, link=item.link)
        if item.link is None:
            # Writable for us while it is filled; its own mode comes at the end.
            files.make_directory(path, mode=item.mode | 0o700)
        late.append((path, entry))
        return entry
    there = _is_there(path, item)
    try:
        with open(item.source, "rb", buffering=0) as stream:  # noqa: PTH123 - inner loop
            entry = _read(path, item, with_sha1=with_sha1) if there else _copy(stream, path, item, with_sha1)
    except OSError as error:
        done.faults.add(Fault("file-unreadable", item.path, f"can't be read: {error.strerror}", item.source))
        return None
    done.present += there
    done.files += not there
    done.size += entry.size
    return entry


def _is_there(path: Path, item: Found) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (item.size, item.mtime_ns)


def _read(path: Path, item: Found, *, with_sha1: Callable[[str], bool]) -> Entry:
    hashes = _Hashes(sha1=with_sha1(item.path))
    try:
        with path.open("rb", buffering=0) as stream:
            while chunk := stream.read(_CHUNK):
                hashes.update(chunk)
    except OSError as error:
        raise files.file_error("read", path, error) from error
    return hashes.entry(item)


def _copy(stream: IO[bytes], path: Path, item: Found, with_sha1: Callable[[str], bool]) -> Entry:
    hashes = _Hashes(sha1=with_sha1(item.path))
    with _replaced(path, item) as write:
        while chunk := stream.read(_CHUNK):
            hashes.update(chunk)
            write(chunk)
    return hashes.entry(item)


@contextlib.contextmanager
def _replaced(path: Path, item: Found) -> Iterator[Callable[[bytes], None]]:
    """A new file that gets its name, mode and time when the block ends well; its errors aren't those of the source."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")

    def write(chunk: bytes) -> None:
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError as error:
            raise files.file_error("restored", path, error) from error

    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, files.SECRET_MODE)
    except OSError as error:
        raise files.file_error("restored", path, error) from error
    try:
        yield write
        try:
            os.fchmod(descriptor, item.mode & 0o777)
            os.utime(descriptor, ns=(item.mtime_ns, item.mtime_ns))
            temporary.replace(path)
        except OSError as error:
            raise files.file_error("restored", path, error) from error
    finally:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)


class _Hashes:
    """Size and hashes of what passes."""

    def __init__(self, *, sha1: bool) -> None:
        from blake3 import blake3

        self._blake3 = blake3()
        self._sha1 = hashlib.sha1(usedforsecurity=False) if sha1 else None
        self._size = 0

    def update(self, chunk: bytes) -> None:
        self._blake3.update(chunk)
        if self._sha1 is not None:
            self._sha1.update(chunk)
        self._size += len(chunk)

    def entry(self, item: Found) -> Entry:
        sha1 = None if self._sha1 is None else self._sha1.hexdigest()
        return Entry(item.path, self._size, item.mtime_ns, item.mode, self._blake3.hexdigest(), sha1)


def _finish(path: Path, entry: Entry) -> None:
    try:
        if entry.link is None:
            path.chmod(entry.mode & 0o3777)
            os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns))
            return
        if not path.is_symlink():
            path.symlink_to(entry.link)
    except OSError as error:
        raise files.file_error("written", path, error) from error
