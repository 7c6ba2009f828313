"""Bars for the files that are on their way, and one for all of them together."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from omeroadmin.errors import printable
from omeroadmin.workflows.import_groups import FileGroup

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def shown(path: Path) -> str:
    """A path as one line of text, whatever bytes it has."""
    return printable(str(path).encode("utf-8", "backslashreplace").decode())


class NoProgress:
    """Shows nothing: there is no terminal."""

    def starts(self, size: int) -> None:
        """So many bytes are to be sent."""

    def begins(self, group: FileGroup) -> None:
        """A fileset is about to be sent."""

    def sent(self, group: FileGroup, count: int) -> None:
        """So many more bytes of it are on their way."""

    def ends(self, group: FileGroup) -> None:
        """It is over, well or not."""


class ImportProgress:
    """Bars on the terminal that stderr is."""

    def __init__(self) -> None:
        self._bars = _bars()
        self._all: TaskID = self._bars.add_task("all", total=None)
        self._tasks: dict[Path, TaskID] = {}
        self._sent: dict[Path, int] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def starts(self, size: int) -> None:
        """So many bytes are to be sent."""
        self._bars.update(self._all, total=size)

    def begins(self, group: FileGroup) -> None:
        """A fileset is about to be sent."""
        from rich.markup import escape

        name = escape(shown(Path(group.main.path.name)))
        more = f" +{len(group.files) - 1}" if len(group.files) > 1 else ""
        self._tasks[group.main.path] = self._bars.add_task(name + more, total=group.size)
        self._sent[group.main.path] = 0

    def sent(self, group: FileGroup, count: int) -> None:
        """So many more bytes of it are on their way."""
        self._sent[group.main.path] += count
        self._bars.advance(self._tasks[group.main.path], count)
        self._bars.advance(self._all, count)

    def ends(self, group: FileGroup) -> None:
        """It is over, well or not: what wasn't sent isn't waited for."""
        task = self._tasks.pop(group.main.path, None)
        if task is not None:
            self._bars.remove_task(task)
            self._bars.advance(self._all, group.size - self._sent.pop(group.main.path))


def _bars() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        # A bar on stderr must not swallow a result that goes to a file or a pipe.
        redirect_stdout=sys.stdout.isatty(),
    )
