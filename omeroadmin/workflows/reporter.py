"""How a long operation tells what it is doing; what becomes of it is the caller's business."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Whoever listens to an operation."""

    def say(self, line: str) -> None:
        """Something that should be known in any case."""
        ...

    def progress(self, line: str) -> None:
        """Something for whoever is watching."""
        ...


class Silent:
    """Nobody listens."""

    def say(self, line: str) -> None:
        """Drop it."""

    def progress(self, line: str) -> None:
        """Drop it."""


SILENT = Silent()
