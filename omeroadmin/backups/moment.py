"""Finds, among the files of all snapshots, those that fit a database as it was at a moment.

Files of the repository are written once. So whatever snapshot holds a file of the size and the checksum that a row
names holds the right one; and a file that no row names was there at the moment if it hasn't changed since.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Generic, TypeVar

from omeroadmin.backups import rows
from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import Entry, entry_line, line_writer, read_manifest, sort_key
from omeroadmin.backups.newcomers import is_newcomer
from omeroadmin.backups.reconcile import PIXELS, PYRAMID, Row, compare
from omeroadmin.backups.snapshot import Snapshot

_LAST = b"\xff"
"""Sorts after every path: roots have ASCII names."""
_T = TypeVar("_T", Row, Entry)


def in_order(snapshots: Sequence[Snapshot], moment: float) -> list[Snapshot]:
    """Snapshots in the order in which they are asked for files, likely ones first.

    The first after the moment has all that was there and wasn't removed in between; the last one before has what was
    removed. Then the later ones, then the earlier ones.

    :param moment: seconds since 1970
    """
    after = sorted((item for item in snapshots if item.started > moment), key=lambda item: item.started)
    before = sorted((item for item in snapshots if item.started <= moment), key=lambda item: -item.started)
    return [*after[:1], *before[:1], *after[1:], *before[1:]]


@dataclass(frozen=True)
class Picked:
    """The files that one snapshot gives.

    :param snapshot_id: where they are
    :param manifest: a manifest of these alone, with the directories on the way
    :param files: number of files
    :param size: their bytes
    """

    snapshot_id: str
    manifest: Path
    files: int
    size: int


@dataclass
class _Count:
    files: int = 0
    size: int = 0


class Picker:
    """Asks one snapshot after the other; memory doesn't grow with the number of files.

    :param rows_file: rows of the database, put aside by :func:`omeroadmin.backups.rows.put_aside`
    :param moment_ns: nanoseconds since 1970
    :param highest_ids: the highest id at the moment, by the directory with the files that are named by such ids
    :param directory: private, empty; holds what is picked
    """

    def __init__(self, rows_file: Path, moment_ns: int, highest_ids: Mapping[str, int], directory: Path) -> None:
        self._wanted = rows_file
        self._moment_ns = moment_ns
        self._highest_ids = highest_ids
        self._directory = directory
        self.picked: list[Picked] = []
        self.rows = 0
        self.missing = -1

    def take(self, snapshot_id: str, manifest: Path, *, others: bool) -> None:
        """Pick what fits of one snapshot and wasn't found in those before.

        :param manifest: of this snapshot
        :param others: whether files that no row names are wanted
        :raises AdminError: ``manifest-damaged``, ``file-not-written``
        """
        number = len(self.picked)
        mine, missing = self._directory / f"picked-{number}.zst", self._directory / f"missing-{number}.zst"
        count = _Count()
        with line_writer(mine) as out, line_writer(missing) as rest:
            writer = _Writer(out, count)
            self.missing = self._walk(manifest, writer, rest, others=others)
        self.picked.append(Picked(snapshot_id, mine, count.files, count.size))
        if number:
            self._wanted.unlink()
        self._wanted = missing

    def _walk(self, manifest: Path, writer: _Writer, rest: IO[bytes], *, others: bool) -> int:
        wanted: _Aside[Row] = _Aside(self._rows())
        covered: list[_Aside[Entry]] = [_Aside(read_manifest(item.manifest)) for item in self.picked]
        missing = 0
        for entry in read_manifest(manifest):
            key = sort_key(entry.path)
            for row in wanted.before(key):
                missing += _put(row, rest)
            named = list(wanted.at(key))
            if entry.is_directory:
                writer.directory(entry, also_empty=others and self._was_there(entry))
            elif named:
                fitting = [row for row in named if entry.is_file and compare(row, entry) is None]
                missing += sum(_put(row, rest) for row in named if row not in fitting)
                if fitting:
                    writer.file(entry)
            elif others and self._was_there(entry) and not any(list(aside.at(key)) for aside in covered):
                writer.file(entry)
        for row in wanted.before(_LAST):
            missing += _put(row, rest)
        return missing

    def _was_there(self, entry: Entry) -> bool:
        return entry.mtime_ns <= self._moment_ns and not is_newcomer(entry.path, self._highest_ids)

    def _rows(self) -> Iterator[Row]:
        for row in rows.take_up(self._wanted):
            if row.hash is None and row.size is None:
                # An upload that was going on.
                continue
            self.rows += not self.picked
            yield row

    def faults(self) -> Iterator[Fault]:
        """A fault for each row whose file no snapshot has."""
        mended = self._pyramids()
        for row in rows.take_up(self._wanted):
            if row.kind == PIXELS and row.path + PYRAMID in mended:
                continue
            size = "" if row.size is None else f" with {row.size} bytes"
            checksum = f" and {row.algorithm} {row.hash}" if row.hash else ""
            message = f"no snapshot has it{size}{checksum}, as {row.kind} {row.id} was at that time"
            yield Fault("file-missing", row.path, message)

    def _pyramids(self) -> set[str]:
        """The pyramids that were picked, of pixels that were not: they do as well."""
        wanted = {row.path + PYRAMID for row in rows.take_up(self._wanted) if row.kind == PIXELS}
        if not wanted:
            return wanted
        return {entry.path for item in self.picked for entry in read_manifest(item.manifest) if entry.path in wanted}


def _put(row: Row, rest: IO[bytes]) -> int:
    rest.write(json.dumps(row).encode() + b"\n")
    return 1


class _Writer:
    """Writes files with the directories that lead to them."""

    def __init__(self, out: IO[bytes], count: _Count) -> None:
        self._out = out
        self._count = count
        self._waiting: list[Entry] = []

    def directory(self, entry: Entry, *, also_empty: bool) -> None:
        """A directory, which is written if a file below it is, or in any case."""
        self._waiting = [item for item in self._waiting if entry.path.startswith(item.path)]
        self._waiting.append(entry)
        if also_empty:
            self._flush(entry.path)

    def file(self, entry: Entry) -> None:
        """A file, or a link that leads nowhere."""
        self._flush(entry.path)
        self._out.write(entry_line(entry))
        self._count.files += entry.is_file
        self._count.size += entry.size

    def _flush(self, path: str) -> None:
        for item in self._waiting:
            if path.startswith(item.path):
                self._out.write(entry_line(item))
        self._waiting = []


class _Aside(Generic[_T]):
    """Sorted things, walked through beside others that are sorted alike."""

    def __init__(self, items: Iterable[_T]) -> None:
        self._items: Iterator[_T] = iter(items)
        self._next: _T | None = next(self._items, None)

    def before(self, key: bytes) -> Iterator[_T]:
        """The things up to a path, without the one of that path."""
        while self._next is not None and sort_key(self._next.path) < key:
            yield self._next
            self._next = next(self._items, None)

    def at(self, key: bytes) -> Iterator[_T]:
        """The things of a path, several rows for example; what is before them is passed over."""
        deque(self.before(key), maxlen=0)
        while self._next is not None and sort_key(self._next.path) == key:
            yield self._next
            self._next = next(self._items, None)
