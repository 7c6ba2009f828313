"""How far a backup has come, for somebody who watches; cron sees nothing of it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_INTERVAL = 0.1
"""Seconds between looks: half a million files must not be held up by their bar."""


class BackupProgress:
    """One bar, which names the part that is being saved."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)
        self._seen = 0
        self._shown = 0.0

    def begins(self, part: str, size: int = 0) -> None:
        """A part begins.

        :param size: bytes that are expected; 0 where nobody knows
        """
        self._seen = 0
        self._bar.reset(self._task, description=part, total=size or None)

    def passes(self, size: int) -> None:
        """A file of this size has been looked at."""
        self._seen += size
        now = time.monotonic()
        if now - self._shown >= _INTERVAL:
            self._shown = now
            self._bar.update(self._task, completed=self._seen)


@contextlib.contextmanager
def backup_progress(*, quiet: bool) -> Iterator[BackupProgress | None]:
    """A bar on stderr; ``None`` where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        yield BackupProgress(bar)
