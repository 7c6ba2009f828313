"""Wishes in JSON: numbers keep their digits, and mistakes have lines."""

from __future__ import annotations

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.profiles.desired.json_file import parse_json
from omeroadmin.profiles.desired.wish import DEEPEST


def test_members() -> None:
    text = """\ufeff {
  "a": "x", "b": 1.10,
  "c" : null, "d": true, "e": -1e999, "f": ""
,
  "my.own": [1.10, null, {"x": [true]}, "é\\ud83d\\ude00"],
  "omero.fs.repo.path_rules": ["Windows required", "UNIX required"]}
"""
    found = parse_json(text, "f")
    assert [(wish.name, wish.value, wish.origin) for wish in found] == [
        ("a", "x", "f:2"),
        ("b", "1.10", "f:2"),
        ("c", None, "f:3"),
        ("d", "true", "f:3"),
        ("e", "-1e999", "f:3"),
        ("f", "", "f:3"),
        ("my.own", '[1.10, null, {"x": [true]}, "é😀"]', "f:5"),
        ("omero.fs.repo.path_rules", "Windows required,UNIX required", "f:6"),
    ]
    assert parse_json("{ }", "f") == []


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "json-invalid", "f:1: { is expected"),
        ("[1]", "json-invalid", "f:1: { is expected"),
        ('{"a": 1', "json-invalid", "f:1: a comma or } is expected"),
        ('{"a": 1,\n}', "json-invalid", "f:2: a name in double quotes"),
        ("{a: 1}", "json-invalid", "f:1: a name in double quotes"),
        ('{\n"a" 1}', "json-invalid", "f:2: : is expected"),
        ('{"a": 1}\n{}', "json-invalid", "f:2: there is more"),
        ('{"a": \n}', "json-invalid", "f:2"),
        ('{"a": "x\ny"}', "json-invalid", "f:1"),
        ('{"a": 1,\n"a": 2}', "json-invalid", "f:2: 'a' is there twice; first: f:1"),
        ('{"a": 1,\n"b": {"c": 1, "c": 2}}', "json-invalid", "f:2: 'c' is there twice"),
        ('{"a": 1,\n"b": NaN}', "json-invalid", "f:2: NaN is not JSON"),
        ('{"a": 1,\n"omero": {"db": {"host": "x"}}}', "names-nested", "f:2: 'omero'"),
        ('{"a": 1,\n"omero.db.host": []}', "value-invalid", "f:2: omero.db.host is a list"),
        ('{"a": ' + "[" * 100_000, "value-invalid", str(DEEPEST)),
        ('{"a": ' + "[" * 60 + "]" * 60 + "}", "value-invalid", str(DEEPEST)),
    ],
)
def test_what_is_refused(text: str, code: str, words: str) -> None:
    with pytest.raises(AdminError) as caught:
        parse_json(text, "f")
    assert caught.value.code == code
    assert words in caught.value.message
