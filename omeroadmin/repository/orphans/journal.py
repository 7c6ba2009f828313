"""The record of a quarantine: what is moved where, on the disk before anything is moved."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from omeroadmin.errors import failed_error
from omeroadmin.repository.orphans.findings import Candidate, Kind
from omeroadmin.system import files

NAME = "journal.jsonl"
_FORMAT = "omeroadmin/quarantine/1"


class Moved(NamedTuple):
    """A line of a journal.

    :param root: name of the root
    :param path: below the root
    :param store: where its content is: ``ROOT:DIRECTORY``, the directory below the root that holds ``.omero``; empty
        beside the journal
    :param mode: permission bits of a directory
    """

    kind: Kind
    root: str
    path: str
    store: str
    size: int
    mode: int


def write_header(directory: Path, header: dict[str, Any]) -> None:
    """Begin a journal.

    :param directory: of the quarantine, which exists
    :raises AdminError: ``file-not-written``
    """
    files.write_atomically(directory / NAME, _line({"schema": _FORMAT, **header}), mode=0o600)


def append(directory: Path, lines: Iterable[Moved]) -> None:
    """Record what is going to be moved; it is on the disk when this returns.

    :raises AdminError: ``file-not-written``
    """
    path = directory / NAME
    try:
        with path.open("ab") as stream:
            stream.writelines(_line(list(line)) for line in lines)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise files.file_error("written", path, error) from error


def read_header(directory: Path) -> dict[str, Any]:
    """What a quarantine says of itself.

    :raises AdminError: ``file-not-read``, ``quarantine-damaged``
    """
    path = directory / NAME
    try:
        with path.open("rb") as stream:
            header = json.loads(stream.readline())
        if header["schema"] == _FORMAT and isinstance(header["database"], str):
            return dict(header)
    except OSError as error:
        raise files.file_error("read", path, error) from error
    except (ValueError, KeyError, TypeError):
        pass
    raise failed_error(
        "quarantine-damaged", f"{path} is no journal of a quarantine", f"look at what is in {directory} by hand"
    )


def read(directory: Path) -> Iterator[Moved]:
    """The lines of a journal; the last one of a killed run may be cut off, and nothing was moved by it.

    :raises AdminError: ``file-not-read``, ``quarantine-damaged``
    """
    path = directory / NAME
    read_header(directory)
    try:
        with path.open("rb") as stream:
            stream.readline()
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                yield _moved(line, path)
    except OSError as error:
        raise files.file_error("read", path, error) from error


def entry(candidate: Candidate, store: str) -> Moved:
    """The line of a candidate."""
    return Moved(candidate.kind, candidate.root, candidate.path, store, candidate.size, candidate.mode)


def _moved(line: bytes, path: Path) -> Moved:
    try:
        kind, root, relative, store, size, mode = json.loads(line)
        return Moved(Kind(kind), str(root), str(relative), str(store), int(size), int(mode))
    except (ValueError, TypeError) as error:
        raise failed_error(
            "quarantine-damaged",
            f"{path} has a line that can't be read: {line[:60]!r}",
            f"look at {path.parent} by hand",
        ) from error


def _line(document: Any) -> bytes:
    # Names that aren't UTF-8 are lone surrogates, which JSON carries as escapes.
    return json.dumps(document, ensure_ascii=True).encode() + b"\n"
