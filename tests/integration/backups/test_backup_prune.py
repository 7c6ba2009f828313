"""Old snapshots go, the others stay whole; what is in them and what differs is told."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from omeroadmin.backups.manifest import read_manifest
from omeroadmin.backups.snapshot import manifest_path
from tests.support.backup import Seeded, age, copy_target, source  # noqa: F401 - a fixture
from tests.support.omero import Omero
from tests.support.rounds import rounds


@pytest.fixture
def omero(source: Seeded) -> Omero:  # noqa: F811 - the fixture
    """The command line with the instance whose snapshots these are."""
    return Omero(source.omerodir.parent)


@pytest.fixture(scope="module")
def filled(source: Seeded, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811 - the fixture
    """A target with four snapshots, each with a file of its own, the second one inconsistent."""
    target = tmp_path_factory.mktemp("prune") / "target"
    omero = Omero(source.omerodir.parent)
    for number in range(4):
        own = source.add_file(f"prune/{number}/", "own.tif", f"own {number}".encode() * 100)
        age(source.managed)
        hidden = own.with_name("hidden")
        if number == 1:
            own.rename(hidden)
        done = omero.run("backup", "create", "--target", str(target), "--quiet", "--tag", f"number {number}")
        assert done.returncode == (5 if number == 1 else 0), done
        if number == 1:
            hidden.rename(own)
    return target


@pytest.fixture
def target(filled: Path, tmp_path: Path) -> Path:
    """A copy to work on."""
    return copy_target(filled, tmp_path / "target")


def ids(omero: Omero, target: Path) -> list[str]:
    """Ids of the snapshots."""
    return [item["id"] for item in omero.json("backup", "list", "--target", str(target), "--json")["snapshots"]]


def damaged_ids(omero: Omero, target: Path, *, whole: list[str]) -> list[str]:
    """Names of damaged snapshots, beside those that are whole."""
    done = omero.run("backup", "list", "--target", str(target), "--json")
    assert done.returncode == 5
    found = json.loads(done.stdout)["snapshots"]
    assert [item["id"] for item in found if item["state"] == "consistent"] == whole
    return [item["id"] for item in found if item["state"] == "damaged"]


def contents(target: Path) -> set[str]:
    """Names of the pool's files."""
    return {path.name for path in (target / "pool").rglob("*") if path.is_file()}


def test_dry_run_tells_and_changes_nothing(omero: Omero, target: Path) -> None:
    before = (ids(omero, target), contents(target))
    document = omero.json("backup", "prune", "--target", str(target), "--keep-last", "1", "--dry-run", "--json")
    assert document["schema"] == "omeroadmin/backup/prune/1"
    assert [item["keep"] for item in document["snapshots"]] == [False, False, False, True]
    assert not document["done"]
    text = omero.ok("backup", "prune", "--target", str(target), "--keep-last", "1", "--dry-run")
    assert "not consistent, and a newer one is" in text
    assert "newest" in text
    assert (ids(omero, target), contents(target)) == before


def test_what_is_left_is_whole(omero: Omero, target: Path) -> None:
    before = ids(omero, target)
    refused = omero.run("backup", "prune", "--target", str(target), "--keep-last", "2")
    assert refused.returncode == 2
    assert ids(omero, target) == before
    done = omero.run("backup", "prune", "--target", str(target), "--keep-last", "2", "--yes", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert ids(omero, target) == before[2:]
    for name in before[2:]:
        omero.ok("backup", "verify", name, "--target", str(target), timeout=300)
    assert "All 2 snapshots are kept" in omero.ok(
        "backup", "prune", "--target", str(target), "--keep-last", "2", "--yes"
    )
    directories = [target / "snapshots" / name for name in before[2:]]
    named = {entry.blake3 for directory in directories for entry in read_manifest(manifest_path(directory))}
    assert contents(target) == named - {""}


def test_a_damaged_manifest_keeps_all_contents(omero: Omero, target: Path) -> None:
    before = contents(target)
    manifest = target / "snapshots" / ids(omero, target)[-1] / "manifest.jsonl.zst"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    done = omero.run("backup", "prune", "--target", str(target), "--keep-last", "1", "--yes", "--quiet")
    assert (done.returncode, done.stdout) == (5, "")
    assert str(manifest) in done.stderr
    assert contents(target) == before


def test_what_cannot_be_read_stays(omero: Omero, target: Path) -> None:
    first, _, _, last = ids(omero, target)
    document = target / "snapshots" / first / "snapshot.json"
    document.write_text(document.read_text().replace("omeroadmin/snapshot/1", "omeroadmin/snapshot/99"))
    done = omero.run("backup", "prune", "--target", str(target), "--keep-last", "1", "--yes", "--quiet")
    assert done.returncode == 5
    assert first in done.stderr
    assert damaged_ids(omero, target, whole=[last]) == [first]


def test_contents_that_a_killed_prune_left_go(omero: Omero, target: Path) -> None:
    left = target / "pool" / "ab" / f"ab{'0' * 62}"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"left")
    assert "4 bytes in 1 contents" in omero.ok("backup", "prune", "--target", str(target), "--keep-last", "9", "--yes")
    assert not left.exists()


