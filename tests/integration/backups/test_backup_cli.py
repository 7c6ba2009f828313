"""The commands of ``omero backup`` as a cron job meets them: results, faults, exit statuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    assert document["succeeded"] is True
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
    assert "False" in omero.ok("backup", "list", "--target", str(target))
    missing.write_bytes(b"x")


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
        (("create", "--target", "{full}"), 3, "is no backup target"),
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


def test_unknown_and_ambiguous_snapshots(omero: Omero, tmp_path: Path) -> None:
    target = str(tmp_path / "target")
    omero.ok("backup", "create", "--target", target)
    omero.ok("backup", "create", "--target", target)
    assert "no snapshot 'nonsense'" in run(omero, "verify", "nonsense", "--target", target).stderr
    assert "beginning of 2 snapshots" in run(omero, "verify", "2", "--target", target).stderr
