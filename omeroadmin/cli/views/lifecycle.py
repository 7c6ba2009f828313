"""Tells on stderr how a start or stop goes: to a terminal everything, to cron only what needs somebody."""

from __future__ import annotations

import sys

from omeroadmin.cli.output import say


class StderrReporter:
    """A listener of the lifecycle's operations."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()

    def say(self, line: str) -> None:
        """Something that should be known in any case."""
        say(line)

    def progress(self, line: str) -> None:
        """Something for whoever is watching."""
        if self._watched:
            say(line)
