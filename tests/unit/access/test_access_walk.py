"""Which files an import takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omeroadmin.access.walk import Candidate, find_files
from omeroadmin.errors import AdminError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    for name in ("b.tif", "a.tif", "sub/c.tif", "sub/deep/d.tif", ".hidden", ".folder/e.tif"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def names(found: tuple[Candidate, ...], root: Path) -> list[str]:
    return [str(file.path.relative_to(root)) for file in found]


def test_sorted_and_without_hidden_ones(tree: Path) -> None:
    found = find_files([tree])
    assert names(found.files, tree) == ["a.tif", "b.tif", "sub/c.tif", "sub/deep/d.tif"]
    assert found.hidden == (tree / ".folder", tree / ".hidden")
    assert found.files[0] == Candidate(tree / "a.tif", 5)


def test_depth_is_told(tree: Path) -> None:
    found = find_files([tree], depth=1)
    assert names(found.files, tree) == ["a.tif", "b.tif", "sub/c.tif"]
    assert found.too_deep == (tree / "sub" / "deep",)


def test_named_paths_count_once_and_may_be_hidden(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    found = find_files([Path("sub/../.hidden"), Path("a.tif"), tree / "a.tif"])
    assert [file.path for file in found.files] == [tree / ".hidden", tree / "a.tif"]


def test_links(tree: Path) -> None:
    (tree / "loop").symlink_to(tree)
    (tree / "z.tif").symlink_to(tree / "a.tif")
    (tree / "broken.tif").symlink_to(tree / "gone")
    found = find_files([tree])
    assert "z.tif" in names(found.files, tree)
    assert found.special == (tree / "loop",)
    assert [(path, error.code) for path, error in found.problems] == [(tree / "broken.tif", "file-not-read")]


def test_pipes_are_left_out(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    assert find_files([tree]).special == (tree / "pipe",)


def test_unreadable(tree: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read anything")
    (tree / "a.tif").chmod(0)
    (tree / "sub").chmod(0)
    try:
        found = find_files([tree])
    finally:
        (tree / "sub").chmod(0o700)
    assert names(found.files, tree) == ["b.tif"]
    assert {path for path, _ in found.problems} == {tree / "a.tif", tree / "sub"}
    assert "Permission denied" in found.problems[0][1].message


def test_names_that_json_cannot_carry(tree: Path) -> None:
    Path(os.fsdecode(os.fsencode(tree) + b"/\xff.tif")).write_bytes(b"")
    found = find_files([tree])
    assert [error.code for _, error in found.problems] == ["name-invalid"]


def test_missing_paths_stop_everything(tree: Path) -> None:
    with pytest.raises(AdminError) as caught:
        find_files([tree, tree / "gone"])
    assert (caught.value.code, caught.value.exit_status) == ("path-missing", 2)
    assert str(tree / "gone") in caught.value.message
