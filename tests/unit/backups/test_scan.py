"""What a backup walks over: order, links, what is left out."""

from __future__ import annotations

import os
import resource
import socket
from pathlib import Path

import pytest

from omeroadmin.backups.manifest import sort_key
from omeroadmin.backups.scan import REBUILDABLE, Found, Root, walk


def found(*roots: Root, never: tuple[Path, ...] = ()) -> dict[str, Found]:
    return {item.path: item for item in walk(roots, never)}


def test_deep_trees_take_few_descriptors(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    in_use = len(list(Path("/proc/self/fd").iterdir()))
    names = "d/" * 400
    (tmp_path / names).mkdir(parents=True)
    (tmp_path / names / "f").write_bytes(b"1")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, in_use + 200), hard))
    try:
        items = found(Root("data", tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(items) == 402
    assert items[f"data/{names}f"].size == 1
    assert not [item for item in items.values() if item.problem]


def test_paths_come_in_the_order_of_bytes(tmp_path: Path) -> None:
    for name in ("a/x", "a-b", "a.b/y", "a0", "B", "é", "z/é/1", "\U0001f52c", "ￜ"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / os.fsdecode(b"\xff\xfe")).write_bytes(b"")
    (tmp_path / "line\nbreak").write_bytes(b"")
    paths = [item.path for item in walk([Root("scripts", tmp_path / "a"), Root("data", tmp_path)])]
    assert paths == sorted(paths, key=sort_key)
    assert paths[0] == "data/"
    assert "data/a/x" in paths
    assert paths[-1] == "scripts/x"


def test_what_is_left_out(tmp_path: Path) -> None:
    for name in (
        "BioFormatsCache/x.bfmemo",
        "FullText/meta.json",
        "ManagedRepository/FullText/image.tif",
        "ManagedRepository/.omero/repository/u/repo_uuid",
        "ManagedRepository/.omero/repository/u/.lock",
        "Pixels/.5_pyramid.pyr_lock",
        "Pixels/.5.abc.tmp",
        "Pixels/5.tmp",
        ".hidden",
        "lost+found/1",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))
        files = {path for path in found(Root("data", tmp_path, frozenset(REBUILDABLE))) if not path.endswith("/")}
    assert files == {
        "data/ManagedRepository/FullText/image.tif",
        "data/ManagedRepository/.omero/repository/u/repo_uuid",
        "data/Pixels/5.tmp",
        "data/.hidden",
    }


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    (disk / "deep").mkdir(parents=True)
    (disk / "deep" / "file").write_bytes(b"1234")
    data = tmp_path / "data"
    data.mkdir()
    (data / "linked").symlink_to(disk)
    (data / "file").symlink_to(disk / "deep" / "file")
    (data / "nowhere").symlink_to("../gone")
    (data / "circle").symlink_to(data)
    (data / "itself").symlink_to("itself")
    items = found(Root("data", data))
    assert items["data/linked/deep/file"].size == 4
    assert items["data/file"].size == 4
    assert items["data/file"].link is None
    assert items["data/nowhere"].link == "../gone"
    assert (items["data/itself"].link, items["data/itself"].problem) == ("itself", None)
    assert "directory above" in (items["data/circle/"].problem or "")
    assert not [path for path in items if path.startswith("data/circle/c")]


def test_the_target_is_never_entered(tmp_path: Path) -> None:
    (tmp_path / "data" / "backup").mkdir(parents=True)
    (tmp_path / "data" / "backup" / "x").write_bytes(b"")
    assert list(found(Root("data", tmp_path / "data"), never=(tmp_path / "data" / "backup",))) == ["data/"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "data" / "closed").mkdir(parents=True, mode=0o000)
    (tmp_path / "data" / "closed").chmod(0o000)
    try:
        problems = [item.problem for item in walk([Root("data", tmp_path / "data"), Root("gone", tmp_path / "gone")])]
    finally:
        (tmp_path / "data" / "closed").chmod(0o700)
    assert [problem for problem in problems if problem] == [
        "can't be read: Permission denied",
        "can't be read: No such file or directory",
    ]
