"""A drill restores, starts, reads and takes down; it leaves nothing behind, whatever ends it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.backups.drills import recorded_drill
from omeroadmin.backups.engines.opening import open_engine
from tests.support.backup import flip
from tests.support.omero import Omero
from tests.support.processes import wait_for, working_in

FORMATS = {"APNG", "JPEG", "OMETiff", "Tiff"}


@pytest.fixture(scope="module")
def target(server: Omero, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup target with one snapshot of the server."""
    directory = tmp_path_factory.mktemp("drill") / "target"
    server.ok("backup", "create", "--target", str(directory), timeout=300)
    return directory


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A directory for scratch instances, in which nothing may be left running."""
    directory = tmp_path / "scratch"
    directory.mkdir()
    yield directory
    assert not working_in(directory)


def begin(server: Omero, target: Path, scratch: Path) -> subprocess.Popen[str]:
    """A drill under way."""
    return subprocess.Popen(
        [sys.executable, "-m", "omeroadmin", "backup", "drill", "--target", str(target), "--scratch", str(scratch)],
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_drill_says_and_records_how_long_a_restore_takes(server: Omero, target: Path, scratch: Path) -> None:
    images = json.loads(server.ok("fs", "images", "--style", "json"))["images"]
    done = server.run("backup", "drill", "--target", str(target), "--scratch", str(scratch), "--json", timeout=300)
    assert done.returncode == 0, done
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert document["succeeded"]
    assert document["images"] == len(images)
    assert set(document["formats"]) == FORMATS
    assert not list(scratch.iterdir())
    engine = open_engine(target)
    record = recorded_drill(engine, document["id"])
    assert record is not None
    assert 0 < record.restore_seconds < record.seconds
    assert round(record.restore_seconds, 3) == document["restore_seconds"]
    # The server itself has noticed nothing.
    server.ok("admin", "status")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_drill_takes_everything_down(
    server: Omero, target: Path, scratch: Path, number: signal.Signals
) -> None:
    process = begin(server, target, scratch)
    wait_for("Blitz", scratch)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not list(scratch.iterdir())


def test_the_next_drill_clears_away_what_a_killed_one_left(server: Omero, target: Path, scratch: Path) -> None:
    for program in ("initdb", "checkpointer", "Blitz"):
        process = begin(server, target, scratch)
        wait_for(program, scratch)
        process.kill()
        process.communicate(timeout=60)
    assert working_in(scratch), "servers and PostgreSQL have outlived the drill"
    foreign = scratch / "omero-drill-notes"
    foreign.mkdir()
    done = server.run("backup", "drill", "--target", str(target), "--scratch", str(scratch), timeout=300)
    assert done.returncode == 0, done
    assert len(done.stdout.splitlines()) == 1
    assert list(scratch.iterdir()) == [foreign]


def test_faults_are_named_and_no_record_is_kept(server: Omero, target: Path, scratch: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(target, copy)
    [image] = (path for path in (server.data / "ManagedRepository").rglob("*.png"))
    pool = (path for path in (copy / "pool").rglob("*") if path.is_file())
    [victim] = (path for path in pool if path.read_bytes() == image.read_bytes())
    flip(victim)
    [snapshot] = open_engine(copy).names()
    done = server.run("backup", "drill", "--target", str(copy), "--scratch", str(scratch), timeout=300)
    assert done.returncode == 5, done
    assert image.name in done.stderr
    assert "(APNG)" in done.stderr
    assert recorded_drill(open_engine(copy), snapshot) is None
    assert not list(scratch.iterdir())


def test_a_sealed_snapshot_is_drilled_with_its_key(server: Omero, scratch: Path, tmp_path: Path) -> None:
    phrase, target = tmp_path / "phrase", tmp_path / "target"
    phrase.write_text("correct horse\n")
    phrase.chmod(0o600)
    server.ok("backup", "create", "--target", str(target), "--passphrase-file", str(phrase), timeout=300)
    arguments = ("backup", "drill", "--target", str(target), "--scratch", str(scratch))
    done = server.run(*arguments, timeout=280)
    assert done.returncode == 3
    assert "is sealed to passphrase" in done.stderr
    assert "--passphrase-file" in done.stderr
    server.ok(*arguments, "--passphrase-file", str(phrase), timeout=280)
    assert not list(scratch.iterdir())
