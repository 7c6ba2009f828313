"""Help fits a terminal of 80 columns: one whole line per command, and examples that can be copied."""

from __future__ import annotations

import importlib
import inspect

import pytest

from omeroadmin.cli.registry import GROUPS, TOP_COMMANDS, module_of

LONGEST = 61
"""Characters that are left of 80 columns beside the longest name."""
COMMANDS = [(group, name) for group in GROUPS for name in GROUPS[group].commands]
COMMANDS += [("top", name) for name in TOP_COMMANDS]


@pytest.mark.parametrize(("group", "name"), COMMANDS)
def test_the_first_line_fits(group: str, name: str) -> None:
    documentation = inspect.getdoc(importlib.import_module(module_of(group, name)).command)
    assert documentation is not None
    first = documentation.splitlines()[0]
    assert first.endswith(".")
    assert len(first) <= LONGEST
    # Listings of commands end with the first word that has a full stop, and be it "e.g.".
    assert not [word for word in first.split()[:-1] if word.endswith(".")]


@pytest.mark.parametrize("group", GROUPS)
def test_the_line_of_a_group_fits(group: str) -> None:
    assert len(GROUPS[group].help) <= LONGEST
