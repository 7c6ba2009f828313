"""What is wrong with a stored file, held against what was recorded when it came."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.repository.checksums import ALGORITHMS, SIZE_ONLY, hash_file


class FaultKind(StrEnum):
    """What may be wrong."""

    MISSING = "missing"
    SIZE = "size-differs"
    CONTENT = "hash-differs"
    UNREADABLE = "unreadable"
    UNKNOWN = "no-checksum"
    REPOSITORY = "repository-unknown"
    PATH = "path-escapes"


@dataclass(frozen=True)
class FileFault:
    """A fault.

    :param words: a sentence about "it"
    """

    kind: FaultKind
    words: str


@dataclass(frozen=True)
class Recorded:
    """What the database says of a file.

    :param size: bytes; ``None`` where it says none
    :param algorithm: OMERO's name
    """

    size: int | None
    hash: str | None
    algorithm: str | None

    @property
    def has_checksum(self) -> bool:
        """Whether there is something to compare."""
        return self.hash is not None and self.algorithm in ALGORITHMS


def file_fault(
    path: Path | None, recorded: Recorded, *, checksum: bool = True, on_read: Callable[[int], None] | None = None
) -> FileFault | None:
    """Look whether a file is there, as long as it should be, and of the recorded content; links are followed.

    :param path: ``None`` where nobody knows its repository
    :param checksum: whether it is read
    :param on_read: told of each piece's length; may take its time
    """
    if checksum and not recorded.has_checksum:
        return FileFault(FaultKind.UNKNOWN, "no checksum was recorded")
    try:
        status = None if path is None else path.stat()
    except (FileNotFoundError, NotADirectoryError):
        status = None
    except OSError as error:
        return FileFault(FaultKind.UNREADABLE, f"it can't be read: {error.strerror}")
    if path is None or status is None or not stat.S_ISREG(status.st_mode):
        return FileFault(FaultKind.MISSING, "it is missing")
    if recorded.size is not None and status.st_size != recorded.size:
        return FileFault(FaultKind.SIZE, f"it has {status.st_size} bytes, not {recorded.size}")
    return _content_fault(path, status.st_size, recorded, on_read) if checksum else None


def _content_fault(
    path: Path, size: int, recorded: Recorded, on_read: Callable[[int], None] | None
) -> FileFault | None:
    algorithm, wanted = str(recorded.algorithm), str(recorded.hash)
    if algorithm == SIZE_ONLY:
        found = f"{size:016x}"
    else:
        try:
            found = hash_file(path, algorithm, on_read=on_read)
        except AdminError as error:
            return FileFault(FaultKind.UNREADABLE, error.message)
    if found == wanted.lower():
        return None
    return FileFault(FaultKind.CONTENT, f"its {algorithm} is {found}, not {wanted}")
