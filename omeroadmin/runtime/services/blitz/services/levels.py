"""Levels of sharing within a group: OMERO's bit masks, their texts and their names."""

from __future__ import annotations

from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.schema.levels import Level

__all__ = ["Level", "level_of", "mask_of", "parse_permissions", "permission_text"]

_GROUP_READ, _GROUP_WRITE, _GROUP_ANNOTATE = 0x40, 0x20, 0x10


_MASKS = {Level.PRIVATE: -120, Level.READ_ONLY: -56, Level.READ_ANNOTATE: -40, Level.READ_WRITE: -8}


def level_of(mask: int) -> Level:
    """The level of a group's permissions."""
    if not mask & _GROUP_READ:
        return Level.PRIVATE
    if mask & _GROUP_WRITE:
        return Level.READ_WRITE
    return Level.READ_ANNOTATE if mask & _GROUP_ANNOTATE else Level.READ_ONLY


def mask_of(level: Level) -> int:
    """Permissions of a group of this level; others than its members read nothing."""
    return _MASKS[level]


def permission_text(mask: int) -> str:
    """A bit mask as OMERO writes it, e.g. ``rwra--``."""
    text = ""
    for shift in (8, 4, 0):
        bits = mask >> shift
        write = "w" if bits & 2 else "a" if bits & 1 else "-"
        text += ("r" if bits & 4 else "-") + write
    return text


def parse_permissions(text: str) -> int:
    """The bit mask of a text of six characters such as ``rwra--``; the owner may always read and write.

    :raises AdminError: ``request-invalid``
    """
    mask = -1 & ~0xFFF
    pairs = [text[index : index + 2] for index in (0, 2, 4)]
    if len(text) != 6 or pairs[0] != "rw" or any(pair not in ("--", "r-", "ra", "rw") for pair in pairs[1:]):
        raise invalid(f"{text[:20]!r} are no permissions of a group: rw----, rwr---, rwra-- or rwrw--")
    for shift, pair in zip((8, 4, 0), pairs, strict=True):
        # The fourth bit is always set, and who may write may annotate.
        bits = 8 | (4 if pair[0] == "r" else 0) | {"-": 0, "a": 1, "w": 3}[pair[1]]
        mask |= bits << shift
    return mask
