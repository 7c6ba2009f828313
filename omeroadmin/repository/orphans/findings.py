"""What a walk through the repository finds: things that no row may name, and things that can't be looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What something is that the database doesn't name."""

    FILE = "file"
    PIXELS = "pixels"
    PYRAMID = "pyramid"
    THUMBNAIL = "thumbnail"
    FILES_DIRECTORY = "files-directory"
    LOCK = "lock"
    TEMPORARY = "temporary"
    LEFTOVER = "leftover"
    EMPTY_DIRECTORY = "empty-directory"


class Candidate(NamedTuple):
    """Something that may be an orphan. A tuple, because there may be millions.

    :param root: name of the root, ``data`` or ``managed``
    :param path: below the root
    :param table: where ``id`` would be if it were named; empty where the path decides
    :param size: bytes, of a directory those of all its files
    :param device: with ``inode`` and ``changed_ns`` what it must still be when it is moved
    :param changed_ns: ctime in nanoseconds
    :param mode: permission bits of a directory
    """

    kind: Kind
    root: str
    path: str
    table: str
    id: int
    size: int
    device: int
    inode: int
    changed_ns: int
    mode: int = 0


class Problem(NamedTuple):
    """Something that was left alone because it can't be judged.

    :param root: name of the root
    :param path: below the root
    :param message: why
    """

    root: str
    path: str
    message: str


@dataclass
class Seen:
    """How much a walk saw.

    :param files: names of files, named or not
    :param directories: directories that were listed
    :param young: what nothing names and is too young to be judged
    :param unknown: names below Files, Pixels and Thumbnails that follow no rule of the server's
    """

    files: int = 0
    directories: int = 0
    young: int = 0
    unknown: int = 0


@dataclass(frozen=True)
class Horizon:
    """From when on things may still get their row.

    :param row_ns: a file changed since then may have a row that isn't committed; nanoseconds since 1970
    :param young_ns: files changed since then are left alone as the admin wishes; not after ``row_ns``
    :param stale_ns: temporary files and locks changed since then may be in use
    :param busy: directories of imports that go on, below the managed repository
    """

    row_ns: int
    young_ns: int
    stale_ns: int
    busy: frozenset[str] = field(default_factory=frozenset)

    def is_moving(self, changed_ns: int) -> bool:
        """Whether a directory may have been renamed too lately for the database's view to know of it."""
        return changed_ns >= _grained(self.row_ns, changed_ns)

    def is_young(self, changed_ns: int) -> bool:
        """Whether something is too young to be judged."""
        return changed_ns >= _grained(self.young_ns, changed_ns)


_KERNEL_GRAIN_NS = 20_000_000
"""The clock that stamps files lags behind by a tick of the kernel, 10 ms at most."""
_SECOND_NS = 1_000_000_000


def _grained(limit_ns: int, stamp_ns: int) -> int:
    """A limit in the clock of a stamp: some file systems count whole seconds, FAT two of them."""
    return limit_ns - (_KERNEL_GRAIN_NS if stamp_ns % _SECOND_NS else 2 * _SECOND_NS)
