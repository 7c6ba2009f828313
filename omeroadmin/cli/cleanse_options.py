"""Options of ``omero admin cleanse``."""

from __future__ import annotations

import re
from enum import StrEnum

from omeroadmin.errors import usage_error

_AGE = re.compile(r"([0-9]{1,9})([smhdw]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Subdirectory(StrEnum):
    """Parts of the repository."""

    FILES = "Files"
    PIXELS = "Pixels"
    THUMBNAILS = "Thumbnails"
    MANAGED = "ManagedRepository"


def min_age_seconds(text: str) -> float:
    """An age as it is typed.

    :raises AdminError: ``age-invalid``
    """
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise usage_error("age-invalid", f"{text[:40]!r} is no age", "a number with s, m, h, d or w after it: 7d")
    return float(int(match[1]) * _UNITS[match[2]])
