"""Files that can't be written are read, and a write says so; dropping profiles; locks that others remove."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.profiles.reader import read_content
from omeroadmin.profiles.store import (
    activate_profile,
    change_profile,
    drop_profile,
    ensure_saved,
    read_profile,
    update_profile,
    upgrade_profiles,
)
from tests.support.profiles import config_file

WRITES: list[Callable[[Path], object]] = [
    lambda file: update_profile(file, {"a": "2"}),
    lambda file: update_profile(file, {}, ["a"]),
    lambda file: activate_profile(file, "other"),
    lambda file: drop_profile(file, "default"),
]
NO_WRITES: list[Callable[[Path], object]] = [
    lambda file: update_profile(file, {"a": "1"}, ["b"]),
    lambda file: activate_profile(file, "default"),
    ensure_saved,
    upgrade_profiles,
]


@pytest.fixture(params=["file", "directory", "link"])
def protected(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A config.xml that says a=1 and that nobody may write."""
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    changed = file.parent if request.param == "directory" else file
    mode = changed.stat().st_mode
    changed.chmod(mode & ~0o222)
    if request.param == "link":
        link = config_file(tmp_path / "linked")
        link.symlink_to(file)
        yield link
    else:
        yield file
    changed.chmod(mode)


@pytest.mark.parametrize("write", WRITES)
def test_a_write_says_that_it_cannot(protected: Path, write: Callable[[Path], object]) -> None:
    before = protected.read_bytes(), sorted(protected.parent.iterdir())
    with pytest.raises(AdminError) as caught:
        write(protected)
    assert (caught.value.code, caught.value.exit_status) == ("config-read-only", ExitStatus.CONFIGURATION)
    assert str(protected) in caught.value.message
    assert caught.value.hint
    assert (protected.read_bytes(), sorted(protected.parent.iterdir())) == before


@pytest.mark.parametrize("write", NO_WRITES)
def test_what_changes_nothing_succeeds(protected: Path, write: Callable[[Path], object]) -> None:
    write(protected)
    assert read_profile(protected).values == {"a": "1"}


def test_a_directory_where_no_file_can_be_made(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    file.parent.chmod(0o555)
    with pytest.raises(AdminError) as caught:
        update_profile(file, {"a": "1"})
    assert caught.value.code == "config-read-only"
    assert not update_profile(file, {}, ["a"])
    file.parent.chmod(0o755)


def test_an_old_file_that_is_read_only(tmp_path: Path) -> None:
    old = "<properties id='default'><property name='omero.config.version' value='4.2.0'/></properties>"
    file = config_file(tmp_path, f"<icegrid>{old}</icegrid>")
    file.chmod(0o444)
    assert not update_profile(file, {}, ["a"])
    for action in (upgrade_profiles, ensure_saved):
        with pytest.raises(AdminError) as caught:
            action(file)
        assert caught.value.code == "config-read-only"


@pytest.mark.root
def test_new_files_of_root_belong_to_the_owner_of_the_directory(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    os.chown(file.parent, 1234, 2345)
    update_profile(file, {"a": "1"})
    update_profile(file, {"a": "2"})
    for path in (file, file.with_name("config.xml.history")):
        status = path.stat()
        assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (1234, 2345, 0o600)
    os.chown(file, 3456, 2345)
    update_profile(file, {"a": "3"})
    assert (file.stat().st_uid, file.with_name("config.xml.history").stat().st_uid) == (3456, 3456)


def test_dropping_a_profile(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"}, profile="default")
    update_profile(file, {"b": "2"}, profile="other")
    changes = drop_profile(file, "other")
    assert (changes.profile, [item.name for item in changes.properties]) == ("other", ["b"])
    assert list(read_content(file).blocks) == ["default"]
    drop_profile(file, "default")
    assert read_content(file).active == "default"
    assert read_content(file).blocks == {"default": {"omero.config.version": "5.1.0"}}
    before = file.stat().st_ino
    drop_profile(file)
    assert file.stat().st_ino == before


@pytest.mark.parametrize(("name", "code"), [("other", "profile-unknown"), ("__ACTIVE__", "profile-reserved")])
def test_profiles_that_cannot_be_dropped(tmp_path: Path, name: str, code: str) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"}, profile="default")
    with pytest.raises(AdminError) as caught:
        drop_profile(file, name)
    assert (caught.value.code, caught.value.exit_status) == (code, ExitStatus.USAGE)


def test_a_lock_whose_file_another_tool_removed_is_taken_again(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"count": "0"})
    seen: list[str] = []

    def decide(present: Mapping[str, str]) -> Mapping[str, str | None]:
        seen.append(present["count"])
        if len(seen) == 1:
            # As OMERO's own tools do it when they close the file; and one of us has written since.
            file.with_name("config.xml.lock").unlink()
            update_profile(file, {"count": "5"})
        return {"count": str(int(present["count"]) + 1)}

    changes = change_profile(file, decide)
    assert seen == ["0", "5"]
    assert read_profile(file).values == {"count": "6"}
    assert [(item.old, item.new) for item in changes.properties] == [("5", "6")]


def test_a_tool_that_takes_away_every_lock_is_named_in_time(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    calls: list[int] = []

    def decide(present: Mapping[str, str]) -> Mapping[str, str | None]:
        calls.append(1)
        file.with_name("config.xml.lock").unlink()
        return {"a": "1"}

    with pytest.raises(AdminError) as caught:
        change_profile(file, decide, wait=0.05)
    assert caught.value.code == "locked"
    assert calls
    assert not file.exists()


def test_locks_of_other_tools_are_respected_and_survived(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    lock = file.with_name("config.xml.lock")
    with lock.open("a+") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(AdminError, match=f"process {os.getpid()} "):
            update_profile(file, {"a": "2"}, wait=0.01)
    lock.unlink()
    update_profile(file, {"a": "3"})
    assert read_profile(file).values == {"a": "3"}
