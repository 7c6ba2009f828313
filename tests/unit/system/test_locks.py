"""A lock is held on the file that has its name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.system.locks import exclusive


def test_holder_is_named_and_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "x.lock"
    with (
        exclusive(file, what="x"),
        pytest.raises(AdminError, match=f"process {os.getpid()} "),
        exclusive(file, what="x", timeout=0.01),
    ):
        pass
    assert file.stat().st_mode & 0o777 == 0o600
    with exclusive(file, what="x", timeout=0.01):
        assert file.read_text() == f"{os.getpid()}\n"


def test_a_removed_lock_file_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "x.lock"
    with exclusive(file, what="x"):
        file.unlink()
        with exclusive(file, what="x", timeout=0.01):
            assert file.exists()


def test_symbolic_links_and_missing_directories_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link.lock").symlink_to(tmp_path / "elsewhere")
    for file in (tmp_path / "link.lock", tmp_path / "none" / "x.lock"):
        with pytest.raises(AdminError) as caught, exclusive(file, what="x", timeout=0.01):
            pass
        assert caught.value.code == "file-not-written"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.root
def test_root_makes_the_lock_for_the_owner_of_the_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    file = tmp_path / "x.lock"
    with exclusive(file, what="x"):
        assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (65534, 0o600)
