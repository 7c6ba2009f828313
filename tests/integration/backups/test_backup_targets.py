"""Targets that can't be meant, or can't be used, give one line and leave nothing behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.backup import Seeded, source  # noqa: F401 - a fixture
from tests.support.omero import Omero

VERBS = (
    ("create",),
    ("list",),
    ("show",),
    ("verify",),
    ("prune", "--keep-last", "1", "--yes"),
    ("restore", "latest", "--into", "restored", "--yes"),
)


@pytest.fixture
def omero(source: Seeded) -> Omero:  # noqa: F811 - the fixture
    """The command line with an instance."""
    return Omero(source.omerodir.parent)


@pytest.mark.parametrize("address", ["", " ", "host:/srv/backup", "user@host:backup", "s3:bucket", "http://host/x"])
def test_what_is_no_directory_is_not_made_one(omero: Omero, address: str) -> None:
    before = sorted(omero.home.iterdir())
    refused = omero.run("backup", "create", "--target", address)
    assert refused.returncode == 2, refused
    assert refused.stderr.count("\n") == 2
    assert sorted(omero.home.iterdir()) == before


def test_a_directory_with_a_colon_has_a_slash_before_it(omero: Omero) -> None:
    omero.ok("backup", "create", "--target", "./a:b", "--quiet")
    assert (omero.home / "a:b" / "snapshots").is_dir()


def test_the_property_means_the_same_everywhere(omero: Omero) -> None:
    omero.ok("config", "set", "omero.backup.target", "backups")
    try:
        refused = omero.run("backup", "create")
    finally:
        omero.ok("config", "set", "omero.backup.target")
    assert refused.returncode == 3, refused
    assert f"omero config set omero.backup.target {omero.home}/backups" in refused.stderr
    assert not (omero.home / "backups").exists()


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
@pytest.mark.parametrize("below", ["", "below"])
def test_a_directory_that_may_not_be_entered_is_named(
    omero: Omero, tmp_path: Path, verb: tuple[str, ...], below: str
) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may enter every directory; the unprivileged run of this suite covers this")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    refused = omero.run("backup", *verb, "--target", str(closed / below))
    assert refused.returncode == 5, refused
    assert f"omero: {closed / below} can't be read: Permission denied" in refused.stderr


def test_a_file_is_no_target(omero: Omero, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    refused = omero.run("backup", "create", "--target", str(file))
    assert (refused.returncode, "is no directory" in refused.stderr) == (3, True), refused
    assert file.read_text() == "precious"


def test_a_schedule_names_the_target_for_any_directory(omero: Omero, tmp_path: Path) -> None:
    for kind in ("systemd", "cron"):
        shown = omero.ok("backup", "schedule", kind, "--target", "backups", "--into", str(tmp_path), "--dry-run")
        assert f"--target {omero.home}/backups" in shown


def test_what_others_leave_in_a_target_is_in_nobodys_way(omero: Omero, tmp_path: Path) -> None:
    """File managers, NFS and snapshots of file systems leave files and directories everywhere."""
    target = tmp_path / "target"
    omero.ok("backup", "create", "--target", str(target), "--quiet")
    strange = [target / "pool" / ".DS_Store", target / "pool" / "00", target / "snapshots" / ".nfs0000000000000001"]
    for path in strange:
        if not path.exists():
            path.write_text("not ours")
    (target / "pool" / ".snapshot" / "daily").mkdir(parents=True)
    words = ("--target", str(target), "--quiet")
    omero.ok("backup", "create", *words)
    omero.ok("backup", "prune", "--keep-last", "1", "--yes", *words)
    omero.ok("backup", "verify", *words)
    assert strange[0].read_text() == strange[2].read_text() == "not ours"
    assert (target / "pool" / ".snapshot" / "daily").is_dir()


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_a_link_that_leads_nowhere_is_named(omero: Omero, tmp_path: Path, verb: tuple[str, ...]) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "unmounted")
    refused = omero.run("backup", *verb, "--target", str(link))
    assert refused.returncode == 3, refused
    assert refused.stderr.startswith(f"omero: {link} is a link to {tmp_path}/unmounted, which is not there\n")
    assert sorted(tmp_path.iterdir()) == [link]


@pytest.mark.parametrize("left", ["nothing", "mount point"])
def test_a_target_that_is_empty_all_of_a_sudden_is_refused(omero: Omero, tmp_path: Path, left: str) -> None:
    target, away = tmp_path / "target", tmp_path / "away"
    create = ("backup", "create", "--target", str(target), "--quiet")
    omero.ok(*create)
    target.rename(away)
    if left == "mount point":
        target.mkdir()
    refused = omero.run(*create)
    assert (refused.returncode, refused.stdout) == (3, ""), refused
    assert f"{target} holds no snapshots, but did" in refused.stderr
    assert "--new-target" in refused.stderr
    assert not target.exists() or not list(target.iterdir())
    if target.exists():
        target.rmdir()
    away.rename(target)
    omero.ok(*create)
    assert len(list((target / "snapshots").iterdir())) == 2


def test_a_target_is_begun_anew_where_that_is_meant(omero: Omero, tmp_path: Path) -> None:
    target = tmp_path / "target"
    create = ("backup", "create", "--target", str(target), "--quiet")
    omero.ok(*create)
    shutil.rmtree(target)
    assert omero.run(*create).returncode == 3
    omero.ok(*create, "--new-target")
    omero.ok(*create)
    assert len(list((target / "snapshots").iterdir())) == 2
