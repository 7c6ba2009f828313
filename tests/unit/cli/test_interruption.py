"""What an interrupt is said to leave behind."""

from __future__ import annotations

import pytest

from omeroadmin.cli.interruption import _AFTER, Interrupted
from omeroadmin.cli.registry import GROUPS, TOP_COMMANDS


def test_what_is_said_is_said_of_commands_that_there_are() -> None:
    known = {f"{group} {name}" for group, one in GROUPS.items() for name in one.commands} | set(TOP_COMMANDS)
    assert set(_AFTER) <= known


@pytest.mark.parametrize(
    ("command", "words"),
    [("omero fs check", "goes on where it was"), ("omero user add", "nothing is half-done"), ("omero", "run again")],
)
def test_line(command: str, words: str) -> None:
    line = Interrupted(command).line()
    assert line.startswith(f"Interrupted: {command}; ")
    assert words in line
