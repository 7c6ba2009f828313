"""Shapes of trees: what fits becomes values, and all that doesn't is named with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.schema.kinds import BOOL, PATH, PORT, enum, list_from, whole
from omeroadmin.schema.shapes import Anything, Items, Key, Record, Scalar, Shape, Table, checked
from omeroadmin.schema.tree import ScalarNode
from omeroadmin.system.yaml_reader import Elsewhere, read_yaml

RECORD = Record({
    "name": Key(Scalar(), required=True),
    "port": Key(Scalar(PORT)),
    "on": Key(Scalar(BOOL)),
    "how": Key(Scalar(enum("fast", "slow"))),
    "tags": Key(Items(Scalar(), single=True)),
    "password": Key(Scalar(secret=True)),
    "inner": Key(Table(Scalar(whole(0, 9)), name="[a-z]+", name_words="a word in small letters")),
    "free": Key(Anything()),
})  # fmt: skip
ENVIRONMENT = {"WORD": "swordfish", "NUMBER": "22"}


def value(text: str, shape: Shape = RECORD) -> Any:
    return checked(read_yaml(text, "f", Elsewhere(Path("/nowhere"), ENVIRONMENT)), shape)


def test_values() -> None:
    found = value("name: 12\nport: 022\non: yes\nhow: fast\ntags: a\npassword: !env WORD\ninner: {a: 1}\n")
    assert found == {
        "name": "12", "port": 22, "on": True, "how": "fast", "tags": ("a",), "password": "swordfish", "inner": {"a": 1},
    }  # fmt: skip


def test_a_key_with_nothing_behind_it_is_left_out() -> None:
    assert value("name: x\nport:\ntags: ~\n") == {"name": "x"}


def test_anything_is_the_node() -> None:
    assert value("name: x\nfree: ~")["free"] == ScalarNode("~", "f:2", plain=True)


def test_a_secret_number_is_a_number() -> None:
    assert value("name: x\nport: !env NUMBER")["port"] == 22


def test_records_of_any_keys_and_of_none() -> None:
    shape = Record({"a": Key(Scalar())}, others=Scalar(PORT), empty=True)
    assert value("a: x\nb: 1\n", shape) == {"a": "x", "b": 1}
    assert value("", shape) == {}


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("nam: x", "key-unknown", ("f:1: 'nam' is not a key at the top", "did you mean name?")),
        ("name: x\nzzz: 1", "key-unknown", ("f:2", "it takes name, port")),
        ("port: 1", "key-missing", ("f:1: the file has no 'name'",)),
        ("name:", "key-missing", ("'name'",)),
        ("name: [a]", "value-invalid", ("f:1: name is a list, but takes any text",)),
        ("name: x\nport: many", "value-invalid", ("f:2: port is 'many', but takes a port number",)),
        ("name: x\nport: ${x}", "value-invalid", ("f:2", "port number")),
        ("name: x\ntags: {a: b}", "value-invalid", ("f:2: tags is a map, but takes any text, or a list of them",)),
        ("name: x\ntags: [a,\n  [b]]", "value-invalid", ("f:3: tags[2] is a list",)),
        ("name: x\ntags: [~]", "value-invalid", ("tags[1] is nothing",)),
        ("name: x\ninner: {a: 1, B: 2}", "value-invalid", ("'B' in inner is not a word in small letters",)),
        ("name: x\ninner: {a: 10}", "value-invalid", ("inner.a is '10'",)),
        ("name: x\ninner: a", "value-invalid", ("inner is 'a', but takes a map",)),
        ("- a", "value-invalid", ("f:1: the file is a list, but takes a map",)),
        ("", "value-invalid", ("f: the file is nothing",)),
    ],
)
def test_faults(text: str, code: str, words: tuple[str, ...]) -> None:
    with pytest.raises(AdminError) as caught:
        value(text)
    assert caught.value.code == code
    for word in words:
        assert word in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("name: x\npassword: swordfish", RECORD),
        ("name: x\nport: !env WORD", RECORD),
        ("!env WORD", Scalar(list_from("a", "b"))),
        ("!env WORD", Scalar(PATH, secret=True)),
        ("!env WORD", Items(Scalar(PORT), single=True)),
    ],
)
def test_no_fault_shows_a_secret(text: str, shape: Shape) -> None:
    try:
        value(text, shape)
    except AdminError as error:
        assert "swordfish" not in f"{error.message} {error.hint}"  # noqa: PT017 - one of them has no fault
    else:
        assert shape == Scalar(PATH, secret=True)


def test_all_faults_are_found_in_one_go() -> None:
    node = read_yaml("port: x\nbad: 1\ntags: [[], {}]\n", "f", Elsewhere(Path(), {}))
    assert [fault.code for fault in RECORD.faults(node, "")] == [
        "value-invalid", "key-unknown", "value-invalid", "value-invalid", "key-missing",
    ]  # fmt: skip
