"""Shows an import: what is new on stdout, failures and a summary on stderr."""

from __future__ import annotations

import contextlib
import sys
from datetime import timedelta
from typing import Any, Self

from omeroadmin.access.transfer import Imported
from omeroadmin.cli.import_options import Output
from omeroadmin.cli.output import print_json, print_lines, say
from omeroadmin.cli.views.import_progress import ImportProgress, NoProgress, shown
from omeroadmin.errors import failed_error
from omeroadmin.workflows.import_groups import FileGroup
from omeroadmin.workflows.importing import FailedFile, ImportResult, Prepared, Watcher

_RULE = "#" + "=" * 38


def print_groups(prepared: Prepared) -> None:
    """The files that would be imported, each fileset's after a comment, as OMERO's importer prints them.

    :raises AdminError: ``file-not-read`` if something can't be imported
    """
    for task in prepared.tasks:
        group = task.group
        plate = "true" if group.is_plate else "false"
        print_lines(_RULE, f"# Group: {shown(group.main.path)} SPW: {plate} Reader: {group.reader}")
        print_lines(*(shown(file.path) for file in group.files))
    _say_left_out(prepared)
    if prepared.problems:
        for path, error in prepared.problems:
            say(f"omero: {shown(path)}: {error.message}")
        raise failed_error("file-not-read", f"{_count(len(prepared.problems), 'path')} can't be read")


class ImportView:
    """Shows an import while it runs and when it is over.

    :param prepared: what is to be imported
    :param quiet: whether to say of failures only
    """

    def __init__(self, prepared: Prepared, output: Output, *, quiet: bool = False) -> None:
        self._prepared = prepared
        self._quiet = quiet
        self._output = output
        self._resources = contextlib.ExitStack()
        self._progress: ImportProgress | NoProgress = NoProgress()
        self.watcher = Watcher(self._starts, self._begins, self._sent, self._done, self._fails)

    def __enter__(self) -> Self:
        if not self._prepared.tasks and not self._prepared.problems:
            _say_left_out(self._prepared)
            raise failed_error(
                "nothing-to-import", "there are no files to import", "see what is left out: omero import -h"
            )
        if sys.stderr.isatty() and not self._quiet:
            self._progress = self._resources.enter_context(ImportProgress())
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def finish(self, result: ImportResult) -> None:
        """The summary, or the whole result as JSON."""
        if self._output is Output.JSON:
            print_json("import", _document(result))
        if self._quiet:
            return
        _say_left_out(self._prepared)
        if result.not_tried:
            say(f"{_count(len(result.not_tried), 'file')} not tried, because the import stopped before")
        plates = sum(len(done.plates) for done in result.imported)
        say(
            f"{_count(sum(len(done.files) for done in result.imported), 'file')} uploaded, "
            f"{_count(len(result.imported), 'fileset')}{', ' + _count(plates, 'plate') if plates else ''} created, "
            f"{_count(sum(len(done.images) for done in result.imported), 'image')} imported, "
            f"{len(result.skipped)} skipped, {_count(len(result.failed), 'error')} "
            f"in {timedelta(seconds=round(result.seconds, 3))}"
        )

    def _starts(self, size: int) -> None:
        self._progress.starts(size)

    def _begins(self, group: FileGroup) -> None:
        self._progress.begins(group)

    def _sent(self, group: FileGroup, count: int) -> None:
        self._progress.sent(group, count)

    def _done(self, group: FileGroup, done: Imported) -> None:
        self._progress.ends(group)
        _print_done(done, self._output)
        sys.stdout.flush()
        for path, reason in done.kept:
            say(f"omero: {shown(path)}: imported, but not removed: {reason}")

    def _fails(self, failure: FailedFile, group: FileGroup | None) -> None:
        if group is not None:
            self._progress.ends(group)
        say(f"omero: {shown(failure.path)}: {failure.message}")


def _print_done(done: Imported, output: Output) -> None:
    """What OMERO's importer prints of a fileset, in its styles."""
    images = [str(image.id) for image in done.images]
    plates = [str(plate) for plate in done.plates]
    match output:
        case Output.IDS:
            print_lines(f"Image:{','.join(images)}")
            if plates:
                print_lines(f"Plate:{','.join(plates)}")
        case Output.LEGACY:
            print_lines(*(str(image.pixels_id or image.id) for image in done.images))
            say(f"Fileset:{done.fileset_id}")
            for kind, ids in (("Image", images), ("Plate", plates)):
                for one in ids:
                    say(f"{kind}:{one}")
        case Output.YAML:
            print_lines("---", f"- Fileset: {done.fileset_id}", f"  Image: [{','.join(images)}]")
            if plates:
                print_lines(f"  Plate: [{','.join(plates)}]")
        case Output.JSON:
            pass


def _document(result: ImportResult) -> dict[str, Any]:
    return {
        "imported": [
            {
                "path": shown(done.path),
                "size": done.size,
                "fileset": done.fileset_id,
                "hasher": done.algorithm,
                "hash": done.files[0].hash,
                "images": list(done.images),
                "plates": list(done.plates),
                "target": None if done.target is None else f"{done.target[0]}:{done.target[1]}",
                "files": [{"path": shown(file.path), "size": file.size, "hash": file.hash} for file in done.files],
                "kept": [{"path": shown(path), "reason": reason} for path, reason in done.kept],
            }
            for done in result.imported
        ],
        "skipped": [shown(path) for path in result.skipped],
        "failed": [
            {"path": shown(failed.path), "code": failed.code, "message": failed.message} for failed in result.failed
        ],
        "not_tried": [shown(path) for path in result.not_tried],
        "seconds": round(result.seconds, 3),
    }


def _say_left_out(prepared: Prepared) -> None:
    found = prepared.found
    for paths, what in (
        ([path for one in found for path in one.hidden], "hidden and left out"),
        ([path for one in found for path in one.special], "neither file nor folder, or a link to a folder: left out"),
        ([path for one in found for path in one.too_deep], "deeper than --depth and not looked into"),
        (list(prepared.ignored), "no image and left out"),
    ):
        if paths:
            more = "" if len(paths) == 1 else f" and {len(paths) - 1} more"
            say(f"{shown(paths[0])}{more}: {what}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
