"""Snapshots of a real database and real files: complete, incremental, and honest where the two don't fit."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from omeroadmin.backups.engines.opening import open_engine
from omeroadmin.backups.store import latest_facts, list_snapshots
from omeroadmin.database import embedded
from omeroadmin.errors import AdminError
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.backup_verify import VerifyWish, verify_backup
from tests.support.backup import REPOSITORY_UUID, Seeded, age, seeded_instance, source  # noqa: F401 - fixture


def wish(seeded: Seeded, target: Path, **more: object) -> BackupWish:
    return BackupWish(seeded.database.instance, seeded.database.settings, target, **more)  # type: ignore[arg-type]


def manifest_paths(target: Path, snapshot_id: str) -> list[str]:
    from omeroadmin.backups.manifest import read_manifest

    return [entry.path for entry in read_manifest(target / "snapshots" / snapshot_id / "manifest.jsonl.zst")]


def test_a_snapshot_is_complete_and_verifies(source: Seeded, tmp_path: Path) -> None:  # noqa: F811
    target = tmp_path / "target"
    snapshot = create_backup(wish(source, target, tag="first"))
    assert snapshot.consistent, snapshot.faults
    assert snapshot.rows == 17
    assert snapshot.versions["schema"] == "OMERO5.4__0"
    paths = manifest_paths(target, snapshot.id)
    assert "data/ManagedRepository/root_0/2026-11/00/Größe µm.ome.tif" in paths
    assert "scripts/omero/hello.py" in paths
    assert "data/certs/server.key" in paths
    assert not [path for path in paths if "BioFormatsCache/" in path or "FullText/" in path]
    verified = verify_backup(VerifyWish(target, source.database.settings, temporary=tmp_path))
    assert verified.succeeded, verified.faults
    assert verified.record.rows == 17
    assert latest_facts(open_engine(target)).verified == verified.record.finished


def test_everything_is_private(source: Seeded, tmp_path: Path) -> None:  # noqa: F811
    target = tmp_path / "target"
    create_backup(wish(source, target))
    for path in [target, *target.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), (path, oct(mode))


def test_the_second_run_reads_and_copies_nothing(source: Seeded, tmp_path: Path) -> None:  # noqa: F811
    target = tmp_path / "target"
    first = create_backup(wish(source, target))
    second = create_backup(wish(source, target))
    assert first.copied_files > 15
    assert (second.read_files, second.copied_files) == (0, 0)
    assert (second.files, second.size, second.consistent) == (first.files, first.size, True)
    assert [item.id for item in list_snapshots(open_engine(target))] == [first.id, second.id]


def test_certificates_can_stay_away(source: Seeded, tmp_path: Path) -> None:  # noqa: F811
    snapshot = create_backup(wish(source, tmp_path / "target", certificates=False))
    assert not [path for path in manifest_paths(tmp_path / "target", snapshot.id) if "certs" in path]


def test_a_target_inside_the_data_is_refused(source: Seeded) -> None:  # noqa: F811
    with pytest.raises(AdminError) as caught:
        create_backup(wish(source, source.data / "backup"))
    assert caught.value.code == "backup-target-inside"
    assert not (source.data / "backup").exists()


def test_what_the_database_names_and_the_disk_lacks(tmp_path: Path) -> None:
    with seeded_instance(tmp_path) as seeded:
        missing = seeded.add_file("gone_0/", "missing.tif", b"x" * 100)
        missing.unlink()
        shorter = seeded.add_file("gone_0/", "shorter.tif", b"x" * 100)
        shorter.write_bytes(b"x" * 99)
        other = seeded.add_file("gone_0/", "other.tif", b"x" * 100)
        other.write_bytes(b"y" * 100)
        seeded.insert("gone_0/", "uploading.tif", None, None, REPOSITORY_UUID)
        stranger = seeded.insert("elsewhere/", "stranger.tif", 1, "00", "another-repository")
        annotation = seeded.insert("", "attachment.txt", 3, "00", None)
        age(seeded.data)
        target = tmp_path / "target"
        snapshot = create_backup(wish(seeded, target))
        assert not snapshot.consistent
        prefix = "data/ManagedRepository/gone_0/"
        assert {(fault.code, fault.path) for fault in snapshot.faults} == {
            ("file-missing", f"{prefix}missing.tif"),
            ("size-differs", f"{prefix}shorter.tif"),
            ("hash-differs", f"{prefix}other.tif"),
            ("repository-unknown", "elsewhere/stranger.tif"),
            ("file-missing", f"data/Files/Dir-001/{annotation}"),
        }
        assert stranger
        verified = verify_backup(VerifyWish(target, seeded.database.settings, temporary=tmp_path))
        assert {fault.path for fault in verified.faults} == {fault.path for fault in snapshot.faults}
        assert latest_facts(open_engine(target)).last_success is None


def test_a_stopped_database_is_started_and_stopped(tmp_path: Path) -> None:
    with seeded_instance(tmp_path) as seeded:
        instance, settings = seeded.database.instance, seeded.database.settings
        embedded.stop(instance, settings)
        snapshot = create_backup(wish(seeded, tmp_path / "target"))
        assert snapshot.consistent
        assert not embedded.status(instance).running
        # A failure in the middle stops it as well, and nothing of the snapshot is left.
        (seeded.omerodir / "etc" / "unreadable").mkdir(mode=0o000)
        try:
            with pytest.raises(AdminError):
                create_backup(wish(seeded, tmp_path / "target"))
        finally:
            (seeded.omerodir / "etc" / "unreadable").chmod(0o700)
        assert not embedded.status(instance).running
        assert len(list((tmp_path / "target" / "snapshots").iterdir())) == 1
        assert not list((tmp_path / "target" / "partial").iterdir())
