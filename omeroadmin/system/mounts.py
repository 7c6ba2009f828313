"""What is mounted where, and what should be."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTED = Path("/proc/self/mountinfo")
_WANTED = Path("/etc/fstab")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_PLACE_IN_MOUNTED = 4
_PLACE_IN_WANTED = 1
_OPTIONS_IN_WANTED = 3


def mount_points(table: Path = _MOUNTED) -> frozenset[Path]:
    """Directories on which something is mounted; none where the system doesn't tell.

    :param table: in the form of ``/proc/self/mountinfo``
    """
    return frozenset(Path(_unescaped(row[_PLACE_IN_MOUNTED])) for row in _rows(table) if len(row) > _PLACE_IN_MOUNTED)


def mounts_below(directory: Path) -> tuple[Path, ...]:
    """Mount points inside of a directory, the directory itself not among them."""
    real = Path(os.path.realpath(directory))
    return tuple(sorted(place for place in mount_points() if place != real and place.is_relative_to(real)))


def unmounted(directory: Path, wanted: Path = _WANTED, mounted: Path = _MOUNTED) -> Path | None:
    """The mount point at or above a directory that the system should mount and hasn't; ``None`` where all is well.

    Entries with the option ``noauto`` are somebody's own business.

    :param wanted: in the form of ``/etc/fstab``
    :param mounted: in the form of ``/proc/self/mountinfo``
    """
    present = mount_points(mounted)
    if not present:
        return None
    real = Path(os.path.realpath(directory))
    for row in _rows(wanted):
        if len(row) <= _OPTIONS_IN_WANTED or row[0].startswith("#"):
            continue
        place = Path(_unescaped(row[_PLACE_IN_WANTED]))
        if "noauto" not in row[_OPTIONS_IN_WANTED].split(",") and place not in present and real.is_relative_to(place):
            return place
    return None


def _rows(table: Path) -> list[list[str]]:
    try:
        return [line.split() for line in table.read_text("utf-8", "surrogateescape").splitlines()]
    except OSError:
        return []


def _unescaped(text: str) -> str:
    """Blanks and the like stand as three octal digits in both tables."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
