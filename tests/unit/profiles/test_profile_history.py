"""The history of config.xml: what is recorded, what a kill leaves, and what never stops a change."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError, AdminWarning
from omeroadmin.profiles import journal
from omeroadmin.profiles.history import history_file, read_history
from omeroadmin.profiles.revisions import FOREIGN
from omeroadmin.profiles.store import (
    activate_profile,
    drop_profile,
    ensure_saved,
    read_profile,
    update_profile,
    upgrade_profiles,
)
from tests.support.history import as_another_tool, assert_agrees, causes, numbers, undo_confirmation
from tests.support.profiles import config_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config.xml with two revisions: a=1, then a=2 with a secret."""
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"}, cause="config set")
    update_profile(file, {"a": "2", "omero.db.pass": "s3cret"}, cause="config load")
    return file


def test_a_revision_says_who_did_what(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "anna")
    activate_profile(file, "ldap", cause="config def")
    history = assert_agrees(file)
    assert [(revision.number, revision.cause) for revision in history.revisions] == [
        (1, "config set"), (2, "config load"), (3, "config def"),
    ]  # fmt: skip
    second, third = history.revisions[1:]
    assert [(item.name, item.old, item.new) for item in second.change.profiles[0].properties] == [
        ("a", "1", "2"), ("omero.db.pass", None, "s3cret"),
    ]  # fmt: skip
    assert (third.change.active, third.change.created) == (("default", "ldap"), ("ldap",))
    assert (third.sudo_user, third.host) == ("anna", os.uname().nodename)
    assert third.user
    assert third.time.endswith("Z")
    drop_profile(file, "default", cause="config drop")
    assert assert_agrees(file).revisions[-1].change.dropped == ("default",)


def test_the_file_is_private_lines_of_json(file: Path) -> None:
    file.chmod(0o644)
    history_file(file).chmod(0o644)
    update_profile(file, {"a": "3"})
    assert history_file(file).stat().st_mode & 0o777 == 0o600
    assert file.stat().st_mode & 0o777 == 0o644
    first, *rest = map(json.loads, history_file(file).read_text("ascii").splitlines())
    assert (first["base"], first["profiles"]) == (0, {"default": {}})
    assert [line["revision"] for line in rest] == [1, 2, 3]


def test_a_link_has_the_history_of_what_it_leads_to(file: Path, tmp_path: Path) -> None:
    link = config_file(tmp_path / "linked")
    link.symlink_to(file)
    update_profile(link, {"a": "3"})
    assert numbers(link) == numbers(file) == [1, 2, 3]
    assert not link.with_name("config.xml.history").exists()


def test_what_changes_nothing_is_no_revision(file: Path) -> None:
    before = history_file(file).read_bytes()
    update_profile(file, {"a": "2"})
    activate_profile(file, "default")
    ensure_saved(file)
    upgrade_profiles(file)
    file.write_text(file.read_text().replace('"2"', '"stale"', 1))  # in the __ACTIVE__ copy
    ensure_saved(file)
    assert history_file(file).read_bytes() == before


def test_an_upgrade_is_recorded(tmp_path: Path) -> None:
    old = "<properties id='default'><property name='omero.config.version' value='4.2.0'/></properties>"
    file = config_file(tmp_path, f"<icegrid>{old}</icegrid>")
    upgrade_profiles(file, cause="config upgrade")
    (revision,) = assert_agrees(file).revisions
    assert revision.cause == "config upgrade"
    assert [(item.name, item.old, item.new) for item in revision.change.profiles[0].properties] == [
        ("omero.config.version", "4.2.0", "5.1.0")
    ]


def test_changes_of_another_tool_are_pending_and_then_a_revision(file: Path) -> None:
    as_another_tool(file, ("b", "theirs"))
    pending = read_history(file).pending
    assert [item.name for changes in pending.profiles for item in changes.properties] == ["b"]
    assert numbers(file) == [1, 2]
    update_profile(file, {"c": "ours"}, cause="config set")
    history = assert_agrees(file)
    assert causes(file) == ["config set", "config load", FOREIGN, "config set"]
    assert (history.revision(3).user, history.revision(3).change) == ("", pending)
    assert [item.name for item in history.revision(4).change.profiles[0].properties] == ["c"]


