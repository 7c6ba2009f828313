"""The reference says what the code says, and every command has help with an example that can be typed."""

from __future__ import annotations

import shlex
from itertools import takewhile

import pytest

from omeroadmin.cli.main import load_command
from omeroadmin.cli.registry import GROUPS, TOP_COMMANDS
from omeroadmin.schema.catalog import KEY_PATTERN, settings
from omeroadmin.schema.setting import Setting
from omeroadmin.schema.values.check import problem_with
from omeroadmin.schema.values.words import example
from tests.support.reference import PAGES, command_names, missing_modules, stale_pages, words


def test_every_registered_command_exists() -> None:
    assert missing_modules() == []


def test_all_commands_are_in_the_help() -> None:
    listed = set(command_names())
    assert {("top", name) for name in TOP_COMMANDS} <= listed
    assert {(group, name) for group in GROUPS for name in GROUPS[group].commands} <= listed


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_up_to_date(page: str) -> None:
    assert page not in stale_pages(), "write it anew: make reference"


@pytest.mark.parametrize(("group", "name"), command_names(), ids=str)
def test_command_has_help_with_an_example(group: str, name: str) -> None:
    command = load_command(group, name)
    lines = (command.help or "").strip().splitlines()
    assert len(lines) >= 3, "a sentence, an empty line, an example"
    assert lines[0].endswith(".")
    example = lines[-1].partition("Example: ")[2]
    typed = words(group, name)
    assert example == typed or example.startswith(f"{typed} ")
    # Its options exist and its arguments are enough; nothing is run.
    arguments = list(takewhile(lambda word: word not in ("|", ">", "&&"), shlex.split(example.removeprefix(typed))))
    command.make_context(typed, arguments)


@pytest.mark.parametrize(("group", "name"), command_names(), ids=str)
def test_every_option_has_help(group: str, name: str) -> None:
    command = load_command(group, name)
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    silent = [parameter.name for parameter in shown if not getattr(parameter, "help", None)]
    assert silent == []


@pytest.mark.parametrize("setting", settings().values(), ids=lambda setting: setting.name)
def test_what_the_hint_of_a_refused_value_shows_is_a_value(setting: Setting) -> None:
    assert KEY_PATTERN.fullmatch(setting.name)
    assert problem_with(setting.type, example(setting)) is None
