"""How the size of a heap came about, step by step, for those who ask why."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIZE = re.compile(r"([0-9]{1,15})([kKmMgGtT]?)")
_UNITS = {"": 2**20, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Value:
    """A property in force.

    :param text: its value; empty where there is none
    :param source: where the value comes from, in words
    """

    name: str
    text: str
    source: str


@dataclass(frozen=True)
class Step:
    """One step of the arithmetic.

    :param what: what is found or computed
    :param value: with its unit
    :param why: where it comes from
    """

    what: str
    value: str
    why: str


@dataclass(frozen=True)
class Heap:
    """The size of a heap.

    :param size: as ``-Xmx`` takes it, e.g. ``512m``
    :param decided_by: the property that made the difference
    :param steps: the way to it
    """

    size: str
    decided_by: Value
    steps: tuple[Step, ...]

    @property
    def bytes(self) -> int:
        """The size as Java reads it: an m is 1,048,576 bytes."""
        return size_in_bytes(self.size) or 0


def size_in_bytes(size: str) -> int | None:
    """Bytes of a size such as ``512m``; without a letter it is in m. ``None`` for what is no size."""
    match = _SIZE.fullmatch(size)
    if match is None or not int(match[1]):
        return None
    return int(match[1]) * _UNITS[match[2].lower()]


def megabytes_of_size(size: str) -> int | None:
    """The same in units of 1,000,000 bytes, in which machines are measured; rounded up."""
    found = size_in_bytes(size)
    return None if found is None else -(-found // _MEGABYTE)
