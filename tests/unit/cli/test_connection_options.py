"""The connection options are the same ones at every command that talks to the server."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from omeroadmin.cli.main import load_command
from omeroadmin.cli.registry import GROUPS, TOP_COMMANDS
from omeroadmin.cli.session import Connection, connects

NAME_OF = {field.name: f"connection_{field.name}" for field in dataclasses.fields(Connection)}
NAMES = set(NAME_OF.values())
COMMANDS = [(group, name) for group in GROUPS for name in GROUPS[group].commands]
COMMANDS += [("top", name) for name in TOP_COMMANDS]


def takes_some(group: str, name: str) -> bool:
    """Whether a command declares the session's key as an option."""
    return "connection_key" in {parameter.name for parameter in load_command(group, name).params}


def test_a_command_gets_what_was_typed() -> None:
    seen: list[tuple[Connection, str]] = []

    @connects
    def command(connection: Connection, word: str) -> None:
        """Help."""
        seen.append((connection, word))

    assert command.__doc__ == "Help."
    assert list(inspect.signature(command).parameters) == ["word", *(NAME_OF[field] for field in NAME_OF)]
    nothing = {NAME_OF[name]: value for name, value in dataclasses.asdict(Connection()).items()}
    command(word="x", **{**nothing, "connection_server": "localhost", "connection_password": "secret"})
    assert seen == [(Connection(server="localhost", password="secret"), "x")]
    assert "secret" not in repr(seen)


@pytest.mark.parametrize(("group", "name"), [pair for pair in COMMANDS if takes_some(*pair)])
def test_no_command_declares_its_own(group: str, name: str) -> None:
    names = {parameter.name for parameter in load_command(group, name).params}
    assert names >= NAMES
    flags = [flag for parameter in load_command(group, name).params for flag in parameter.opts]
    assert len(flags) == len(set(flags)), "a flag means two things"
