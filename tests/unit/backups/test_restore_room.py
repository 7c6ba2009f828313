"""A restore says beforehand that the disk is too small."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest

from omeroadmin.errors import AdminWarning
from omeroadmin.workflows.restore_room import warn_if_full


def test_too_much_for_the_disk_is_told(tmp_path: Path) -> None:
    wanted = shutil.disk_usage(tmp_path).total + 1
    with pytest.warns(AdminWarning, match=f"{wanted} bytes of files are to be restored.*df -h {tmp_path}"):
        warn_if_full([tmp_path / "not" / "there", tmp_path / "beside"], wanted)


def test_what_fits_is_not(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_full([tmp_path / "not" / "there"], 1)
        warn_if_full([], 1)


def test_the_room_of_a_disk_counts_once(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.warns(AdminWarning):
        warn_if_full([tmp_path / "one", tmp_path / "other"], free + free // 2)
