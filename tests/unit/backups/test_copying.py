"""Small files are copied by other processes just as by this one."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import psutil
import pytest

from omeroadmin.backups.collect import Collected, Collector
from omeroadmin.backups.copying import copying
from omeroadmin.backups.manifest import entry_line
from omeroadmin.backups.pool import Pool
from omeroadmin.backups.scan import Found, Root, walk
from omeroadmin.backups.target import Target, locked, make_target
from omeroadmin.errors import AdminError
from omeroadmin.system.program_output import write_frame

_DEADLINE = 60
_FILES = 6000
_TWICE = 4500
"""Contents; the files after these have some of them again, soon and late."""


def target_in(directory: Path) -> Target:
    made = make_target(directory)
    with locked(made):
        pass
    return made


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """An empty target."""
    return target_in(tmp_path / "target")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with more files than threads copy."""
    root = tmp_path_factory.mktemp("copying")
    for number in range(_FILES):
        directory = root / f"{number // 500:02}"
        directory.mkdir(exist_ok=True)
        (directory / str(number)).write_bytes(b"content %d" % (number % _TWICE))
    for number in (700, 3300):
        (root / f"{number // 500:02}" / f"{number} again").write_bytes(b"content %d" % (number + 7))
    (root / "09" / "large").write_bytes(b"x" * (3 << 20))
    (root / "09" / "empty").touch()
    (root / "09" / os.fsdecode(b"latin\xe4")).write_bytes(b"\xe4")
    return root


def found_in(root: Path) -> list[Found]:
    found = list(walk([Root("data", root)]))
    last = found[-1]
    gone = Found(f"{last.path}-gone", f"{last.source}-gone", 1, 1, 0o600)
    return [*found, gone, Found(f"{last.path}-no-file", str(root), 1, 1, 0o600)]


def collect(target: Target, root: Path, jobs: int) -> tuple[Collected, list[bytes]]:
    """Bring a directory into the pool, by processes unless ``jobs`` is 0."""
    with copying(target, jobs) as copiers:
        collector = Collector(
            Pool(target),
            [],
            trusted_until_ns=0,
            with_sha1=lambda path: path.endswith("1"),
            jobs=jobs or 2,
            copy_many=copiers.copy if jobs else None,
        )
        lines = [line if isinstance(line, bytes) else entry_line(line) for line in collector.entries(found_in(root))]
        assert len(copy_processes()) == jobs
    assert copy_processes() == []
    return collector.result, lines


def copy_processes() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "copy_process" in " ".join(child.cmdline())]


@pytest.mark.parametrize("jobs", [1, 3])
def test_processes_copy_as_threads_do(tmp_path: Path, target: Target, root: Path, jobs: int) -> None:
    threads, here = collect(target_in(tmp_path / "threads"), root, 0)
    processes, there = collect(target, root, jobs)
    assert there == here
    for one in (threads, processes):
        assert [(fault.code, fault.path) for fault in one.faults.kept] == [("file-unreadable", "data/11/5999-no-file")]
    assert astuple(processes)[:6] == astuple(threads)[:6]
    assert (processes.read_files, processes.copied_files) == (_FILES + 5, _TWICE + 3)
    names = [sorted(path.name for path in made.rglob("*")) for made in (target.pool, tmp_path / "threads" / "pool")]
    assert names[0] == names[1]
    assert not list(target.partial.iterdir())


def test_no_process_is_started_for_a_few_files(target: Target, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number in range(1200):
        (tmp_path / "data" / str(number)).write_bytes(b"%d" % number)
    with copying(target, 2) as copiers:
        collector = Collector(
            Pool(target), [], trusted_until_ns=0, with_sha1=lambda _: False, copy_many=copiers.copy
        )  # fmt: skip
        assert len(list(collector.entries(walk([Root("data", tmp_path / "data")])))) == 1201
        assert copy_processes() == []


def test_a_process_that_is_killed_is_one_error(target: Target, root: Path) -> None:
    wanted = [(str(root / "00" / str(number)), False) for number in range(10)]
    with copying(target, 1) as copiers:
        assert len(copiers.copy(wanted)) == 10
        (program,) = copy_processes()
        program.kill()
        with pytest.raises(AdminError) as caught:
            copiers.copy(wanted)
    assert caught.value.code == "copy-failed"
    assert "status -9" in caught.value.message


def test_a_full_target_is_one_error(target: Target, root: Path) -> None:
    small, large = str(root / "00" / "1"), str(root / "09" / "large")
    with copying(target, 1) as copiers:
        copiers.copy([])
        (program,) = copy_processes()
        # As near to a full disk as it gets without root.
        program.rlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        assert len(copiers.copy([(small, False)])) == 1
        with pytest.raises(AdminError) as caught:
            copiers.copy([(small, False), (large, False), (small, False)])
    assert caught.value.code == "backup-not-written"
    assert "File too large" in caught.value.message
    assert len(list(target.partial.iterdir())) == 2


def test_it_ends_when_nobody_listens_any_more(target: Target) -> None:
    arguments = [sys.executable, "-m", "omeroadmin.backups.copy_process", str(target.root)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        write_frame(program.stdin, b"[\0\0\0\0")
        assert program.wait(_DEADLINE) != 0
        assert program.stderr.read() == b""
