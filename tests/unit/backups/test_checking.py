"""Contents are read again by other processes: what they find, and what comes of their end."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
from blake3 import blake3

from omeroadmin.backups.checking import checking
from omeroadmin.backups.manifest import Entry
from omeroadmin.backups.target import Target
from omeroadmin.backups.verify import Read, check_contents
from omeroadmin.errors import AdminError

_LARGE = (1 << 20) + 1


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path / "target")


def kept(target: Target, number: int, size: int) -> Entry:
    """An entry whose content the pool has."""
    content = number.to_bytes(4, "big") * (size // 4) + b"x" * (size % 4)
    digest = blake3(content).hexdigest()
    path = target.pool_file(digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Entry(f"data/{number:05d}", size, 0, 0o600, digest)


def checked(target: Target, entries: list[Entry], *, jobs: int, together: int) -> tuple[list[tuple[str, str]], Read]:
    read = Read()
    with checking(target, jobs) as check:
        faults = list(check_contents(entries, check, read, jobs=jobs, together=together))
    return [(fault.code, fault.path) for fault in faults], read


@pytest.mark.parametrize(("jobs", "together"), [(1, 1), (2, 7), (3, 500)])
def test_whole_contents_have_no_faults(target: Target, jobs: int, together: int) -> None:
    entries = [kept(target, number, number % 50) for number in range(1000)]
    entries += [kept(target, 1000, _LARGE), kept(target, 1001, _LARGE - 1), Entry("data/d/", 0, 0, 0o700)]
    faults, read = checked(target, entries, jobs=jobs, together=together)
    assert faults == []
    assert (read.files, read.size) == (1002, sum(entry.size for entry in entries))


def test_each_damage_is_named_in_order(target: Target) -> None:
    entries = [kept(target, number, 40 if number % 2 else _LARGE) for number in range(20)]
    places = [target.pool_file(entry.blake3) for entry in entries]
    damages = [missing, changed, cut, grown, linked, piped, buried]
    wanted = [
        (damages[number // 2](places[number], places[-1]), entries[number].path) for number in range(2 * len(damages))
    ]
    faults, read = checked(target, entries, jobs=2, together=3)
    assert faults == wanted
    assert read.files == len(entries)


def missing(path: Path, _: Path) -> str:
    path.unlink()
    return "content-missing"


def changed(path: Path, _: Path) -> str:
    path.write_bytes(b"y" * path.stat().st_size)
    return "content-damaged"


def cut(path: Path, _: Path) -> str:
    path.write_bytes(path.read_bytes()[:-1])
    return "content-size"


def grown(path: Path, _: Path) -> str:
    path.write_bytes(path.read_bytes() + b"z")
    return "content-size"


def linked(path: Path, other: Path) -> str:
    path.unlink()
    path.symlink_to(other)
    return "content-unreadable"


def piped(path: Path, _: Path) -> str:
    path.unlink()
    os.mkfifo(path)
    return "content-unreadable"


def buried(path: Path, _: Path) -> str:
    path.unlink()
    path.mkdir()
    return "content-unreadable"


def test_a_process_that_ends_early_proves_nothing(target: Target) -> None:
    entry = kept(target, 1, 10)
    with checking(target, 1) as check:
        assert check([entry]) == []
        (program,) = (child for child in psutil.Process().children() if "check_process" in " ".join(child.cmdline()))
        program.kill()
        with pytest.raises(AdminError) as caught:
            check([entry])
    assert caught.value.code == "check-failed"
    assert "status -9" in caught.value.message
    assert not program.is_running()