def test_a_restored_copy_of_the_file_is_a_change_too(file: Path) -> None:
    kept = file.read_bytes()
    update_profile(file, {"a": "3"}, cause="config set")
    file.write_bytes(kept)
    update_profile(file, {"a": "4"}, cause="config set")
    assert causes(file)[2:] == ["config set", FOREIGN, "config set"]
    assert_agrees(file)


def test_a_revision_that_was_not_carried_out_does_not_count(file: Path) -> None:
    kept = file.read_bytes()
    update_profile(file, {"a": "never"}, cause="killed")
    undo_confirmation(file)
    file.write_bytes(kept)
    history = assert_agrees(file)
    assert [revision.number for revision in history.revisions] == [1, 2]
    update_profile(file, {"a": "3"}, cause="config set")
    assert causes(file) == ["config set", "config load", "config set"]
    assert_agrees(file)


def test_a_revision_that_was_carried_out_counts_confirmed_or_not(file: Path) -> None:
    undo_confirmation(file)
    assert assert_agrees(file).revisions[-1].number == 2
    update_profile(file, {"a": "3"})
    assert numbers(file) == [1, 2, 3]
    assert_agrees(file)


@pytest.mark.parametrize("torn", [b'{"revision":3,"ti', b"\0" * 4096, b"\0" * 100 + b'e":0}\n', b'{"revision":3'])
def test_a_torn_line_is_cut_off(file: Path, torn: bytes) -> None:
    with history_file(file).open("ab") as stream:
        stream.write(torn)
    assert numbers(file) == [1, 2]
    update_profile(file, {"a": "3"})
    assert numbers(file) == [1, 2, 3]
    assert b"\0" not in history_file(file).read_bytes()
    assert_agrees(file)


def test_a_kill_after_each_byte(file: Path) -> None:
    """Whatever part of the line has come to the disk before a kill: both states can be told apart."""
    before, old = history_file(file).read_bytes(), file.read_bytes()
    update_profile(file, {"a": "3"}, cause="config set")
    undo_confirmation(file)
    after, new = history_file(file).read_bytes(), file.read_bytes()
    for length in range(len(before), len(after) + 1):
        for content, expected in ((old, [1, 2]), (new, [1, 2, 3])):
            if content is new and length < len(after):
                continue
            history_file(file).write_bytes(after[:length])
            file.write_bytes(content)
            assert numbers(file) == expected
            if length % 50 == 0 or length >= len(after) - 1:
                update_profile(file, {"b": str(length)})
                assert numbers(file) == [*expected, len(expected) + 1]
                assert_agrees(file)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: b"nothing of ours\n",
        lambda content: b"x" * 100_000,
        lambda content: b"\0" * 10 + content,
        lambda content: content + b"{}\n",
        lambda content: content + b"[1]\n",
        lambda content: content + content.splitlines(keepends=True)[-1][:40] + b"\n",
        lambda content: content.replace(b'"base":0', b'"base":"0"'),
        lambda content: content.replace(b'"default"', b"7"),
    ],
)
def test_damage_is_moved_aside_and_stops_no_change(file: Path, spoil: Callable[[bytes], bytes]) -> None:
    history = history_file(file)
    history.write_bytes(spoil(history.read_bytes()))
    damaged = history.read_bytes()
    with pytest.raises(AdminError) as caught:
        read_history(file)
    assert caught.value.code == "history-damaged"
    assert str(history) in caught.value.message
    with pytest.warns(AdminWarning, match="was damaged") as warned:
        update_profile(file, {"a": "3"}, cause="config set")
    assert read_profile(file).values == {"a": "3", "omero.db.pass": "s3cret"}
    (aside,) = file.parent.glob("config.xml.history.damaged-*")
    assert aside.read_bytes() == damaged
    assert aside.name in str(warned[0].message)
    assert len(assert_agrees(file).revisions) == 1


