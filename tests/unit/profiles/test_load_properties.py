"""Properties files: the lines they are made of, and all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.profiles.changes import Changes
from omeroadmin.profiles.load import load_properties
from omeroadmin.profiles.properties import parse_properties
from omeroadmin.profiles.store import read_profile, update_profile
from tests.support.profiles import config_file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1", [("a", "1", "f:1")]),
        ("# no\n! no\n\n  a = 1 \r\n", [("a", "1", "f:4")]),
        ("a:1\nb 2\nc", [("a", "1", "f:1"), ("b", "2", "f:2"), ("c", "", "f:3")]),
        ("a=b=c", [("a", "b=c", "f:1")]),
        ("a=1,\\\n   2,\\\n   3\nb=4", [("a", "1,2,3", "f:1"), ("b", "4", "f:4")]),
        ("a=1\\\n# part\nb=2", [("a", "1# part", "f:1"), ("b", "2", "f:3")]),
        ("a=1\\", [("a", "1", "f:1")]),
        (r"a=\d+\.(tif|png)\\", [("a", r"\d+\.(tif|png)\\", "f:1")]),
    ],
)
def test_lines(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(entry.name, entry.value, entry.origin) for entry in parse_properties(text, "f")] == expected


def test_javas_escapes_on_demand() -> None:
    text = r"a=\u00e9\t\n\r\f\\\:\=\d"
    assert parse_properties(text, "f", escapes=True)[0].value == "é\t\n\r\f\\:=d"
    assert parse_properties(text, "f")[0].value == text[2:]


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
    ],
)
def test_one_bad_line_and_none_is_loaded(tmp_path: Path, text: str, code: str) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    before = file.read_bytes()
    with pytest.raises(AdminError) as caught:
        load(file, text)
    assert caught.value.code == code
    assert "f:2" in caught.value.message or code == "property-reserved"
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
