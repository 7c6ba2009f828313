"""Files of the formats 4.2.0 and 4.2.1: read as today's, saved as today's by any write, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from omeroadmin.profiles.reader import read_content
from omeroadmin.profiles.store import ensure_saved, read_profile, update_profile, upgrade_profiles
from tests.support.profiles import config_file

LINKS = "omero.web.ui.top_links"


def old_file(tmp_path: Path, version: str, *properties: tuple[str, str], more: str = "") -> Path:
    """A config.xml with one profile of an old format."""
    lines = "".join(f"<property name='{name}' value='{value}'/>" for name, value in properties)
    return config_file(
        tmp_path,
        "<icegrid><properties id='__ACTIVE__'><property name='omero.config.profile' value='default'/></properties>"
        f"<properties id='default'><property name='omero.config.version' value='{version}'/>{lines}</properties>{more}"
        "</icegrid>",
    )


def test_ldap_references_of_4_2_0(tmp_path: Path) -> None:
    file = old_file(
        tmp_path,
        "4.2.0",
        ("omero.ldap.new_user_group", "${omero.dollar}{uid}:${cn}"),
        ("omero.data.dir", "${omero.dollar}${x}"),
        (LINKS, "[]"),
    )
    before = file.read_bytes()
    expected = {"omero.ldap.new_user_group": "{uid}:@{cn}", "omero.data.dir": "${omero.dollar}${x}", LINKS: "[]"}
    assert read_profile(file).values == expected
    assert read_profile(file).version == "5.1.0"
    assert file.read_bytes() == before
    assert upgrade_profiles(file) == ("default",)
    assert read_profile(file).values == expected
    assert upgrade_profiles(file) == ()
    assert "4.2.0" not in file.read_text()


def test_links_of_4_2_1(tmp_path: Path) -> None:
    file = old_file(tmp_path, "4.2.1", (LINKS, '[["Mine", "mine"]]'), ("omero.ldap.base", "${x}"))
    values = read_profile(file).values
    assert [link[0] for link in json.loads(values[LINKS])] == ["Data", "History", "Help", "Mine"]
    assert values["omero.ldap.base"] == "${x}"
    update_profile(file, {"a": "1"})
    assert read_profile(file).values == {**values, "a": "1"}
    update_profile(file, {"a": "2"})
    assert read_profile(file).values == {**values, "a": "2"}


@pytest.mark.parametrize("value", ["", "no JSON", "{}", "[" * 100_000])
def test_links_that_are_no_list_are_left(tmp_path: Path, value: str) -> None:
    file = old_file(tmp_path, "4.2.1", (LINKS, value))
    assert read_profile(file).values == {LINKS: value}
    assert upgrade_profiles(file) == ("default",)
    assert read_profile(file).values == {LINKS: value}


def test_unset_links_stay_unset_and_each_profile_has_its_own_format(tmp_path: Path) -> None:
    other = (
        "<properties id='other'><property name='omero.config.version' value='4.2.0'/>"
        "<property name='omero.ldap.base' value='${x}'/></properties>"
        "<properties id='odd'><property name='omero.config.version' value='4.2.2'/>"
        "<property name='omero.ldap.base' value='${x}'/></properties>"
    )
    file = old_file(tmp_path, "4.2.1", more=other)
    ensure_saved(file)
    assert read_content(file).blocks == {
        "default": {"omero.config.version": "5.1.0"},
        "other": {"omero.config.version": "5.1.0", "omero.ldap.base": "@{x}"},
        "odd": {"omero.config.version": "4.2.2", "omero.ldap.base": "${x}"},
    }


def test_upgrading_makes_a_missing_file(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    assert upgrade_profiles(file) == ()
    assert read_content(file).blocks == {"default": {"omero.config.version": "5.1.0"}}