def test_a_new_history_goes_on_with_the_numbers_of_the_damaged_one(file: Path) -> None:
    with history_file(file).open("ab") as stream:
        stream.write(b"{}\n")
    with pytest.warns(AdminWarning):
        update_profile(file, {"a": "3"})
    assert numbers(file) == [3]


def test_damage_in_the_middle_is_found_when_it_matters(file: Path) -> None:
    history = history_file(file)
    history.write_bytes(history.read_bytes().replace(b'[null,"1"]', b'[null,"9"]'))
    update_profile(file, {"a": "3"})
    with pytest.raises(AdminError, match="doesn't lead to") as caught:
        read_history(file).state(1)
    assert caught.value.code == "history-damaged"
    as_another_tool(file, ("b", "theirs"))
    # The state after the last revision is right again, since it says what a became.
    update_profile(file, {"a": "4"})
    assert numbers(file) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("obstacle", ["directory", "link", "pipe"])
def test_a_history_that_cannot_be_written_stops_no_change(file: Path, obstacle: str) -> None:
    history = history_file(file)
    history.unlink()
    match obstacle:
        case "directory":
            history.mkdir()
        case "link":
            history.symlink_to(file)
        case "pipe":
            os.mkfifo(history)
    with pytest.warns(AdminWarning, match="is not in the history"):
        update_profile(file, {"a": "3"})
    assert read_profile(file).values["a"] == "3"


def test_a_full_history_moves_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_REVISIONS", 12)
    monkeypatch.setattr(journal, "_KEPT_REVISIONS", 9)
    file = config_file(tmp_path)
    for number in range(40):
        update_profile(file, {"count": str(number)})
        history = assert_agrees(file)
        assert len(history.revisions) <= 12
        assert history.revisions[-1].number == number + 1
    lowest = history.revisions[0].number - 1
    assert history.state(lowest).values("default") == {"count": str(lowest - 1)}
    with pytest.raises(AdminError, match=f"those from {lowest} to 40 are there"):
        history.state(lowest - 1)
    assert history_file(file).stat().st_mode & 0o777 == 0o600


def test_a_long_history_moves_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_BYTES", 20_000)
    monkeypatch.setattr(journal, "_KEPT_BYTES", 15_000)
    file = config_file(tmp_path)
    for number in range(30):
        update_profile(file, {"a": str(number) * 1500})
        assert_agrees(file)
        assert history_file(file).stat().st_size <= 20_000
    assert read_history(file).revisions[-1].number == 30
    update_profile(file, {"a": "x" * 30_000})  # longer than all that is allowed
    assert_agrees(file)
    assert len(numbers(file)) == 1


def test_a_write_reads_only_the_end(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    pread = os.pread

    def counting(descriptor: int, length: int, position: int) -> bytes:
        found = pread(descriptor, length, position)
        read.append(len(found))
        return found

    for number in range(100):
        update_profile(file, {"a": f"{number}" * 20})
    monkeypatch.setattr(os, "pread", counting)
    update_profile(file, {"a": "last"})
    assert history_file(file).stat().st_size > 30_000
    assert sum(read) <= 64 + 8192
    monkeypatch.setattr(os, "pread", pread)
    update_profile(file, {"long": "x" * 100_000})
    update_profile(file, {"a": "after a long line"})
    assert_agrees(file)


def test_nothing_recorded_yet(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    history = read_history(file)
    assert (history.past, history.revisions, bool(history.pending)) == (None, (), False)
    for lookup in (history.revision, history.state):
        with pytest.raises(AdminError, match="nothing is recorded yet") as caught:
            lookup(1)
        assert caught.value.code == "revision-unknown"
    assert list(file.parent.iterdir()) == []
