"""Compares the files that the database names with those in a manifest: both sorted, one pass, no memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import Entry, sort_key

SHA1_NAME = "SHA1-160"
"""OMERO's name of the one algorithm that manifests carry as well."""
SIZE_NAME = "File-Size-64"
"""OMERO's name of the algorithm that looks at no content: the size in hexadecimal."""

PIXELS = "pixels"
PYRAMID = "_pyramid"
"""What a file of pixels may be replaced by."""


class Row(NamedTuple):
    """What the database says of a file.

    :param path: where the manifest should have it
    :param size: bytes; ``None`` where none was recorded
    :param hash: in hexadecimal; ``None`` while an upload goes on
    :param algorithm: OMERO's name, ``SHA1-160``
    :param id: of the row
    :param kind: table of the row: ``originalfile`` or ``pixels``
    """

    path: str
    size: int | None
    hash: str | None
    algorithm: str | None
    id: int
    kind: str = "originalfile"


@dataclass
class Tally:
    """How much was compared.

    :param rows: rows looked at
    :param hashes: rows whose SHA-1 was compared
    :param uploads: rows left out because an upload was going on
    """

    rows: int = 0
    hashes: int = 0
    uploads: int = 0


def reconcile(rows: Iterable[Row], entries: Iterable[Entry], tally: Tally) -> Iterator[Fault]:
    """Faults of all rows whose file isn't in the manifest as recorded; files without a row are no fault.

    :param rows: in byte order of their paths
    :param entries: in byte order of their paths
    :param tally: counted up
    """
    files = _Files(entries)
    for row in rows:
        if row.hash is None and row.size is None:
            tally.uploads += 1
            continue
        tally.rows += 1
        entry = files.find(row.path)
        yield from files.settled(row.path)
        if entry is None:
            fault = Fault("file-missing", row.path, f"{row.kind} {row.id} of the database is not among the files")
            if row.kind == PIXELS:
                files.may_be_mended(row.path, fault)
            else:
                yield fault
            continue
        tally.hashes += row.algorithm == SHA1_NAME and entry.sha1 is not None and row.hash is not None
        fault_found = compare(row, entry)
        if fault_found is not None:
            yield fault_found
    yield from files.settled()


class _Files:
    """Entries of a manifest, asked for in order."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._remaining = iter(entries)
        self._entry = next(self._remaining, None)
        self._missing: dict[str, Fault] = {}
        self._directory = ""

    def find(self, path: str) -> Entry | None:
        """The file of a path that sorts behind all those asked for before."""
        key = sort_key(path)
        while self._entry is not None and sort_key(self._entry.path) < key:
            self._advance()
        if self._entry is None or self._entry.path != path or not self._entry.is_file:
            return None
        return self._entry

    def may_be_mended(self, path: str, fault: Fault) -> None:
        """Keep a fault of missing pixels until it is clear that there is no pyramid of them, which sorts later."""
        self._directory = _parent(path)
        self._missing[path + PYRAMID] = fault

    def settled(self, path: str = "") -> Iterable[Fault]:
        """Kept faults, once the next path is in another directory; without a path, at the end."""
        if not self._missing or _parent(path) == self._directory:
            return ()
        while not path and self._missing and self._entry is not None:
            self._advance()
        faults = tuple(self._missing.values())
        self._missing.clear()
        return faults

    def _advance(self) -> None:
        if self._missing and self._entry is not None:
            self._missing.pop(self._entry.path, None)
        self._entry = next(self._remaining, None)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def compare(row: Row, entry: Entry) -> Fault | None:
    """What is wrong with a file that a row names, as far as the two can be compared."""
    known = f"{row.kind} {row.id} of the database has"
    if row.size is not None and row.size != entry.size:
        return Fault("size-differs", row.path, f"has {entry.size} bytes, {known} {row.size}")
    if not row.hash:
        return None
    if row.algorithm == SIZE_NAME and row.hash.lower() != f"{entry.size:016x}":
        return Fault("hash-differs", row.path, f"has {SIZE_NAME} {entry.size:016x}, {known} {row.hash}")
    if row.algorithm == SHA1_NAME and entry.sha1 is not None and row.hash.lower() != entry.sha1:
        return Fault("hash-differs", row.path, f"has SHA-1 {entry.sha1}, {known} {row.hash}")
    return None
