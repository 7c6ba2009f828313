"""What holds for every operation: its example can be read, looking changes nothing, and planning is pure."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.operations import registry
from omeroadmin.provisioning.expressions import Expressions
from omeroadmin.provisioning.operations.catalog import declarations
from omeroadmin.provisioning.operations.field import REQUIRED, FieldType
from omeroadmin.provisioning.playbook_entries import read_entry, rendered
from omeroadmin.system.yaml_reader import Elsewhere, read_yaml

CONTEXT = {"omero_server_dbpassword": "a password", "password": "another one"}


def wish_of(kind: str) -> dict[str, Any]:
    """The wish of an operation's example; texts stand for the files of the controller that it names."""
    declaration = declarations()[kind]
    node = read_yaml(declaration.example, f"{kind}.yml", Elsewhere(Path(), {}))
    entry = read_entry(node, 1, frozenset(), declarations())
    wish: dict[str, Any] = {"key": "k", "kind": kind, **entry.constants}
    expressions = Expressions(Path("/nowhere"))
    for name, dynamic in entry.dynamic.items():
        field = declaration.field(name)
        assert field is not None
        wish[name] = rendered(field, expressions.value(dynamic, CONTEXT), dynamic, name)
    if wish.get("template"):
        wish["content"] = "[Unit]\nDescription=An example\n"
    return wish


@pytest.mark.parametrize("kind", declarations())
def test_examples_can_be_read(kind: str) -> None:
    wish = wish_of(kind)
    assert all(wish[field.name] is not REQUIRED for field in declarations()[kind].fields)
    assert json.loads(json.dumps(wish)) == wish


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind, declaration in declarations().items()
        # Facts of these need the file itself.
        if not any(field.type is FieldType.LOCAL_PATH and field.default is REQUIRED for field in declaration.fields)
    ],
)
def test_facts_are_the_same_twice_and_plans_leave_them_alone(kind: str) -> None:
    """A saved plan is known again by them."""
    operation, wish = registry.operation(kind), wish_of(kind)
    before = copy.deepcopy(wish)

    def facts() -> dict[str, Any]:
        try:
            found = operation.facts(wish)
        except HostError as error:
            return {"error": error.record()}
        assert json.loads(json.dumps(found)) == found
        return found

    first = facts()
    assert facts() == first
    if "error" not in first:
        known = copy.deepcopy(first)
        changes = operation.plan(wish, first)
        assert operation.plan(wish, first) == changes
        assert first == known
        assert all(change.words and change.words.isprintable() for change in changes)
        assert "a password" not in repr(changes)
    assert wish == before
