"""YAML as a tree: each node knows its line, and what came from elsewhere is known as a secret."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.schema.tree import ListNode, MapNode, Node, ScalarNode, has_secret, native, scalars
from omeroadmin.system.yaml_reader import Elsewhere, read_yaml, read_yaml_file

HERE = Path("/nowhere")


def tree(text: str, **environment: str) -> Node:
    return read_yaml(text, "f", Elsewhere(HERE, environment), hint="like this")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "--- ~\n...\n", "null"])
def test_nothing_is_null(text: str) -> None:
    assert native(tree(text)) is None


def test_each_node_and_each_name_has_its_line() -> None:
    root = tree("a:\n  - x\n  - {b: y,\n     c: z}\n\nd: |\n  text\n")
    assert isinstance(root, MapNode)
    assert dict(root.names) == {"a": "f:1", "d": "f:6"}
    a = root.members["a"]
    assert isinstance(a, ListNode)
    assert a.origin == "f:2"
    inner = a.items[1]
    assert isinstance(inner, MapNode)
    assert dict(inner.names) == {"b": "f:3", "c": "f:4"}
    assert [scalar.origin for scalar in scalars(root)] == ["f:2", "f:3", "f:4", "f:6"]


def test_only_what_json_takes_for_more_is_more_than_text() -> None:
    text = "[1, -2, 1.5, 1e3, true, False, ~, null, '1', 'true', 0600, yes, 2026-11-24, 5.6.7, 0x1F, .5, +1]"
    assert native(tree(text)) == [
        1, -2, 1.5, 1000.0, True, False, None, None, "1", "true", "0600", "yes", "2026-11-24", "5.6.7", "0x1F", ".5",
        "+1",
    ]  # fmt: skip


def test_a_fraction_prints_as_it_is_written() -> None:
    number = copy.deepcopy(native(tree("3.10")))
    assert (number, f"{number!s}", json.dumps(number)) == (3.1, "3.10", "3.1")


@pytest.mark.parametrize("text", ["9" * 5000, "1e999", "-1e999"])
def test_a_number_that_nothing_can_hold_is_text(text: str) -> None:
    assert native(tree(text)) == text


def test_secrets_are_known_and_not_shown() -> None:
    root = tree("a: [!env WORD, plain]\nb: x", WORD="swordfish")
    assert isinstance(root, MapNode)
    found = [scalar for scalar in scalars(root) if scalar.is_secret]
    assert [(scalar.text, scalar.tag, scalar.named) for scalar in found] == [("swordfish", "!env", "WORD")]
    assert has_secret(root)
    assert not has_secret(root.members["b"])
    assert "swordfish" not in repr(root)


def test_a_secret_is_text_whatever_it_looks_like() -> None:
    assert native(tree("[!env A, !env B]", A="1", B="")) == ["1", ""]


def test_what_is_missing_may_be_collected(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("here\n")
    file = tmp_path / "f.yml"
    file.write_text("a: !file gone\nb: !env GONE\nc: !file there\n")
    with pytest.raises(AdminError, match="gone"):
        read_yaml_file(file, {})
    missing: list[AdminError] = []
    assert native(read_yaml_file(file, {}, missing=missing)) == {"a": "", "b": "", "c": "here"}
    assert [error.code for error in missing] == ["file-not-read", "variable-unset"]
    assert [error.message.partition(": ")[0] for error in missing] == [f"{file}:1", f"{file}:2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2", "f:2: 'a' is there twice; first: f:1"),
        ("a:\n  b: 1\n  b: 2", "f:3: 'b' is there twice; first: f:2"),
        ("a: {{ name }}", "quoted"),
        ("a: &x 1\nb: *x", "f:2: an alias"),
        ("a: !!python/name:os.system", "f:1: the tag"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(AdminError) as caught:
        tree(text)
    assert caught.value.code == "yaml-invalid"
    assert words in caught.value.message
    assert caught.value.hint == "like this"


def test_a_scalar_alone() -> None:
    assert tree("x") == ScalarNode("x", "f:1", plain=True)
