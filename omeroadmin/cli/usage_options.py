"""Values of the options of ``omero fs usage``."""

from __future__ import annotations

from enum import StrEnum


class SumBy(StrEnum):
    """What the report keeps apart."""

    USER = "user"
    GROUP = "group"
    COMPONENT = "component"


class SortBy(StrEnum):
    """What the report is sorted by."""

    USER = "user"
    GROUP = "group"
    COMPONENT = "component"
    SIZE = "size"
    FILES = "files"


class Units(StrEnum):
    """Units of sizes."""

    K = "K"
    M = "M"
    G = "G"
    T = "T"
    P = "P"
