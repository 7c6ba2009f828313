from __future__ import annotations

import os
from pathlib import Path

import pytest

from omeroadmin.repository.layout import pyramid_lock_path, pyramid_path
from omeroadmin.repository.pyramid_files import Endian, PyramidFile, remove_pyramid, scan_pyramids
from omeroadmin.system import locks


def put(data: Path, number: int, content: bytes = b"II*\0") -> Path:
    path = pyramid_path(data, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def scanned(data: Path) -> dict[int, PyramidFile]:
    problems: list[str] = []
    found = {one.pixels_id: one for one in scan_pyramids(data, problems)}
    assert problems == []
    return found


def test_pyramids_in_every_directory(tmp_path: Path) -> None:
    assert scanned(tmp_path) == {}
    ids = [0, 7, 999, 1000, 999_999, 1_234_567, 10**12]
    for number in ids:
        put(tmp_path, number)
    put(tmp_path, 8, b"MM\0*")
    put(tmp_path, 9, b"")
    (tmp_path / "Pixels" / "7").write_bytes(b"planes")
    # Not where the server would look for it.
    (tmp_path / "Pixels" / "1001_pyramid").write_bytes(b"II")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "5_pyramid").touch()
    (tmp_path / "Pixels" / "Dir-009").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "Pixels" / "5_pyramid").symlink_to(tmp_path / "elsewhere" / "5_pyramid")
    found = scanned(tmp_path)
    assert sorted(found) == sorted([*ids, 8, 9])
    assert (found[7].endian, found[8].endian, found[9].endian) == (Endian.LITTLE, Endian.BIG, Endian.UNKNOWN)


@pytest.mark.parametrize("number", [7, 1000, 1_234_567])
@pytest.mark.parametrize("beside", [".{}.pyr_lock", ".{}.1f2e.tmp", ".{}123.tmp"])
def test_what_is_being_written_stays(tmp_path: Path, number: int, beside: str) -> None:
    path = put(tmp_path, number, b"")
    other = put(tmp_path, number + 1, b"")
    path.with_name(beside.format(path.name)).touch()
    found = scanned(tmp_path)
    assert found[number].held_by == beside.format(path.name)
    assert not remove_pyramid(found[number])
    assert remove_pyramid(found[number + 1])
    assert (path.exists(), other.exists()) == (True, False)


def test_a_lock_that_was_taken_after_the_look_counts(tmp_path: Path) -> None:
    path = put(tmp_path, 1000)
    [pyramid] = scanned(tmp_path).values()
    with locks.exclusive(pyramid_lock_path(path), what="test"):
        assert not remove_pyramid(pyramid)
    path.write_bytes(b"a new one")
    assert not remove_pyramid(pyramid)
    assert path.exists()
    path.unlink()
    assert not remove_pyramid(pyramid)


@pytest.mark.skipif(
    os.geteuid() == 0, reason="root reads every directory; the unprivileged run of this suite covers it"
)
def test_directories_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    closed = put(tmp_path, 1000).parent
    put(tmp_path, 7)
    closed.chmod(0)
    problems: list[str] = []
    try:
        assert [one.pixels_id for one in scan_pyramids(tmp_path, problems)] == [7]
    finally:
        closed.chmod(0o700)
    assert problems == [f"{closed} can't be read: Permission denied"]
