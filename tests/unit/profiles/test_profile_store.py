"""config.xml: its shape, what is kept, who may write."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.profiles.changes import Changes, PropertyChange
from omeroadmin.profiles.store import (
    activate_profile,
    drop_profile,
    ensure_saved,
    load_settings,
    read_profile,
    update_profile,
)
from omeroadmin.schema.instance import Instance
from tests.support.profiles import config_file

BODY = (
    '--><properties id="__ACTIVE__"><property name="omero.config.profile" value="default" />'
    '<property name="omero.config.version" value="5.1.0" />{0}</properties>'
    '<properties id="default"><property name="omero.config.version" value="5.1.0" />{0}</properties>'
    '<include file="templates.xml" /></icegrid>'
)


@pytest.fixture(autouse=True)
def _no_profile_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMERO_CONFIG", raising=False)


def body(file: Path) -> str:
    """All of the file after the time in the comment."""
    return file.read_text("utf-8").partition("application.\n\n")[2]


def test_missing_file_is_an_empty_profile(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    profile = read_profile(file)
    assert (profile.name, profile.values) == ("default", {})
    assert list(file.parent.iterdir()) == []


def test_new_file_has_the_shape_of_omeros_tools(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    assert update_profile(file, {"a": "1"}) == Changes("default", (PropertyChange("a", None, "1"),))
    assert body(file) == BODY.format('<property name="a" value="1" />')
    head = (
        r"<icegrid><!--\n\n\tThis file was generated at \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} by the OmeroConfig "
        r"system\.\n\tDo not edit directly but see `omero config` for details\.\n\tThis file may be included into your "
        r"IceGrid application\.\n\n-->"
    )
    assert re.match(head, file.read_text("utf-8"))
    assert file.stat().st_mode & 0o777 == 0o600


def test_values_are_escaped_and_read_back(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    value = "é 漢 <&>\"' \t\n\r 😀"
    update_profile(file, {"a": value})
    assert "é 漢 &lt;&amp;&gt;&quot;' &#09;&#10;&#13; 😀" in file.read_text("utf-8")
    assert read_profile(file).values == {"a": value}


def test_overwriting_keeps_the_place_and_removing_the_rest(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1", "b": "2", "c": "3"})
    changes = update_profile(file, {"a": "9", "c": "3"}, ["b", "never.set"])
    assert changes.properties == (PropertyChange("b", "2", None), PropertyChange("a", "1", "9"))
    assert list(read_profile(file).values.items()) == [("a", "9"), ("c", "3")]


def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    assert not update_profile(file, {}, ["a"])
    assert not file.exists()
    update_profile(file, {"a": "1"})
    before = file.stat()
    assert not update_profile(file, {"a": "1"}, ["b"])
    ensure_saved(file)
    activate_profile(file, "default")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_unknown_elements_comments_and_other_profiles_are_kept(tmp_path: Path) -> None:
    known = (
        '<icegrid><!-- mine --><variable name="v" value="1" /><?keep this?>'
        '<properties id="default"><!-- why --><property name="a" value="1" /><properties refid="x" /></properties>'
        '<include file="more.xml" /><properties id="other"><property name="z" value="26" /></properties></icegrid>'
    )
    file = config_file(tmp_path, known)
    update_profile(file, {"a": "2"})
    written = body(file)
    for part in ("<!-- mine -->", '<variable name="v" value="1" />', "<?keep this?>", "<!-- why -->",
                 '<include file="more.xml" />', '<properties id="other"><property name="z" value="26" />'):  # fmt: skip
        assert written.count(part) == 1, part
    active = written.partition("</properties><!--")[0]
    assert '<properties refid="x" />' in active
    assert "why" not in active
    assert written.endswith('<include file="templates.xml" /></icegrid>')


def test_attributes_order_and_foreign_elements_are_kept(tmp_path: Path) -> None:
    block = (
        '<properties id="default" note="mine"><property name="z" value="1" since="2019" /><!-- why -->'
        '<property name="omero.config.version" value="5.1.0" /><group><property name="inner" value="2" /></group>'
        '<property name="a" value="3" /><property value="nameless" /></properties>'
    )
    includes = '<include file="one.xml" /><include file="templates.xml" /><include file="two.xml" />'
    file = config_file(tmp_path, f'<icegrid kind="x">{includes}{block}<server-template id="T" /></icegrid>')
    assert read_profile(file).values == {"z": "1", "a": "3"}
    update_profile(file, {"a": "4", "b": "5"})
    written = body(file)
    expected = block.replace('"3"', '"4"').replace("</properties>", '<property name="b" value="5" /></properties>')
    assert expected in written
    assert '<icegrid kind="x">' in file.read_text()
    rest = written.partition(expected)
    assert rest[0].endswith('<include file="one.xml" /><include file="two.xml" />')
    assert rest[2] == '<server-template id="T" /><include file="templates.xml" /></icegrid>'
    drop_profile(file, "default")
    assert '<server-template id="T" />' in body(file)


def test_white_space_of_a_hand_edited_file_is_layout(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    before = body(file)
    file.write_text(file.read_text().replace("><", ">\n  <"))
    indented = file.read_bytes()
    ensure_saved(file)
    assert file.read_bytes() == indented
    update_profile(file, {"a": "2"})
    assert body(file) == before.replace('"1"', '"2"')


def test_a_property_or_profile_given_twice_counts_as_its_last(tmp_path: Path) -> None:
    file = config_file(
        tmp_path,
        '<icegrid><properties id="default"><property name="omero.config.version" value="5.1.0" />'
        '<property name="a" value="1" /><property name="a" value="2" /></properties>'
        '<properties id="default"><property name="b" value="3" /></properties></icegrid>',
    )
    assert read_profile(file).values == {"a": "2", "b": "3"}
    update_profile(file, {"a": "4"})
    assert body(file) == BODY.format('<property name="a" value="4" /><property name="b" value="3" />')


def test_the_active_copy_is_renewed(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    good = body(file)
    active, end, rest = file.read_text().partition("</properties>")
    file.write_text(active.replace('value="1"', 'value="stale"') + end + rest)
    assert read_profile(file).values == {"a": "1"}
    ensure_saved(file)
    assert body(file) == good


def test_profile_from_the_environment_is_used_and_never_becomes_the_active_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    monkeypatch.setenv("OMERO_CONFIG", "another")
    update_profile(file, {"a": "2"})
    assert (read_profile(file).name, read_profile(file).values) == ("another", {"a": "2"})
    assert read_profile(file, "default").values == {"a": "1"}
    monkeypatch.delenv("OMERO_CONFIG")
    assert (read_profile(file).name, read_profile(file).values) == ("default", {"a": "1"})


def test_activating_persists_and_creates(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    activate_profile(file, "ldap")
    assert read_profile(file).name == "ldap"
    assert '<properties id="ldap">' in body(file)


def test_a_missing_active_profile_is_made_again_first(tmp_path: Path) -> None:
    file = config_file(tmp_path, '<icegrid><properties id="other" /></icegrid>')
    ensure_saved(file)
    assert re.findall(r'properties id="(\w+)"', body(file)) == ["__ACTIVE__", "default", "other"]


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    # OMERO's own tools make it so before they take the lock.
    file = config_file(tmp_path, "")
    assert read_profile(file).values == {}
    update_profile(file, {"a": "1"})
    assert read_profile(file).values == {"a": "1"}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (" ", 1),
        ("<icegrid>\n<properties", 2),
        ("<icegrid><a>\n</b></icegrid>", 2),
        ("<other />", 1),
        ('<?xml version="1.0" encoding="no-such"?><icegrid/>', 1),
        ('<!DOCTYPE icegrid [\n<!ENTITY x "y">]><icegrid/>', 1),
        ('<icegrid><properties id="default"><property name="a" value="&x;" /></properties></icegrid>', 1),
    ],
)
def test_unparsable_names_file_and_line_and_changes_nothing(tmp_path: Path, content: str, line: int) -> None:
    file = config_file(tmp_path, content)
    for action in (read_profile, ensure_saved, lambda path: update_profile(path, {"a": "1"})):
        with pytest.raises(AdminError) as caught:
            action(file)
        assert (caught.value.code, caught.value.exit_status) == ("config-unparsable", ExitStatus.CONFIGURATION)
        assert caught.value.message.startswith(f"{file}, line {line}: ")
        assert "\n" not in caught.value.message
        assert caught.value.hint
    assert file.read_text() == content


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("omero.db host", "x", "property-name-invalid"),
        ("", "x", "property-name-invalid"),
        ("a", "\0", "value-unstorable"),
        ("a", "\udcff", "value-unstorable"),
        ("omero.config.profile", "x", "property-reserved"),
        ("omero.config.version", "x", "property-reserved"),
    ],
)
def test_what_cannot_be_stored_is_refused(tmp_path: Path, name: str, value: str, code: str) -> None:
    file = config_file(tmp_path)
    with pytest.raises(AdminError) as caught:
        update_profile(file, {"fine": "1", name: value})
    assert (caught.value.code, caught.value.exit_status) == (code, ExitStatus.USAGE)
    assert not file.exists()


@pytest.mark.parametrize(
    ("name", "code"),
    [("__ACTIVE__", "profile-reserved"), ("two words", "profile-name-invalid"), ("", "profile-name-invalid")],
)
def test_names_that_no_profile_can_have(tmp_path: Path, name: str, code: str) -> None:
    file = config_file(tmp_path)
    with pytest.raises(AdminError) as caught:
        activate_profile(file, name)
    assert caught.value.code == code
    assert not file.exists()


def test_mode_and_symbolic_link_are_kept(tmp_path: Path) -> None:
    real = tmp_path / "real.xml"
    update_profile(real, {"a": "1"})
    real.chmod(0o640)
    file = config_file(tmp_path)
    file.symlink_to(real)
    update_profile(file, {"a": "2"})
    assert file.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert read_profile(real).values == {"a": "2"}
    assert (tmp_path / "real.xml.lock").exists()


def test_readers_need_no_lock_and_writers_say_who_holds_it(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    with file.with_name("config.xml.lock").open("w") as lock:
        lock.write("4711\n")  # as a holder that was killed has left it
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert read_profile(file).values == {"a": "1"}
        with pytest.raises(AdminError) as caught:
            update_profile(file, {"a": "2"}, wait=0.05)
    assert (caught.value.code, caught.value.exit_status) == ("locked", ExitStatus.LOCKED)
    assert str(file) in caught.value.message
    assert f"process {os.getpid()} (waited 0.05 s)" in caught.value.message


def test_no_directory_for_the_file(tmp_path: Path) -> None:
    file = tmp_path / "etc" / "grid" / "config.xml"
    assert read_profile(file).values == {}
    with pytest.raises(AdminError, match="is not a directory") as caught:
        update_profile(file, {"a": "1"})
    assert caught.value.code == "config-directory-missing"


def test_unreadable_file(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads every file; the unprivileged run of this suite covers this")
    file = config_file(tmp_path, "<icegrid />")
    file.chmod(0)
    with pytest.raises(AdminError) as caught:
        read_profile(file)
    assert caught.value.code == "file-not-read"


def test_settings_are_the_profile_over_the_defaults(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"omero.data.dir": "/data"})
    settings = load_settings(Instance(file.parents[2]))
    assert settings.text("omero.managed.dir") == "/data/ManagedRepository"
    assert settings.number("omero.db.port") == 5432


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    leftover = file.with_name(".config.xml.0123456789ab.tmp")
    leftover.write_text("half a fi")
    update_profile(file, {"a": "1"})
    assert not leftover.exists()
