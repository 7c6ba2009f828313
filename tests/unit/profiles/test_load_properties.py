"""Properties files: the lines they are made of, and all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.profiles.changes import Changes
from omeroadmin.profiles.load import load_properties
from omeroadmin.profiles.properties import format_properties, parse_properties
from omeroadmin.profiles.store import read_profile, update_profile
from tests.support.profiles import config_file


def parsed(text: str, *, raw: bool = False) -> list[tuple[str, str, str]]:
    return [(entry.name, entry.value, entry.origin) for entry in parse_properties(text, "f", raw=raw)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1", [("a", "1", "f:1")]),
        ("# no\n! no\n\n  a = 1\r\n", [("a", "1", "f:4")]),
        ("\ufeffa=1\rb=2\r\nc=3", [("a", "1", "f:1"), ("b", "2", "f:2"), ("c", "3", "f:3")]),
        ("a:1\nb 2\nc", [("a", "1", "f:1"), ("b", "2", "f:2"), ("c", "", "f:3")]),
        ("a=b=c\nd==e\nf : : g", [("a", "b=c", "f:1"), ("d", "=e", "f:2"), ("f", ": g", "f:3")]),
        ("a=1,\\\n   2,\\\n   3\nb=4", [("a", "1,2,3", "f:1"), ("b", "4", "f:4")]),
        ("a=1\\\n# part\nb=2", [("a", "1# part", "f:1"), ("b", "2", "f:3")]),
        ("# no \\\na=1\\\n\nb=2", [("a", "1", "f:2"), ("b", "2", "f:4")]),
        ("a=1\\", [("a", "1", "f:1")]),
        ("a=1 \t", [("a", "1 \t", "f:1")]),
        (r"a=\d+\.(tif|png)\\", [("a", "\\d+\\.(tif|png)\\", "f:1")]),
        (r"a=\u00e9\t\n\r\f\\\:\=\#\!\ |", [("a", "é\t\n\r\f\\:=#! |", "f:1")]),
        (r"a=\uD83D\ude00\u0041", [("a", "😀A", "f:1")]),
        (r"\ a\ b\=\:=1", [(" a b=:", "1", "f:1")]),
        ("a=\x85\u2028\u00a0", [("a", "\x85\u2028\u00a0", "f:1")]),
    ],
)
def test_lines(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert parsed(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# no\n\na=1", [("a", "1", "f:3")]),
        ("a=C:\\new\\\nb=\\u00e9", [("a", "C:\\new\\", "f:1"), ("b", "\\u00e9", "f:2")]),
        ("a=  1 \nb==2\nc=:3\nd=", [("a", "  1 ", "f:1"), ("b", "=2", "f:2"), ("c", ":3", "f:3"), ("d", "", "f:4")]),
        ("  a = 1\nb:2\nc 3\nd", [("a", "1", "f:1"), ("b", "2", "f:2"), ("c", "3", "f:3"), ("d", "", "f:4")]),
    ],
)
def test_lines_of_a_listing(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert parsed(text, raw=True) == expected


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("text", ["=1", " : 1"])
def test_a_value_needs_a_name(text: str, raw: bool) -> None:
    with pytest.raises(AdminError, match="f:2: there is no name"):
        parsed(f"a=1\n{text}", raw=raw)


@pytest.mark.parametrize("escape", [r"\u", r"\u12", r"\u12g4", r"\uD83D", r"\uDE00\uD83D", r"\uD83D\n"])
def test_what_is_no_character_is_said_with_its_place(escape: str) -> None:
    for text in (f"a=1\nb={escape}", f"a=1\n{escape}=b"):
        with pytest.raises(AdminError, match="f:2: ") as caught:
            parsed(text)
        assert caught.value.code == "properties-invalid"
        assert escape[2:4] in caught.value.message
        assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "a=plain"),
        ("", "a="),
        ("https://é:1/?b=#!c d", "a=https://é:1/?b=#!c d"),
        (" in front", "a=\\ in front"),
        ("behind  ", "a=behind\\u0020\\u0020"),
        (" ", "a=\\u0020"),
        ("C:\\new", "a=C:\\\\new"),
        ("\t\r\xa0\u200b", "a=\\t\\r\\u00a0\\u200b"),
        ("😀\U000e0001", "a=😀\\udb40\\udc01"),
        ("one\n  two\n\nthree\n", "a=one\\n\\\n    \\  two\\n\\\n    \\n\\\n    three\\n"),
    ],
)
def test_what_is_written(value: str, text: str) -> None:
    assert format_properties({"a": value}) == f"{text}\n"
    assert parsed(text) == [("a", value, "f:1")]


def load(file: Path, text: str, *, overwrite: bool = False, force: bool = False) -> Changes:
    return load_properties(file, parse_properties(text, "f"), overwrite=overwrite, force=force)


def test_all_are_loaded(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    assert [change.name for change in load(file, "a=1\nb=2\nb=2\nc=3").properties] == ["b", "c"]
    assert read_profile(file).values == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("new=1\na=2", "property-conflict"),
        ("new=1\nnew=2", "property-conflict"),
        ("new=1\nb@d=2", "property-name-invalid"),
        ("new=1\nomero.db.port=many", "value-invalid"),
        ("new=1\nomero.db.pass=********", "masked-secret"),
        ("new=1\n=2", "properties-invalid"),
        ("new=1\nomero.config.version=4", "property-reserved"),
        ("new=1\nb=\\u0000", "value-unstorable"),
    ],
)
def test_one_bad_line_and_none_is_loaded(tmp_path: Path, text: str, code: str) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    before = file.read_bytes()
    with pytest.raises(AdminError) as caught:
        load(file, text)
    assert caught.value.code == code
    assert caught.value.message.startswith("f:2: ")
    assert file.read_bytes() == before


def test_conflicts_of_secrets_do_not_show_them(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"omero.db.pass": "0ld"})
    with pytest.raises(AdminError) as caught:
        load(file, "omero.db.pass=n3w")
    words = caught.value.message + caught.value.hint
    assert "0ld" not in words
    assert "n3w" not in words


def test_overwrite_and_force(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    load(file, "a=2\na=3\nomero.db.port=many", overwrite=True, force=True)
    assert read_profile(file).values == {"a": "3", "omero.db.port": "many"}
