"""Bars for the hosts of a roll-out on a terminal; nothing elsewhere, so that cron jobs and logs stay quiet."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from omeroadmin.cli.output import say
from omeroadmin.errors import printable
from omeroadmin.provisioning.rollout_plan import HostPlan
from omeroadmin.provisioning.rollout_report import Done, HostReport

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class ApplyProgress:
    """A bar for each host at work on the terminal that stderr is. A context, and a listener.

    :param quiet: whether there is none anywhere
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._bars = _bars() if sys.stderr.isatty() and not quiet else None
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def connected(self, host: str) -> None:
        """Nothing to show yet."""

    def planned(self, plan: HostPlan) -> None:
        """Nothing to show yet."""

    def started(self, host: str, title: str, number: int, count: int) -> None:
        """Another operation is at work."""
        if self._bars is None:
            return
        from rich.markup import escape

        text = f"{host}: {printable(title)}"
        words = escape(text if len(text) <= 60 else f"{text[:59]}…")
        with self._lock:
            if host not in self._tasks:
                self._tasks[host] = self._bars.add_task(words, total=count)
            self._bars.update(self._tasks[host], description=words, completed=number - 1, total=count)

    def done(self, host: str, done: Done) -> None:
        """The bar has said so."""

    def halting(self) -> None:
        """Whoever has pressed Ctrl-C is told why nothing ends yet."""
        say("Interrupted: what is at work on the hosts is waited for; Ctrl-C again leaves it")

    def ended(self, report: HostReport) -> None:
        """The host needs no bar any more."""
        with self._lock:
            task = self._tasks.pop(report.host, None)
            if task is not None and self._bars is not None:
                self._bars.remove_task(task)


def _bars() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        transient=True,
        # A bar on stderr must not swallow a result that goes to a file or a pipe.
        redirect_stdout=sys.stdout.isatty(),
    )