def test_bad_input(omero: Omero, target: Path, tmp_path: Path) -> None:
    nothing = omero.run("backup", "prune", "--target", str(target), "--yes")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "--keep-last" in nothing.stderr
    assert omero.run("backup", "prune", "--target", str(target), "--keep-last", "-1").returncode == 2
    assert omero.run("backup", "prune", "--target", str(tmp_path / "none"), "--keep-last", "1", "--yes").returncode == 3


def test_show(omero: Omero, filled: Path) -> None:
    first, second, *_ = ids(omero, filled)
    text = omero.ok("backup", "show", first, "--target", str(filled))
    assert "number 0" in text
    assert "consistent" in text
    shown = omero.run("backup", "show", second, "--target", str(filled))
    assert "INCONSISTENT" in shown.stdout
    assert "own.tif" in shown.stderr
    document = omero.json("backup", "show", first, "--target", str(filled), "--json")
    assert document["schema"] == "omeroadmin/backup/show/1"
    assert document["verified"] is None
    below = omero.json("backup", "show", first, "--target", str(filled), "--below", "data/ManagedRepository/prune/0",
                       "--json")["files"]  # fmt: skip
    assert [item["path"] for item in below] == ["data/ManagedRepository/prune/0/own.tif"]
    assert omero.run("backup", "show", "nonsense", "--target", str(filled)).returncode == 3


def test_diff(omero: Omero, filled: Path) -> None:
    first, _, third, _ = ids(omero, filled)
    text = omero.ok("backup", "diff", third, first, "--target", str(filled))
    added = [line for line in text.splitlines() if line.startswith("+ ")]
    assert added == [f"+ data/ManagedRepository/prune/{number}/own.tif" for number in (1, 2)]
    assert text.splitlines()[-1].startswith(f"{first} to {third}: 2 added")
    changes = omero.json("backup", "diff", first, third, "--target", str(filled), "--json")["changes"]
    assert {(item["change"], item["before"]) for item in changes} == {("added", None)}
    assert len(omero.ok("backup", "diff", first, third, "--summary", "--target", str(filled)).splitlines()) == 1


@pytest.mark.timeout(300 + 20 * rounds(15))
def test_killed_while_pruning(omero: Omero, filled: Path, tmp_path: Path) -> None:
    """Whatever a killed prune has left: no snapshot is half there, and the next prune ends it."""
    generator = random.Random(20261128)
    words = ["backup", "prune", "--keep-last", "1", "--yes", "--quiet", "--target"]
    timed = copy_target(filled, tmp_path / "timed")
    began = time.monotonic()
    omero.ok(*words, str(timed))
    whole = time.monotonic() - began
    last = ids(omero, timed)
    expected = contents(timed)
    killed = 0
    for number in range(rounds(15)):
        target = copy_target(filled, tmp_path / f"target-{number}")
        with subprocess.Popen(
            [sys.executable, "-m", "omeroadmin", *words, str(target)], env=omero.environment, stderr=subprocess.PIPE
        ) as process:
            try:
                process.wait(whole * (0.5 + 0.5 * generator.random()))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        left = ids(omero, target)
        assert set(left) >= set(last)
        for name in left:
            json.loads((target / "snapshots" / name / "snapshot.json").read_text())
        omero.ok(*words, str(target))
        assert ids(omero, target) == last
        assert contents(target) == expected
        if number % 5 == 0:
            omero.ok("backup", "verify", "latest", "--target", str(target), timeout=300)
    assert killed > 0
