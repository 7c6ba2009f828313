"""Reads a snapshot again, every byte of it, and names what isn't as it was."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import MANIFEST_NAME, Checksum, Entry, file_checksum
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.backups.target import Target
from omeroadmin.errors import AdminError
from omeroadmin.system import files

_REMEMBERED = 1 << 16
"""Contents of this size and more are read once, however many paths have them; smaller ones aren't worth memory."""

_AHEAD = 32
_GROUPS_AHEAD = 2
_GROUP_BYTES = 1 << 24
"""Bytes of files that are read one after the other: the threads are to end at the same time."""


@dataclass
class Read:
    """How much was read."""

    files: int = 0
    size: int = 0


def check_parts(directory: Path, snapshot: Snapshot, place: str) -> Iterator[Fault]:
    """Faults of the dump, the configuration and the manifest, by their checksums.

    :param directory: where they are
    :param place: where the target has them, for the faults
    """
    wanted = {MANIFEST_NAME: snapshot.manifest_checksum, **snapshot.parts}
    for relative, checksum in wanted.items():
        fault = _check_part(files.inside(directory, relative), relative, checksum, f"{place}/{relative}")
        if fault is not None:
            yield fault
    for part in sorted(path for path in directory.iterdir() if path.is_dir()):
        yield from _surplus(directory, part, snapshot, place)


def _check_part(path: Path, relative: str, wanted: Checksum, place: str) -> Fault | None:
    if not path.is_file():
        return Fault("part-missing", relative, "is missing", place)
    try:
        found = file_checksum(path)
    except AdminError as error:
        return Fault("part-unreadable", relative, error.message, place)
    return difference("part", relative, place, wanted, found)


def _surplus(directory: Path, part: Path, snapshot: Snapshot, place: str) -> Iterator[Fault]:
    """Files that don't belong to a part: a restore takes whatever its directory holds."""
    for path in sorted(part.rglob("*")):
        relative = path.relative_to(directory).as_posix()
        if path.is_file() and relative not in snapshot.parts:
            yield Fault("part-added", relative, "does not belong to the snapshot", f"{place}/{relative}")


def check_contents(
    entries: Iterable[Entry],
    check: Callable[[list[Entry]], list[Fault]],
    read: Read,
    *,
    jobs: int = 1,
    together: int = 1,
) -> Iterator[Fault]:
    """Faults of the contents of files: each is read again, once.

    :param check: reads some; safe to run in threads
    :param read: counted up
    :param jobs: threads that read
    :param together: the most files that ``check`` is given at once, fewer of large ones
    :raises AdminError: ``manifest-damaged`` where the entries can't be read on
    """
    waiting: deque[tuple[list[Entry], Future[list[Fault]]]] = deque()
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="verify") as executor:
        for some in _grouped(entries, together):
            waiting.append((some, executor.submit(check, some)))
            while len(waiting) > jobs * (_AHEAD if together == 1 else _GROUPS_AHEAD):
                yield from _next(waiting, read)
        while waiting:
            yield from _next(waiting, read)


def _grouped(entries: Iterable[Entry], together: int) -> Iterator[list[Entry]]:
    """The contents to read, each once."""
    seen: set[bytes] = set()
    some: list[Entry] = []
    size = 0
    for entry in entries:
        if not entry.is_file or _was_seen(entry, seen):
            continue
        some.append(entry)
        size += entry.size
        if len(some) >= together or size >= _GROUP_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _next(waiting: deque[tuple[list[Entry], Future[list[Fault]]]], read: Read) -> Iterator[Fault]:
    some, future = waiting.popleft()
    faults = future.result()
    read.files += len(some)
    read.size += sum(entry.size for entry in some)
    yield from faults


def _was_seen(entry: Entry, seen: set[bytes]) -> bool:
    if entry.size < _REMEMBERED:
        return False
    digest = bytes.fromhex(entry.blake3)
    if digest in seen:
        return True
    seen.add(digest)
    return False


def check_content(target: Target, entry: Entry) -> Fault | None:
    """The fault of one file's content in the pool.

    :raises AdminError: ``manifest-damaged`` if the entry's hash is none
    """
    path = target.pool_file(entry.blake3)
    try:
        found = file_checksum(path)
    except AdminError as error:
        if not path.exists():
            return Fault("content-missing", entry.path, "its content is missing", str(path))
        return Fault("content-unreadable", entry.path, error.message, str(path))
    return difference("content", entry.path, str(path), Checksum(entry.size, entry.blake3), found)


def difference(kind: str, path: str, pool_file: str, wanted: Checksum, found: Checksum) -> Fault | None:
    """The fault of a file that isn't what was recorded.

    :param kind: ``part`` or ``content``
    """
    if found.size != wanted.size:
        return Fault(f"{kind}-size", path, f"has {found.size} bytes instead of {wanted.size}", pool_file)
    if found.blake3 != wanted.blake3:
        return Fault(f"{kind}-damaged", path, "its bytes have changed since the backup", pool_file)
    return None
