"""Snapshots in repositories of the real restic and borg, through the same functions as in directories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.engines.opening import EngineOptions, open_engine
from omeroadmin.backups.manifest import read_manifest
from omeroadmin.backups.snapshot import manifest_path
from omeroadmin.backups.store import list_snapshots
from omeroadmin.errors import AdminError
from omeroadmin.schema.settings import Settings
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.backup_verify import VerifyWish, verify_backup
from omeroadmin.workflows.restore import RestoreWish, carry_out, plan_restore
from tests.support.backup import Seeded, source, tree
from tests.support.components import require_program
from tests.support.omero import Omero

__all__ = ["source"]

PLAIN = "data/ManagedRepository/root_0/2026-11/00/plain.tif"
VARIABLES = (
    "RESTIC_PASSWORD",
    "RESTIC_PASSWORD_FILE",
    "RESTIC_PASSWORD_COMMAND",
    "BORG_PASSPHRASE",
    "BORG_PASSCOMMAND",
)


@dataclass
class Place:
    """A repository that doesn't exist yet, and who reads it."""

    kind: str
    repository: Path
    password: Path
    settings: Settings

    @property
    def address(self) -> str:
        return f"{self.kind}:{self.repository}"

    def engine(self) -> Engine:
        return open_engine(self.address, EngineOptions(password_file=self.password))

    def create(self, seeded: Seeded) -> str:
        snapshot = create_backup(BackupWish(seeded.database.instance, self.settings, self.address))
        assert snapshot.consistent, snapshot.faults
        return snapshot.id

    def program(self, *arguments: str) -> str:
        password = {"RESTIC_PASSWORD_FILE": str(self.password), "BORG_PASSCOMMAND": f"cat {self.password}"}
        environment = {
            **os.environ,
            **password,
            "RESTIC_REPOSITORY": str(self.repository),
            "BORG_REPO": str(self.repository),
        }
        return subprocess.run(
            [self.kind, *arguments], env=environment, check=True, capture_output=True, text=True
        ).stdout


