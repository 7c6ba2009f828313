"""What differs between two states of a profile, as data: plans, history, reports and diffs are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PropertyChange:
    """One property before and after.

    :param old: its value before; ``None`` where it wasn't set
    :param new: its value after; ``None`` where it is removed
    """

    name: str
    old: str | None = field(repr=False)
    new: str | None = field(repr=False)

    @property
    def sign(self) -> str:
        """``+`` for a new property, ``-`` for a removed one, ``~`` for one with another value."""
        if self.old is None:
            return "+"
        return "-" if self.new is None else "~"


@dataclass(frozen=True)
class Changes:
    """What a write has changed; false where that is nothing.

    :param profile: the profile that was written
    :param properties: in the order in which they were given
    """

    profile: str = ""
    properties: tuple[PropertyChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.properties)


def changes_between(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[PropertyChange, ...]:
    """What leads from one state to another, sorted by name."""
    return tuple(
        PropertyChange(name, old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )
