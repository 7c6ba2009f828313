"""The walk in another process: the same as in this one, and what comes of its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from omeroadmin.backups.scan import Found, Root, walk_together
from omeroadmin.backups.walking import walking
from omeroadmin.errors import AdminError
from omeroadmin.system.program_output import write_frame

_DEADLINE = 30.0


def made(directory: Path) -> list[Root]:
    """Trees with all that a walk tells apart."""
    for number in range(2500):
        path = directory / "many" / f"{number:04d}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"1" * (number % 3))
    for name in ("é/\U0001f52c", "line\nbreak", 'quote"\\', os.fsdecode(b"\xff\xfe"), "target/pool", "FullText/meta"):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")
    (directory / "empty").mkdir()
    (directory / "nowhere").symlink_to("gone")
    (directory / "circle").symlink_to(".")
    (directory / "linked").symlink_to("many")
    return [
        Root("scripts", directory / "é"),
        Root("data", directory, frozenset({"FullText"})),
        Root("gone", directory / "not-there"),
    ]


def flat(pieces: list[list[Found]]) -> list[Found]:
    return [item for piece in pieces for item in piece]


def test_another_process_finds_the_same(tmp_path: Path) -> None:
    roots, never = made(tmp_path), [tmp_path / "target"]
    here = flat(list(walk_together(roots, never)))
    with walking() as walker:
        walker.begin(roots, never)
        there = list(walker.found())
    assert flat(there) == here
    assert {item.problem for item in here} >= {None, "leads back to a directory above it"}
    assert any(item.link == "gone" for item in here)
    assert any(item.path.startswith("data/linked/") for item in here)
    assert not any(item.path.startswith(("data/target/", "data/FullText")) for item in here)
    for piece in there:
        assert len({item.path.rstrip("/").rpartition("/")[0] for item in piece}) == 1


def test_one_walk_after_the_other(tmp_path: Path) -> None:
    made(tmp_path)
    with walking() as walker:
        for name in ("first", "second"):
            walker.begin([Root(name, tmp_path / "many")])
            assert len(flat(list(walker.found()))) == 2501
        walker.begin([])
        assert list(walker.found()) == []


def test_a_walk_that_ends_early_is_no_whole_walk(tmp_path: Path) -> None:
    with walking() as walker:
        (program,) = (child for child in psutil.Process().children() if "walk_process" in " ".join(child.cmdline()))
        program.kill()
        walker.begin([Root("data", tmp_path)])
        with pytest.raises(AdminError) as caught:
            list(walker.found())
    assert caught.value.code == "walk-failed"
    assert "status -9" in caught.value.message


def test_it_ends_when_nobody_listens_any_more(tmp_path: Path) -> None:
    roots = [(root.name, str(root.directory), list(root.skip)) for root in made(tmp_path)]
    arguments = [sys.executable, "-m", "omeroadmin.backups.walk_process"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        write_frame(program.stdin, json.dumps({"roots": roots, "never": []}).encode())
        assert program.wait(_DEADLINE) != 0
        assert program.stderr.read() == b""
