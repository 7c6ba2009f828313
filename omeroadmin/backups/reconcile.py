"""Compares the files that the database names with those in a manifest: both sorted, one pass, no memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import Entry, sort_key

SHA1_NAME = "SHA1-160"
"""OMERO's name of the one algorithm that manifests carry as well."""


class Row(NamedTuple):
    """What the database says of a file.

    :param path: where the manifest should have it
    :param size: bytes; ``None`` where none was recorded
    :param hash: in hexadecimal; ``None`` while an upload goes on
    :param algorithm: OMERO's name, ``SHA1-160``
    :param id: of the originalfile
    """

    path: str
    size: int | None
    hash: str | None
    algorithm: str | None
    id: int


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
    remaining = iter(entries)
    entry = next(remaining, None)
    for row in rows:
        if row.hash is None and row.size is None:
            tally.uploads += 1
            continue
        tally.rows += 1
        key = sort_key(row.path)
        while entry is not None and sort_key(entry.path) < key:
            entry = next(remaining, None)
        if entry is None or entry.path != row.path or not entry.is_file:
            yield Fault("file-missing", row.path, f"originalfile {row.id} of the database is not among the files")
            continue
        fault = _compare(row, entry)
        tally.hashes += row.algorithm == SHA1_NAME and entry.sha1 is not None and row.hash is not None
        if fault is not None:
            yield fault


def _compare(row: Row, entry: Entry) -> Fault | None:
    if row.size is not None and row.size != entry.size:
        return Fault(
            "size-differs",
            row.path,
            f"has {entry.size} bytes, originalfile {row.id} of the database has {row.size}",
        )
    if row.algorithm != SHA1_NAME or not row.hash or entry.sha1 is None:
        return None
    if row.hash.lower() != entry.sha1:
        return Fault(
            "hash-differs", row.path, f"has SHA-1 {entry.sha1}, originalfile {row.id} of the database has {row.hash}"
        )
    return None
