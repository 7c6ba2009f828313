"""Files that are replaced together."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.system.together import STORE, SetFile, Together

NEIGHBOUR = "grid/config.xml"


def files(token: str, *names: str) -> list[SetFile]:
    return [SetFile(name, token.encode()) for name in names]


def seen(together: Together) -> dict[str, bytes | None]:
    return {name: found.content for name, found in together.survey(()).items()}


def replace(together: Together, wanted: list[SetFile]) -> None:
    present = together.survey([file.name for file in wanted])
    together.replace(wanted, {name: found.content for name, found in present.items()})


@pytest.fixture
def together(tmp_path: Path) -> Together:
    root = tmp_path / "etc"
    (root / "grid").mkdir(parents=True)
    (root / NEIGHBOUR).write_text("neighbour")
    return Together(root, (NEIGHBOUR,))


def sets(together: Together) -> list[Path]:
    return [path for path in together.store.iterdir() if path.is_dir() and not path.is_symlink()]


def test_sets_follow_each_other(together: Together) -> None:
    replace(together, files("1", "a", "grid/b"))
    assert seen(together) == {"a": b"1", "grid/b": b"1"}
    replace(together, [*files("2", "a"), SetFile("c", b"3", 0o600)])
    assert seen(together) == {"a": b"2", "c": b"3"}
    assert not os.path.lexists(together.root / "grid" / "b")
    assert (together.root / "c").stat().st_mode & 0o777 == 0o600
    assert len(sets(together)) == 1
    assert together.leftovers() == []
    assert str((together.root / "a").readlink()) == f"{STORE}/current/a"


def test_whoever_follows_links_to_their_end_finds_the_neighbours(together: Together) -> None:
    replace(together, files("1", "grid/b"))
    real = (together.root / "grid" / "b").resolve()
    assert STORE in real.parts
    assert (real.parent / "config.xml").read_text() == "neighbour"


def test_directories_that_are_links(tmp_path: Path) -> None:
    """As in containers, where configuration lies on a volume."""
    (tmp_path / "volume" / "grid").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "etc").symlink_to("elsewhere")
    (tmp_path / "etc" / "grid").symlink_to(tmp_path / "volume" / "grid")
    (tmp_path / "etc" / NEIGHBOUR).write_text("neighbour")
    together = Together(tmp_path / "etc", (NEIGHBOUR,))
    replace(together, files("1", "a", "grid/b"))
    assert seen(together) == {"a": b"1", "grid/b": b"1"}
    assert ((tmp_path / "etc" / "grid" / "b").resolve().parent / "config.xml").read_text() == "neighbour"


def test_a_moved_root_still_works(together: Together) -> None:
    replace(together, files("1", "a", "grid/b"))
    moved = together.root.rename(together.root.with_name("moved"))
    assert seen(Together(moved, (NEIGHBOUR,))) == {"a": b"1", "grid/b": b"1"}


def test_a_copy_without_links(together: Together) -> None:
    """As ``cp -rL`` makes one: public names and ``current`` are a file and a directory of their own."""
    replace(together, files("1", "a"))
    copy = Together(together.root.with_name("copy"), (NEIGHBOUR,))
    shutil.copytree(together.root, copy.root)
    replace(copy, files("2", "a"))
    assert seen(copy) == {"a": b"2"}
    assert (copy.root / "a").is_symlink()
    assert copy.leftovers() == []


def test_what_was_touched_is_known(together: Together) -> None:
    replace(together, files("1", "a", "b", "c"))
    (together.root / "a").write_text("2")
    (together.root / "b").unlink()
    (together.root / "b").write_text("1")
    (together.root / "c").unlink()
    found = together.survey(())
    assert (found["a"].linked, found["a"].untouched) == (True, False)
    assert (found["b"].linked, found["b"].untouched) == (False, True)
    assert (found["c"].content, found["c"].recorded) == (None, True)
    assert not found["b"].shows(SetFile("b", b"1"))


def test_without_its_record_everything_counts_as_touched(together: Together) -> None:
    replace(together, files("1", "a"))
    (together.store / "current" / "SHA256SUMS").unlink()
    found = together.survey(["a"])["a"]
    assert (found.recorded, found.untouched, found.linked) == (False, False, True)


def test_a_record_names_nothing_outside(together: Together) -> None:
    replace(together, files("1", "a"))
    (together.store / "current" / "SHA256SUMS").write_text("00  ../x\n00  /etc/passwd\nnonsense\n00  a\n")
    assert set(together.survey(())) == {"a"}


def test_somebody_was_faster(together: Together) -> None:
    expected: dict[str, bytes | None] = {"a": None}
    replace(together, files("1", "a"))
    together.replace(files("1", "a"), expected)
    with pytest.raises(AdminError) as caught:
        together.replace(files("2", "a"), expected)
    assert caught.value.code == "files-changed"
    assert seen(together) == {"a": b"1"}


def test_copies_are_never_overwritten(together: Together) -> None:
    places = [together.keep("grid/b", content, 0o640) for content in (b"1", b"2", b"1", b"3")]
    assert [place.name for place in places] == ["b.orig", "b.orig.1", "b.orig", "b.orig.2"]
    assert [place.read_bytes() for place in places] == [b"1", b"2", b"1", b"3"]
    assert places[1].stat().st_mode & 0o777 == 0o640
    assert together.place_to_keep("grid/b", b"2") == places[1]
    assert together.place_to_keep("grid/b", b"4").name == "b.orig.3"
    assert together.leftovers() == []


def test_names_that_are_taken_by_something_else(together: Together) -> None:
    (together.root / "a.orig").mkdir()
    (together.root / "a.orig.1").symlink_to("nowhere")
    assert together.keep("a", b"1", 0o600).name == "a.orig.2"


def test_a_directory_that_cant_be_written(together: Together) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    together.root.chmod(0o500)
    try:
        for action in (lambda: replace(together, files("1", "a")), lambda: together.keep("a", b"1", 0o600)):
            with pytest.raises(AdminError) as caught:
                action()
            assert caught.value.code == "file-not-written"
            assert str(together.root) in caught.value.message
    finally:
        together.root.chmod(0o700)


@pytest.mark.root
def test_what_root_makes_is_the_owners(together: Together) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for path in (together.root, together.root / "grid"):
        os.chown(path, 1, 1)
    replace(together, files("1", "a", "grid/b"))
    kept = together.keep("a", b"2", 0o600)
    for path in (kept, together.root / "a", *together.store.rglob("*"), together.store):
        assert path.lstat().st_uid == 1, path