@pytest.fixture(params=["restic", "borg"])
def place(request: pytest.FixtureRequest, source: Seeded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    require_program(request.param)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    password.chmod(0o600)
    explicit = {**source.database.settings.explicit(), "omero.backup.password_file": str(password)}
    return Place(request.param, tmp_path / "repository", password, Settings(explicit))


@pytest.fixture
def linked(source: Seeded, tmp_path: Path) -> Iterator[Seeded]:
    """The instance with files that aren't where they seem to be: in-place imports."""
    outside = tmp_path / "microscope"
    outside.mkdir()
    (outside / "one.tif").write_bytes(b"in place" * 1000)
    (outside / "tree").mkdir()
    (outside / "tree" / "two.tif").write_bytes(b"below a linked directory" * 1000)
    place = source.data / "DropBox" / "linked"
    place.mkdir()
    (place / "one.tif").symlink_to(outside / "one.tif")
    (place / "again.tif").symlink_to(outside / "one.tif")
    (place / "tree").symlink_to(outside / "tree")
    (place / "hard.tif").hardlink_to(source.data / "DropBox" / "root" / "waiting.tif")
    (place / os.fsdecode(b"latin-\xe9.tif")).write_bytes(b"not UTF-8")
    (place / "nowhere.tif").symlink_to("gone.tif")
    yield source
    shutil.rmtree(place)


def test_the_life_of_a_snapshot(place: Place, linked: Seeded, tmp_path: Path) -> None:
    first = place.create(linked)
    second = create_backup(BackupWish(linked.database.instance, place.settings, place.address))
    assert second.consistent
    # Only files that were as young as the first snapshot are read again.
    assert second.read_files <= 6
    verified = verify_backup(VerifyWish(place.address, place.settings, temporary=tmp_path))
    assert verified.succeeded, verified.faults
    engine = place.engine()
    with engine.parts(second.id) as directory:
        files = [entry for entry in read_manifest(manifest_path(directory)) if entry.is_file]
    assert verified.record.files == len(files)
    listed = list_snapshots(engine)
    assert [(item.id, item.verified is not None) for item in listed] == [(first, False), (second.id, True)]
    with plan_restore(RestoreWish(place.address, first, tmp_path / "new", present=place.settings)) as restore:
        report = carry_out(restore)
    assert report.faults.count == 0, report.faults.kept
    restored, kept = tree(tmp_path / "new-data" / "ManagedRepository"), tree(linked.managed)
    assert {path: content for path, (_, _, content) in restored.items()} == {
        path: content for path, (_, _, content) in kept.items()
    }
    again = tmp_path / "new-data" / "DropBox" / "linked"
    assert (again / "again.tif").read_bytes() == (again / "one.tif").read_bytes() == b"in place" * 1000
    assert (again / "tree" / "two.tif").read_bytes() == b"below a linked directory" * 1000
    assert len((again / "hard.tif").read_bytes()) == 1000
    assert (again / os.fsdecode(b"latin-\xe9.tif")).read_bytes() == b"not UTF-8"
    assert str((again / "nowhere.tif").readlink()) == "gone.tif"


def test_removal_and_what_killed_runs_leave(place: Place, source: Seeded, tmp_path: Path) -> None:
    first, second = place.create(source), place.create(source)
    engine = place.engine()
    engine.record(first, "verified.json", {"finished": 1})
    assert engine.recorded(first, "verified.json") == {"finished": 1}
    engine.record(first, "verified.json", {"finished": 2})
    assert engine.recorded(first, "verified.json") == {"finished": 2}
    engine.record(second, "verified.json", {"finished": 3})
    engine.record(second, "verified.json", None)
    assert engine.recorded(second, "verified.json") is None
    with engine.locked():
        assert engine.remove([first], dry_run=True).snapshots == (first,)
        assert engine.names() == [first, second]
        engine.remove([first])
        assert engine.names() == [second]
        with pytest.raises(AdminError) as caught, place.engine().locked(timeout=0.1):
            pass
    assert caught.value.code == "locked"
    assert first not in place.program(*(["snapshots"] if place.kind == "restic" else ["list"]))
    # Files of a run that was killed before it finished.
    tag = "omero-20200101T000000Z-abcdef-files.00000000"
    (tmp_path / "x").write_bytes(b"x")
    if place.kind == "restic":
        place.program("backup", "--tag", tag, str(tmp_path / "x"))
    else:
        place.program("create", f"::{tag}", str(tmp_path / "x"))
    third = place.create(source)
    assert place.engine().names() == [second, third]
    assert "20200101" not in place.program(*(["snapshots"] if place.kind == "restic" else ["list"]))
    assert verify_backup(VerifyWish(place.address, place.settings, temporary=tmp_path)).succeeded


def test_damage_is_named_and_the_rest_comes_back(place: Place, source: Seeded, tmp_path: Path) -> None:
    place.create(source)
    chunks = sorted(
        (path for path in (place.repository / "data").rglob("*") if path.is_file()),
        key=lambda path: path.stat().st_size,
    )
    damaged = bytearray(chunks[-1].read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 100] = bytes(100)
    chunks[-1].chmod(0o600)
    chunks[-1].write_bytes(damaged)
    verified = verify_backup(VerifyWish(place.address, place.settings, temporary=tmp_path))
    assert not verified.succeeded
    assert all(fault.path.startswith("data/") for fault in verified.faults)
    assert all(place.address in fault.pool_file for fault in verified.faults)
    assert verified.fault_count < 20
    assert list_snapshots(place.engine())[0].verified is None


def test_what_cannot_be_opened_says_why(place: Place, source: Seeded, tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        place.engine().names()
    assert (caught.value.code, caught.value.exit_status) == ("backup-target-missing", 3)
    with pytest.raises(AdminError) as caught:
        create_backup(BackupWish(source.database.instance, source.database.settings, place.address))
    assert (caught.value.code, caught.value.exit_status) == ("backup-password-missing", 3)
    place.create(source)
    wrong = tmp_path / "wrong"
    wrong.write_text("battery staple")
    with pytest.raises(AdminError) as caught:
        open_engine(place.address, EngineOptions(password_file=wrong)).names()
    assert (caught.value.code, caught.value.exit_status) == ("backup-password-wrong", 3)


def test_a_file_that_changes_meanwhile_makes_it_inconsistent(
    place: Place,
    source: Seeded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between our look and the program's: seen when the archive is compared with the manifest."""
    restless = source.data / "DropBox" / "restless.tif"
    restless.write_bytes(b"before")
    from omeroadmin.backups.engines import borg, restic

    def disturbed(original: object) -> object:
        def save(self: object, *arguments: object) -> None:
            restless.write_bytes(b"after, and longer")
            original(self, *arguments)  # type: ignore[operator]

        return save

    for kind in (restic.Restic, borg.Borg):
        monkeypatch.setattr(kind, "save_files", disturbed(kind.save_files))
    try:
        snapshot = create_backup(BackupWish(source.database.instance, place.settings, place.address))
    finally:
        restless.unlink()
    assert not snapshot.consistent
    assert [(fault.code, fault.path) for fault in snapshot.faults] == [("file-changing", "data/DropBox/restless.tif")]


def test_the_command_line_takes_repositories(place: Place, source: Seeded) -> None:
    omero = Omero(source.omerodir.parent, extra={"HOME": os.environ["HOME"]})
    omero.ok("config", "set", "omero.backup.password_file", str(place.password))
    created = omero.json("backup", "create", "--target", place.address, "--json")
    assert created["consistent"] is True
    listed = json.loads(omero.ok("backup", "list", "--target", place.address, "--json"))["snapshots"]
    assert [item["id"] for item in listed] == [created["id"]]
    assert created["id"] in omero.ok("backup", "show", "latest", "--target", place.address)
    assert omero.json("backup", "verify", "--target", place.address, "--json")["succeeded"] is True
    omero.ok("config", "set", "omero.backup.password_file", "")
    variables = {"RESTIC_PASSWORD_FILE": str(place.password), "BORG_PASSCOMMAND": f"cat {place.password}"}
    bare = Omero(source.omerodir.parent, extra={**variables, "HOME": os.environ["HOME"], "OMERODIR": ""})
    assert created["id"] in bare.ok("backup", "list", "--target", place.address)
    omero.ok("config", "set", "omero.backup.password_file", str(place.password))
    omero.ok("backup", "create", "--target", place.address, "--quiet")
    # The newest one that was verified is kept, whatever the policy says.
    omero.ok("backup", "verify", "--target", place.address)
    omero.ok("backup", "prune", "--keep-last", "1", "--target", place.address, "--yes")
    left = json.loads(omero.ok("backup", "list", "--target", place.address, "--json"))["snapshots"]
    assert [item["id"] for item in left] != [created["id"]]
    assert len(left) == 1
    omero.ok("config", "set", "omero.backup.password_file", "")


@pytest.mark.parametrize("address", ["restic:", "borg:", "restic:--help", "borg:\x1b[2J"])
def test_repositories_that_are_none(address: str) -> None:
    with pytest.raises(AdminError) as caught:
        open_engine(address)
    assert caught.value.code == "backup-target-invalid"


def test_a_repository_that_has_gone_is_not_made_again(place: Place, source: Seeded) -> None:
    place.create(source)
    shutil.rmtree(place.repository)
    place.repository.mkdir()
    with pytest.raises(AdminError) as caught:
        place.create(source)
    assert (caught.value.code, caught.value.exit_status) == ("backup-target-emptied", 3)
    assert list(place.repository.iterdir()) == []
