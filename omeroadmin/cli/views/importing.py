"""Shows an import: a line for each image on stdout, failures and a summary on stderr, a bar on a terminal."""

from __future__ import annotations

import contextlib
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from omeroadmin.access.walk import Candidate, Found
from omeroadmin.cli.output import print_json, print_lines, say
from omeroadmin.errors import failed_error, printable
from omeroadmin.workflows.importing import FailedFile, ImportResult, Watcher

if TYPE_CHECKING:
    from rich.progress import Progress

    from omeroadmin.access.transfer import Imported


def print_files(found: Found) -> None:
    """The files that would be imported, one a line.

    :raises AdminError: ``file-not-read`` if something can't be read
    """
    print_lines(*(_shown(file.path) for file in found.files))
    _say_left_out(found)
    if found.problems:
        for path, error in found.problems:
            say(f"omero: {_shown(path)}: {error.message}")
        raise failed_error("file-not-read", f"{_count(len(found.problems), 'path')} can't be read")


class ImportView:
    """Shows an import while it runs and when it is over.

    :param found: what is to be imported
    :param as_json: collect instead of printing lines
    """

    def __init__(self, found: Found, as_json: bool) -> None:
        self._found = found
        self._as_json = as_json
        self._resources = contextlib.ExitStack()
        self._progress: Progress | None = None
        self._task: Any = None
        self.watcher = Watcher(self._starts, self._begins, self._sent, self._done, self._fails)

    def __enter__(self) -> Self:
        if not self._found.files and not self._found.problems:
            _say_left_out(self._found)
            raise failed_error(
                "nothing-to-import", "there are no files to import", "see what is left out: omero import -h"
            )
        if sys.stderr.isatty():
            self._progress = self._resources.enter_context(_progress_bar())
            self._task = self._progress.add_task("", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def finish(self, result: ImportResult) -> None:
        """The summary, or the whole result as JSON."""
        if self._as_json:
            print_json("import", _document(result))
        _say_left_out(self._found)
        if result.not_tried:
            say(f"{_count(len(result.not_tried), 'file')} not tried, because the server can't be used any more")
        images = sum(len(done.images) for done in result.imported)
        say(
            f"{_count(len(result.imported), 'file')} uploaded, {_count(len(result.imported), 'fileset')} created, "
            f"{_count(images, 'image')} imported, {len(result.skipped)} skipped, {_count(len(result.failed), 'error')} "
            f"in {timedelta(seconds=round(result.seconds, 3))}"
        )

    def _starts(self, size: int) -> None:
        if self._progress is not None:
            self._progress.update(self._task, total=size)

    def _begins(self, file: Candidate) -> None:
        if self._progress is not None:
            from rich.markup import escape

            self._progress.update(self._task, description=escape(_shown(Path(file.path.name))))

    def _sent(self, count: int) -> None:
        if self._progress is not None:
            self._progress.advance(self._task, count)

    def _done(self, done: Imported) -> None:
        if not self._as_json:
            print_lines(*(f"Image:{image.id}" for image in done.images))
            sys.stdout.flush()

    def _fails(self, failure: FailedFile) -> None:
        say(f"omero: {_shown(failure.path)}: {failure.message}")


def _progress_bar() -> Progress:
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


def _document(result: ImportResult) -> dict[str, Any]:
    return {
        "imported": [
            {
                "path": _shown(done.path),
                "size": done.size,
                "fileset": done.fileset_id,
                "hasher": done.algorithm,
                "hash": done.hash,
                "images": list(done.images),
            }
            for done in result.imported
        ],
        "skipped": [_shown(path) for path in result.skipped],
        "failed": [
            {"path": _shown(failed.path), "code": failed.code, "message": failed.message} for failed in result.failed
        ],
        "not_tried": [_shown(path) for path in result.not_tried],
        "seconds": round(result.seconds, 3),
    }


def _say_left_out(found: Found) -> None:
    for paths, what in (
        (found.hidden, "hidden and left out"),
        (found.special, "neither file nor folder, or a link to a folder, and left out"),
        (found.too_deep, "deeper than --depth and not looked into"),
    ):
        if paths:
            more = "" if len(paths) == 1 else f" and {len(paths) - 1} more"
            say(f"{_shown(paths[0])}{more}: {what}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _shown(path: Path) -> str:
    """A path as one line of text, whatever bytes it has."""
    return printable(str(path).encode("utf-8", "backslashreplace").decode())
