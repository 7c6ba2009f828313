"""The index for people and programs: how far it is, and how fast it goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from omeroadmin.cli.output import print_json, print_lines, say
from omeroadmin.workflows.reindex_all import STEPS, Listener, Note, Pace

if TYPE_CHECKING:
    from omeroadmin.workflows.reindex import IndexStatus, WipePlan
    from omeroadmin.workflows.reindex_foreground import ForegroundWish, Indexed

_STEPS = {
    "prepare": "disable and stop the indexer",
    "wipe": "remove the index",
    "reset": "begin with the first event",
    "finish": "enable and start the indexer",
    "follow": "wait until everything is indexed",
}


def steps_ahead(note: Note | None) -> list[str]:
    """What a run does, for a plan."""
    if note is None:
        return [
            "Plan: the full-text index is made anew",
            *(f"  {i}. {_STEPS[name]}" for i, name in enumerate(STEPS, 1)),
        ]
    ahead = STEPS[STEPS.index(note.step) :]
    title = f"Plan: go on with the run of {note.started}, which was interrupted"
    return [title, *(f"  {i}. {_STEPS[name]}" for i, name in enumerate(ahead, 1))]


@contextmanager
def progress() -> Iterator[Listener]:
    """A line that is written over on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield Listener()
        return
    listener = _TerminalListener()
    try:
        yield listener
    finally:
        listener.end()


class _TerminalListener(Listener):
    def __init__(self) -> None:
        self._is_open = False

    def step(self, name: str) -> None:
        self.end()
        say(_STEPS.get(name, name))

    def pace(self, pace: Pace) -> None:
        sys.stderr.write(f"\r{pace_line(pace):<70}")
        sys.stderr.flush()
        self._is_open = True

    def end(self) -> None:
        """Leave the line."""
        if self._is_open:
            sys.stderr.write("\n")
        self._is_open = False


def pace_line(pace: Pace) -> str:
    """Percent, rate and the time that is left."""
    left = "" if pace.eta is None else f", {_duration(pace.eta)} left"
    return f"{pace.percent:6.2f} %  {pace.done} of {pace.total}, {pace.rate:.0f}/s{left}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def show_status(status: IndexStatus, *, as_json: bool) -> None:
    """Counter, files, indexers; what is wrong on stderr."""
    progress, index = status.progress, status.index
    if as_json:
        print_json(
            "reindex/status",
            {
                "percent": progress.percent,
                "up_to_date": status.is_up_to_date,
                "position": progress.position,
                "first": progress.first,
                "last": progress.last,
                "events": progress.rows,
                "behind": progress.behind,
                "index": index,
                "servers": [{"id": server.id, "state": server.describe()} for server in status.servers],
                "unfinished": status.unfinished or None,
                "problems": status.problems,
            },
        )
    else:
        behind = "all is indexed" if not progress.behind else f"{progress.behind} events are left"
        print_lines(
            f"Percent indexed: {progress.percent:.2f}%",
            f"Counter: {progress.position} of {progress.last}; {behind}",
            f"Index: {_index_words(status)}",
            *(f"{server.id}: {server.describe()}" for server in status.servers),
        )
    for problem in status.problems:
        say(f"omero: {problem}")


def _index_words(status: IndexStatus) -> str:
    index = status.index
    if not index.exists:
        return "there is none yet"
    if index.problems:
        return "DAMAGED"
    whole = ", as it was written" if index.is_read else ""
    return f"{index.documents} objects, {index.segments} segments, {index.size / 1e6:.1f} MB{whole}"


def wipe_line(what: str, plan: WipePlan) -> str:
    """What a wipe removes, or removed."""
    return f"{plan.directory}: {plan.files} files, {plan.size / 1e6:.1f} MB {what}"


def show_indexed(wish: ForegroundWish, indexed: Indexed, *, as_json: bool) -> None:
    """What was indexed, or would be."""
    if as_json:
        print_json("reindex/indexed", {"objects": indexed.objects, "counts": indexed.counts, "dry_run": wish.dry_run})
        return
    if not wish.dry_run:
        print_lines(f"{indexed.objects} objects indexed")
        return
    unit = "events" if wish.what == "events" else "objects"
    print_lines(*(f"{name}: {count}" for name, count in indexed.counts.items()))
    print_lines(f"{sum(indexed.counts.values())} {unit} would be gone through; nothing was changed")
