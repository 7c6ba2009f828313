"""Wishes in YAML: what stands there is the text, and whatever else YAML can say is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.profiles.desired.wish import DEEPEST
from omeroadmin.profiles.desired.yaml_file import parse_yaml

HERE = Path("/nowhere")


def wishes(text: str, directory: Path = HERE, **environment: str) -> dict[str, str | None]:
    found = parse_yaml(text, "f", directory=directory, environment=environment)
    return {wish.name: wish.value for wish in found}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "--- ~\n...\n", "{}", "null"])
def test_nothing(text: str) -> None:
    assert wishes(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "true", "True", "yes", "on", "off", "no", "0600", "0x1F", "1_000", "1.10", "1e3", ".5", "12:30:45",
        "2026-11-24", "-1", "+1", ".inf", ".nan", "=", "a:b", "/OMERO",
        "${omero.data.dir}/x", "é😀",
    ],
)  # fmt: skip
def test_an_unquoted_value_is_what_stands_there(text: str) -> None:
    assert wishes(f"a: {text}") == {"a": text}


def test_other_scalars() -> None:
    text = "a: 'it''s'\nb: \"two\\nlines\"\nc: |\n  one\n   two\nd: >-\n  one\n  two\ne: 'null'\nf: ''\n"
    assert wishes(text) == {
        "a": "it's", "b": "two\nlines", "c": "one\n two\n", "d": "one two", "e": "null", "f": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["a:", "a: ~", "a: null", "a: Null", "a: NULL", "a: # nothing", "{a: }", '{"a": null}']
)
def test_null_is_no_value(text: str) -> None:
    assert wishes(text) == {"a": None}


def test_json_of_lists_and_maps() -> None:
    assert wishes("omero.web.apps: [omero_figure, 'true']") == {"omero.web.apps": '["omero_figure", "true"]'}
    text = (
        "my.own:\n- a: 1.10\n  b: [yes, true, False, null, ~, ]\n- 0600\n- 1e999\n- 123456789012345678901234567890\n"
        "- '1'\n- é\"\n- {}\n"
    )
    assert wishes(text) == {
        "my.own": '[{"a": 1.10, "b": ["yes", true, false, null, null]}, "0600", 1e999, 123456789012345678901234567890, '
        '"1", "é\\"", {}]'
    }


def test_lists_of_text() -> None:
    assert wishes("omero.fs.repo.path_rules: [Windows required, UNIX required]") == {
        "omero.fs.repo.path_rules": "Windows required,UNIX required"
    }
    assert wishes("omero.fs.repo.path_rules: []") == {"omero.fs.repo.path_rules": ""}


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("a: 1\nb: 2\na: 3", "yaml-invalid", ("f:3: 'a' is there twice", "f:1")),
        ("a: {b: 1, b: 2}", "yaml-invalid", ("f:1: 'b' is there twice",)),
        ("a: &x 1\nb: *x", "yaml-invalid", ("f:2: an alias",)),
        ("a: &x [1]\n*x : 2", "yaml-invalid", ("f:2: a name is text",)),
        ("a: 1\nb: !!python/object/apply:os.system [x]", "yaml-invalid", ("f:2", "python/object", "!file")),
        ("a: !!str 1", "yaml-invalid", ("f:1", "str")),
        ("a: ! 1", "yaml-invalid", ("f:1: the tag '!'",)),
        ("!x {a: 1}", "yaml-invalid", ("'!x'",)),
        ("!x a: 1", "yaml-invalid", ("f:1: a name is text",)),
        ("[a]: 1", "yaml-invalid", ("f:1: a name is text",)),
        ("a: 1\n  b: 2", "yaml-invalid", ("f:2",)),
        ("a: [1", "yaml-invalid", ("f:",)),
        ("\ta: 1", "yaml-invalid", ("f:1",)),
        ("a: 1\nb: 2\0", "yaml-invalid", ("f:2: the character '\\x00'",)),
        ("- a\n- b", "yaml-invalid", ("f:1: the file is not a map",)),
        ("text", "yaml-invalid", ("f:1: the file is not a map",)),
        ("a: 1\n---\nb: 2", "yaml-invalid", ("f:2: a second document",)),
        ("omero:\n  db:\n    host: x", "names-nested", ("f:1: 'omero'", "'omero.db.host'")),
        ("a: 1\nomero.db: {host: x}", "names-nested", ("f:2", "'omero.db.host'")),
        ("omero.db.host: [a]", "value-invalid", ("f:1: omero.db.host is a list",)),
        ("omero.db.host: {a: b}", "value-invalid", ("f:1: omero.db.host is a map",)),
        ("omero.fs.repo.path_rules: {a: b}", "value-invalid", ("is a map",)),
        ("omero.fs.repo.path_rules: ['a,b']", "value-invalid", ("inside an item",)),
        ("omero.fs.repo.path_rules: ['']", "value-invalid", ("empty item",)),
        ("omero.fs.repo.path_rules: [[a]]", "value-invalid", ("list of lists",)),
        ("omero.fs.repo.path_rules: [~]", "value-invalid", ("nulls",)),
        ("a: 1\nb: !env NOT_SET", "variable-unset", ("f:2", "NOT_SET")),
        ("a: 1\nb: !file missing", "file-not-read", ("f:2", "/nowhere/missing")),
        ("a: !file", "yaml-invalid", ("f:1: '' is not the name of a file",)),
        ('a: !file "x\\0y"', "yaml-invalid", ("f:1", "not the name of a file")),
        ("a: " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "value-invalid", ("f:1", str(DEEPEST))),
        ("a: " + "[" * 100_000, "value-invalid", ("f:1", str(DEEPEST))),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, code: str, words: tuple[str, ...]) -> None:
    with pytest.raises(AdminError) as caught:
        wishes(text)
    assert caught.value.code == code
    for word in words:
        assert word in caught.value.message + caught.value.hint


def test_a_merge_is_a_name_like_any_other() -> None:
    # Which no property has, so that it is refused with its line when names are checked.
    assert wishes("a: 1\n<<: {b: 2}") == {"a": "1", "<<": '{"b": 2}'}


def test_values_from_elsewhere(tmp_path: Path) -> None:
    inside, outside = tmp_path / "conf.d", tmp_path / "secrets"
    inside.mkdir()
    outside.mkdir()
    (inside / "name").write_text("beside it\n")
    (outside / "password").write_text(" null: [x] \n\n")
    text = (
        f"a: !file name\nb: !file {outside}/password\nc: !file ../secrets/password\nd: !env SECRET\ne: [!env EMPTY]\n"
    )
    assert wishes(text, inside, SECRET="*x", EMPTY="") == {
        "a": "beside it", "b": " null: [x] \n", "c": " null: [x] \n", "d": "*x", "e": '[""]',
    }  # fmt: skip


def test_the_python_parser_does_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert wishes("a: 1.10\nb: !env X\nc: [~, true]\nd: 'null'\ne:\n", X="y") == {
        "a": "1.10", "b": "y", "c": "[null, true]", "d": "null", "e": None,
    }  # fmt: skip
    for text in ("a: &x 1\nb: *x", "a: 1\na: 2", "a: ! 1", "a: !!str 1", "a: 1\0", "a: [1", "a: " + "[" * 10_000):
        with pytest.raises(AdminError):
            wishes(text)
