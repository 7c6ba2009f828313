"""The commands of ``omero backup`` as a cron job meets them: results, faults, exit statuses."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.system import locks
from tests.support.backup import Seeded, flip, seeded_instance
from tests.support.omero import Omero


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    with seeded_instance(tmp_path_factory.mktemp("cli")) as made:
        yield made


@pytest.fixture
def omero(seeded: Seeded) -> Omero:
    return Omero(seeded.omerodir.parent)


def run(omero: Omero, *arguments: str) -> subprocess.CompletedProcess[str]:
    return omero.run("backup", *arguments)


def test_the_life_of_a_snapshot(omero: Omero, tmp_path: Path) -> None:
    target = str(tmp_path / "target")
    created = omero.json("backup", "create", "--target", target, "--tag", "nightly", "--json")
    assert created["schema"] == "omeroadmin/backup/create/1"
    assert created["consistent"] is True
    quiet = run(omero, "create", "--target", target, "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert "verified" in omero.ok("backup", "verify", created["id"], "--target", target)
    document = omero.json("backup", "verify", created["id"][:20], "--target", target, "--json")
    assert (document["succeeded"], document["deep"], document["sample"]) == (True, False, 1.0)
    deep = omero.ok("backup", "verify", created["id"], "--target", target, "--deep", "--sample", "50%")
    assert "a sample of 50 %" in deep
    assert "dump restored, 18 rows reconciled" in deep
    listed = omero.json("backup", "list", "--target", target, "--json")["snapshots"]
    assert (listed[0]["id"], listed[0]["tag"]) == (created["id"], "nightly")
    assert listed[0]["verified"]
    assert listed[1]["verified"] is None
    assert "(2 rows)" in omero.ok("backup", "list", "--target", target)
    plan = omero.ok("backup", "restore", "latest", "--target", target, "--into", str(tmp_path / "new"), "--dry-run")
    assert "restore the dump" in plan
    assert not (tmp_path / "new").exists()
    done = omero.ok("backup", "restore", created["id"], "--target", target, "--into", str(tmp_path / "new"), "--yes")
    assert "all as it was saved" in done


def test_a_restore_needs_no_instance(omero: Omero, tmp_path: Path) -> None:
    target = str(tmp_path / "target")
    omero.ok("backup", "create", "--target", target)
    bare = Omero(tmp_path, extra={"OMERODIR": ""})
    bare.ok("backup", "verify", "--target", target)
    bare.ok("backup", "restore", "latest", "--target", target, "--into", str(tmp_path / "new"), "--yes")
    assert (tmp_path / "new-data" / "ManagedRepository").is_dir()


def test_faults_are_lines_on_stderr_and_status_5(omero: Omero, seeded: Seeded, tmp_path: Path) -> None:
    target = tmp_path / "target"
    omero.ok("backup", "create", "--target", str(target))
    victim = max(
        (path for path in (target / "pool").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    flip(victim)
    for arguments in (("verify", "--target", str(target), "--quiet"),
                      ("restore", "latest", "--target", str(target), "--into", str(tmp_path / "new"))):  # fmt: skip
        done = run(omero, *arguments)
        assert done.returncode == 5, done
        assert "data/ManagedRepository/big_0/large.tif" in done.stderr
        assert str(victim) in done.stderr
    document = run(omero, "verify", "--target", str(target), "--json")
    assert json.loads(document.stdout)["faults"][0]["code"] == "content-damaged"
    missing = seeded.add_file("cli_0/", "missing.tif", b"x")
    missing.unlink()
    done = run(omero, "create", "--target", str(target), "--quiet")
    assert done.returncode == 5
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "data/ManagedRepository/cli_0/missing.tif" in done.stderr
    assert omero.json("backup", "list", "--target", str(target), "--json")["snapshots"][-1]["state"] == "inconsistent"
    missing.write_bytes(b"x")


def test_a_damaged_document_is_listed_as_such(omero: Omero, tmp_path: Path) -> None:
    target = tmp_path / "target"
    for _ in range(2):
        omero.ok("backup", "create", "--target", str(target), "--quiet")
    whole, damaged = sorted(path.name for path in (target / "snapshots").iterdir())
    document = target / "snapshots" / damaged / "snapshot.json"
    document.write_bytes(document.read_bytes()[:-40])
    listed = run(omero, "list", "--target", str(target), "--json")
    assert listed.returncode == 5, listed
    states = {item["id"]: item["state"] for item in json.loads(listed.stdout)["snapshots"]}
    assert states == {whole: "consistent", damaged: "damaged"}
    assert listed.stderr.startswith(f"omero: {document} is damaged: ")
    assert listed.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("create",), 3, "omero.backup.target is not set"),
        (("list",), 3, "omero.backup.target is not set"),
        (("list", "--target", "{empty}"), 3, "holds no snapshots"),
        (("verify", "--target", "{empty}"), 3, "holds no snapshots"),
        (("restore", "latest", "--target", "{empty}", "--into", "{empty}/new"), 3, "holds no snapshots"),
        (("restore", "latest"), 2, "--into"),
        (("restore", "--into", "{empty}/new"), 2, "--from-dump and --from-mirror"),
        (("restore", "latest", "--from-dump", "{full}/thesis.doc", "--into", "{empty}/new"), 2, "either a snapshot"),
        (("restore", "--from-dump", "{full}/thesis.doc", "--into", "{empty}/new"), 2, "--from-mirror"),
        (
            ("restore", "--from-dump", "{full}/thesis.doc", "--from-mirror", "{full}", "--into", "{empty}/new"),
            3,
            "is no dump",
        ),
        (
            (
                "restore",
                "--from-dump",
                "{full}/x",
                "--from-mirror",
                "{full}",
                "--only",
                "config",
                "--into",
                "{empty}/new",
            ),
            2,
            "restore everything",
        ),
        (("create", "--target", "{full}"), 3, "is no backup target"),
        (("verify", "--target", "{empty}", "--sample", "0"), 2, "no percentage"),
        (("verify", "--target", "{empty}", "--sample", "1O%"), 2, "no percentage"),
        (("create", "--target", "{empty}", "--on-success", "no-such-program"), 3, "no-such-program is no program"),
        (("create", "--target", "{empty}", "--on-failure", "echo 'open"), 3, "No closing quotation"),
        (("create", "--target", "{empty}/new", "--encrypt-to", "age1nonsense"), 2, "no public key of age"),
        (("create", "--target", "{empty}/new", "--encrypt-to", "{full}/none"), 3, "can't be read"),
        (("create", "--target", "{empty}/new", "--passphrase-file", "{full}/none"), 3, "can't be read"),
        (("verify", "--target", "{empty}", "--identity-file", "{full}/thesis.doc"), 3, "no private key"),
        (("restore", "latest", "--target", "{empty}", "--only", "", "--into", "{empty}/new"), 3, "holds no snapshots"),
    ],
)
def test_bad_input_is_one_clear_line(
    omero: Omero, tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("mine")
    names = {"empty": str(tmp_path / "empty"), "full": str(tmp_path / "full")}
    done = run(omero, *(argument.format(**names) for argument in arguments))
    assert done.returncode == status, done
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.doc"]
    assert not list((tmp_path / "empty").iterdir())


def test_single_files_come_back(omero: Omero, seeded: Seeded, tmp_path: Path) -> None:
    target, into = str(tmp_path / "target"), str(tmp_path / "rescued")
    omero.ok("backup", "create", "--target", target)
    path = "ManagedRepository/big_0/large.tif"
    common = ("backup", "restore", "latest", "--target", target, "--only", path, "--into", into)
    done = omero.run(*common, "--start")
    assert (done.returncode, "no server" in done.stderr) == (2, True)
    assert not (tmp_path / "rescued").exists()
    planned = omero.ok(*common, "--dry-run")
    # No tree is named that nothing is wanted of.
    assert f"bytes) to {into}\n" in planned
    words = omero.ok(*common)
    assert "1 files restored" in words
    assert "admin start" not in words
    assert (tmp_path / "rescued" / path).read_bytes() == (seeded.data / path).read_bytes()


def test_unknown_and_ambiguous_snapshots(omero: Omero, tmp_path: Path) -> None:
    target = str(tmp_path / "target")
    omero.ok("backup", "create", "--target", target)
    omero.ok("backup", "create", "--target", target)
    assert "no snapshot 'nonsense'" in run(omero, "verify", "nonsense", "--target", target).stderr
    assert "beginning of 2 snapshots" in run(omero, "verify", "2", "--target", target).stderr


def hook(directory: Path, status: int = 0) -> Path:
    """A program that writes down what it is told."""
    path = directory / f"hook-{status}"
    told = directory / "told"
    lines = ("#!/bin/sh", f"env | grep ^OMERO_BACKUP | sort > '{told}'", f"echo \"$1\" >> '{told}'", "echo no way >&2")
    path.write_text("\n".join([*lines, f"exit {status}", ""]))
    path.chmod(0o755)
    return path


def test_hooks_are_told_how_it_ended(omero: Omero, seeded: Seeded, tmp_path: Path) -> None:
    target, told = str(tmp_path / "target"), tmp_path / "told"
    well, badly = f"{hook(tmp_path)} 'well; rm -rf $HOME'", f"{hook(tmp_path)} badly"
    options = ("--target", target, "--quiet", "--on-success", well, "--on-failure", badly)
    done = run(omero, "create", *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "OMERO_BACKUP_RESULT=success\n" in told.read_text()
    # No shell had a part in it.
    assert told.read_text().endswith("well; rm -rf $HOME\n")
    missing = seeded.add_file("hook_0/", "missing.tif", b"x")
    missing.unlink()
    assert run(omero, "create", *options).returncode == 5
    assert told.read_text().endswith("badly\n")
    assert "OMERO_BACKUP_RESULT=inconsistent\nOMERO_BACKUP_SECONDS" in told.read_text()
    missing.write_bytes(b"x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("mine")
    done = run(omero, "create", "--target", str(tmp_path / "full"), "--on-failure", badly)
    assert done.returncode == 3
    assert "OMERO_BACKUP_CODE=backup-target-occupied\n" in told.read_text()


def test_a_hook_that_fails_is_a_line_and_hides_nothing(omero: Omero, tmp_path: Path) -> None:
    target, failing = str(tmp_path / "target"), str(hook(tmp_path, 7))
    done = run(omero, "create", "--target", target, "--quiet", "--on-success", failing)
    assert done.returncode == 5
    assert "was taken, but the hook" in done.stderr
    assert "ended with status 7: no way" in done.stderr
    assert len(omero.json("backup", "list", "--target", target, "--json")["snapshots"]) == 1
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("mine")
    done = run(omero, "create", "--target", str(tmp_path / "full"), "--on-failure", failing)
    assert done.returncode == 3
    assert "status 7" in done.stderr
    assert "is no backup target" in done.stderr


def test_runs_never_overlap(omero: Omero, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    with locks.exclusive(target / "lock", what="a backup that is under way"):
        done = run(omero, "create", "--target", str(target), "--quiet")
    assert (done.returncode, done.stdout) == (6, "")
    assert f"is locked by process {os.getpid()}" in done.stderr
    # The file stays, as after a kill; the lock doesn't.
    assert (target / "lock").exists()
    assert run(omero, "create", "--target", str(target), "--quiet").returncode == 0


def test_a_database_that_does_not_answer_is_status_4(omero: Omero, tmp_path: Path) -> None:
    before = {name: omero.ok("config", "get", name).strip() for name in ("omero.db.port", "omero.db.embedded")}
    omero.ok("config", "set", "omero.db.port", "1")
    omero.ok("config", "set", "omero.db.embedded", "false")
    try:
        done = run(omero, "create", "--target", str(tmp_path / "target"), "--quiet")
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith("omero: the database server at ")
        assert not list((tmp_path / "target" / "snapshots").iterdir())
    finally:
        for name, value in before.items():
            omero.ok("config", "set", name, value)


def test_ports_that_are_taken_are_told_before_the_restore(omero: Omero, tmp_path: Path) -> None:
    target, into = str(tmp_path / "target"), tmp_path / "second"
    omero.ok("backup", "create", "--target", target)
    common = ("backup", "restore", "latest", "--target", target, "--into", str(into), "--yes")
    with socket.create_server(("127.0.0.1", 24064)) as original:
        refused = omero.run(*common, "--ports-prefix", "2", "--start")
        assert (refused.returncode, refused.stdout) == (3, "")
        assert "24064 (omero.ports.ssl) is taken" in refused.stderr
        assert "add --ports-prefix " in refused.stderr
        assert not into.exists()
        told = omero.run(*common, "--ports-prefix", "2", "--dry-run")
        assert told.returncode == 0
        assert "24064 (omero.ports.ssl) is taken" in told.stderr
        original.close()
        free = omero.run(*common, "--ports-prefix", "2", "--dry-run")
        assert (free.returncode, free.stderr) == (0, "")


def test_a_disk_that_may_not_be_mounted(omero: Omero, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "file").write_text("mine")
    for command in ("list", "verify", "show"):
        done = omero.run("backup", command, "--target", str(tmp_path / "backup"))
        assert (done.returncode, done.stdout) == (3, "")
        assert "is mounted" in done.stderr
        done = omero.run("backup", command, "--target", str(tmp_path / "file"))
        assert (done.returncode, "is no directory" in done.stderr) == (3, True)
