"""How much the members of a group share, by OMERO's names."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """What members of a group may do with each other's data; values are OMERO's ``--type``."""

    PRIVATE = "private"
    READ_ONLY = "read-only"
    READ_ANNOTATE = "read-annotate"
    READ_WRITE = "read-write"


PERMISSIONS: dict[Level, str] = {
    Level.PRIVATE: "rw----",
    Level.READ_ONLY: "rwr---",
    Level.READ_ANNOTATE: "rwra--",
    Level.READ_WRITE: "rwrw--",
}
"""Permissions of a group of each level, as OMERO writes them."""
