"""Shows how a move goes and what it has come to."""

from __future__ import annotations

import sys

from omeroadmin.cli.output import print_lines
from omeroadmin.repository.mirroring import Mirrored, Watcher
from omeroadmin.system.clock import monotonic
from omeroadmin.workflows.move import MovePlan

_PAUSE = 0.5


def copy_watcher() -> Watcher | None:
    """A line that counts, on a terminal only."""
    if not sys.stderr.isatty():
        return None
    last = [monotonic()]

    def show(done: Mirrored) -> None:
        if monotonic() - last[0] >= _PAUSE:
            last[0] = monotonic()
            sys.stderr.write(f"\r\x1b[K{done.files} files, {done.size / 1e9:.1f} GB")
            sys.stderr.flush()

    return show


def show_moved(move: MovePlan, *, undone: bool) -> None:
    """Where the files are now."""
    if move.note is None:
        return
    place = move.note.old if undone else move.note.new
    print_lines(f"{move.note.property} is {place}.")
    if not undone and move.kept is not None:
        print_lines(f"The old directory is left; when all is well: rm -r {move.kept}")
    if not undone and not move.note.was_running:
        print_lines("The server was not running; start it: omero admin start")
