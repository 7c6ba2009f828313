"""What a run takes over from the one before, and what it reads again."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.backups.collect import Collected, Collector
from omeroadmin.backups.manifest import Entry, entry_line, parse_line
from omeroadmin.backups.pool import Pool
from omeroadmin.backups.scan import Root, walk
from omeroadmin.backups.target import Target, locked, make_target


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """An empty target."""
    made = make_target(tmp_path / "target")
    with locked(made):
        pass
    return made


def lines(entries: Iterable[Entry | bytes]) -> list[bytes]:
    """Lines of a manifest."""
    return [entry if isinstance(entry, bytes) else entry_line(entry) for entry in entries]


def collect(target: Target, previous: list[bytes], root: Path, **more: Any) -> tuple[Collected, list[bytes]]:
    """Bring a directory into the pool."""
    options = {"trusted_until_ns": 10**18 + 1, "with_sha1": lambda _: False, **more}
    collector = Collector(Pool(target), previous, **options)
    found = lines(collector.entries(walk([Root("data", root)])))
    return collector.result, found


def test_changed_modes_are_noticed_without_reading(target: Target, tmp_path: Path) -> None:
    source = tmp_path / "data" / "f"
    source.parent.mkdir()
    source.write_bytes(b"1")
    os.utime(source, ns=(10**18, 10**18))
    _, first = collect(target, [], source.parent)
    source.chmod(0o604)
    done, again = collect(target, first, source.parent)
    assert parse_line(again[-1]).mode == 0o604
    assert done.read_files == 0
    # Written within the grain of the clock: not trusted.
    young, _ = collect(target, again, source.parent, trusted_until_ns=10**18)
    assert (young.read_files, young.copied_files) == (1, 0)
    # A hash that nobody asked for before.
    hashed, with_sha1 = collect(target, again, source.parent, with_sha1=lambda _: True)
    assert hashed.read_files == 1
    assert parse_line(with_sha1[-1]).sha1 is not None
    assert collect(target, with_sha1, source.parent, with_sha1=lambda _: True)[0].read_files == 0


def test_contents_that_the_pool_lost_are_missed(target: Target, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    for number in range(40):
        (root / str(number)).write_bytes(bytes([number]))
        os.utime(root / str(number), ns=(10**18, 10**18))
    done, first = collect(target, [], root)
    assert done.copied_files == 40
    done, again = collect(target, first, root)
    assert (done.absent, done.read_files, done.files, done.size) == (0, 0, 40, 40)
    assert again == first
    lost = [path for path in target.pool.rglob("*") if path.is_file()][:3]
    for path in lost:
        path.unlink()
    (target.pool / lost[0].parent.name / "no digest").touch()
    assert collect(target, first, root)[0].absent == 3
    done, again = collect(target, first, root, thorough=True)
    assert (done.absent, done.copied_files) == (0, 3)
    assert again == first


def test_wrong_sizes_are_noticed_in_some_run(target: Target, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "f").write_bytes(b"content")
    os.utime(root / "f", ns=(10**18, 10**18))
    _, first = collect(target, [], root)
    next(path for path in target.pool.rglob("*") if path.is_file()).write_bytes(b"cut")
    # A sixteenth of the pool each time, by chance: that it is never this one is as likely as one in 10^28.
    assert any(collect(target, first, root)[0].absent for _ in range(1000))
    assert collect(target, first, root, thorough=True)[0].copied_files == 1


CHANGES = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["same", "new", "mode", "gone", "directory"]))


@given(before=st.sets(st.sampled_from("abcdefgh")), changes=CHANGES)
def test_a_run_after_any_change_is_like_a_first_one(
    tmp_path_factory: pytest.TempPathFactory, before: set[str], changes: dict[str, str]
) -> None:
    place = tmp_path_factory.mktemp("run")
    root, one, other = place / "data", Target(place / "one"), Target(place / "other")
    for directory in (root, *(part for target in (one, other) for part in (target.pool, target.partial))):
        directory.mkdir(parents=True)
    for name in before:
        (root / name).write_bytes(name.encode())
        os.utime(root / name, ns=(10**17, 10**17))
    _, first = collect(one, [], root)
    for name, change in changes.items():
        path = root / name
        if change == "gone" or (change == "directory" and path.exists()):
            path.unlink(missing_ok=True)
        if change == "directory":
            path.mkdir()
        elif change == "new":
            path.write_bytes(b"new " + name.encode())
            os.utime(path, ns=(10**17 + 5, 10**17 + 5))
        elif change == "mode" and path.exists():
            path.chmod(0o640)
    _, second = collect(one, first, root)
    assert second == collect(other, [], root)[1]
