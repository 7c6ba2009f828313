"""What differs between two snapshots: two manifests side by side, so that memory doesn't grow with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from omeroadmin.backups.manifest import Checksum, Entry, sort_key


class Change(StrEnum):
    """What has become of a file from the older to the newer snapshot."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Difference(NamedTuple):
    """A file that isn't the same in both.

    :param before: bytes in the older one; ``None`` where it isn't there
    :param after: bytes in the newer one; ``None`` where it isn't there
    """

    change: Change
    path: str
    before: int | None
    after: int | None


def differences(older: Iterable[Entry], newer: Iterable[Entry]) -> Iterator[Difference]:
    """Files that were added, removed, or have other contents; times, modes and directories don't count.

    :param older: in byte order of the paths
    :param newer: in byte order of the paths
    """
    first, second = _files(older), _files(newer)
    one, other = next(first, None), next(second, None)
    while one is not None or other is not None:
        if other is None or (one is not None and sort_key(one.path) < sort_key(other.path)):
            assert one is not None  # noqa: S101 - the loop's condition
            yield Difference(Change.REMOVED, one.path, one.size, None)
            one = next(first, None)
        elif one is None or sort_key(other.path) < sort_key(one.path):
            yield Difference(Change.ADDED, other.path, None, other.size)
            other = next(second, None)
        else:
            if (one.blake3, one.link) != (other.blake3, other.link):
                yield Difference(Change.CHANGED, one.path, one.size, other.size)
            one, other = next(first, None), next(second, None)


def part_differences(older: Mapping[str, Checksum], newer: Mapping[str, Checksum], top: str) -> Iterator[Difference]:
    """The same of the files below one directory of a snapshot, by their checksums.

    :param top: ``etc``
    """
    for path in sorted(older.keys() | newer.keys()):
        if not path.startswith(f"{top}/") or older.get(path) == newer.get(path):
            continue
        before, after = older.get(path), newer.get(path)
        change = Change.ADDED if before is None else Change.REMOVED if after is None else Change.CHANGED
        yield Difference(change, path, before and before.size, after and after.size)


def _files(entries: Iterable[Entry]) -> Iterator[Entry]:
    return (entry for entry in entries if not entry.is_directory)
