"""Histories of config.xml: what they hold, and how other tools and kills spoil them."""

from __future__ import annotations

import os
from pathlib import Path

from omeroadmin.profiles.history import History, history_file, read_history
from omeroadmin.profiles.state import State, applied, digest
from omeroadmin.profiles.store import update_profile


def numbers(file: Path) -> list[int]:
    """Numbers of all revisions."""
    return [revision.number for revision in read_history(file).revisions]


def causes(file: Path) -> list[str]:
    """Causes of all revisions, oldest first."""
    return [revision.cause for revision in read_history(file).revisions]


def as_another_tool(file: Path, *sets: tuple[str, str]) -> None:
    """Change config.xml as a tool does that knows of no history."""
    history = history_file(file)
    aside = history.with_name("aside")
    there = history.exists()
    if there:
        history.rename(aside)
    update_profile(file, dict(sets))
    history.unlink(missing_ok=True)
    if there:
        aside.rename(history)


def undo_confirmation(file: Path) -> None:
    """Leave the history as a kill leaves it that comes before the last revision is confirmed."""
    history = history_file(file)
    content = history.read_bytes()
    assert content.endswith(b'"done":1}\n')
    with history.open("r+b") as stream:
        os.pwrite(stream.fileno(), b"0", len(content) - 3)


def replayed(history: History) -> State:
    """The state that all revisions lead to, each one checked."""
    assert history.past is not None
    state = history.past.base.state
    assert digest(state) == history.past.base.after
    for revision in history.revisions:
        assert digest(state) == revision.before
        state = applied(state, revision.change)
        assert digest(state) == revision.after
    return state


def assert_agrees(file: Path) -> History:
    """Assert that file and history say the same, without anything left to record."""
    history = read_history(file)
    assert not history.pending
    assert replayed(history) == history.present
    return history
