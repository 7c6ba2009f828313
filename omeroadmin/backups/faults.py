"""What is wrong with a snapshot, in a form that stays small however much is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

LIMIT = 1000
"""Faults kept with their words; further ones are counted."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    :param code: kebab-case kind, e.g. ``file-missing``
    :param path: the file concerned: path in the repository as the manifest names it, or a file of the snapshot
    :param message: what is wrong with it
    :param pool_file: the file of the target concerned
    """

    code: str
    path: str
    message: str
    pool_file: str = ""

    def __str__(self) -> str:
        kind = "pool file " if self.code.startswith("content-") else ""
        place = f" ({kind}{self.pool_file})" if self.pool_file else ""
        return f"{self.path}: {self.message}{place}"


@dataclass
class FaultList:
    """Faults as they are found: all counted, the first ones kept."""

    kept: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, fault: Fault) -> None:
        """Count a fault, and keep it if there are few."""
        self.count += 1
        if len(self.kept) < LIMIT:
            self.kept.append(fault)

    def extend(self, faults: Iterable[Fault]) -> None:
        """Add several."""
        for fault in faults:
            self.add(fault)

    def take_over(self, other: FaultList) -> None:
        """Add another list, with what it only counted."""
        self.extend(other.kept)
        self.count += other.count - len(other.kept)
