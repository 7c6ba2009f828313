"""Snapshots of a real database and real files: complete, incremental, and honest where the two don't fit."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from omeroadmin.backups.engines.opening import open_engine
from omeroadmin.backups.store import latest_facts, list_snapshots
from omeroadmin.database import embedded
from omeroadmin.database.connection import connect
from omeroadmin.database.holds import hold_removals, try_removals
from omeroadmin.errors import AdminError
from omeroadmin.system.clock import wait_until
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
    assert snapshot.rows == 18
    assert snapshot.versions["schema"] == "OMERO5.4__0"
    paths = manifest_paths(target, snapshot.id)
    assert "data/ManagedRepository/root_0/2026-11/00/Größe µm.ome.tif" in paths
    assert "scripts/omero/hello.py" in paths
    assert "data/Pixels/Dir-001/1001" in paths
    assert "data/Thumbnails/5" in paths
    assert "data/certs/server.key" in paths
    assert not [path for path in paths if "BioFormatsCache/" in path or "FullText/" in path]
    verified = verify_backup(VerifyWish(target, source.database.settings, temporary=tmp_path, deep=True))
    assert verified.succeeded, verified.faults
    assert verified.record.rows == 18
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
        verified = verify_backup(VerifyWish(target, seeded.database.settings, temporary=tmp_path, deep=True))
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


def test_pixels_are_held_against_their_files(tmp_path: Path) -> None:
    with seeded_instance(tmp_path) as seeded:
        pixels = seeded.data / "Pixels"
        (pixels / "Dir-002").mkdir()
        for number in (1, 5, 50, 2001, 2002, 2003):
            seeded.insert_pixels(number)
        seeded.insert_pixels(6, sha1="Pending...")
        seeded.insert_pixels(7, place=("root_0/2026-11/00", "plain.tif"))
        seeded.insert_pixels(8, place=("root_0/2026-11/00", "no-row.tif"))
        seeded.insert_pixels(9, place=("root_0/2026-11/00/", "gone.tif"))
        seeded.insert_pixels(10, place=("root_0/2026-11/00/", "gone.tif"))
        for name in ("1", "50", "Dir-002/2002"):
            (pixels / name).write_bytes(bytes(100))
        (pixels / "5_pyramid").write_bytes(b"a pyramid instead")
        (pixels / "Dir-002" / "2003").write_bytes(bytes(99))
        (seeded.managed / "root_0/2026-11/00" / "no-row.tif").write_bytes(b"x")
        for late in (
            "Pixels/Dir-002/2004_pyramid",
            "Pixels/Dir-002/.2004_pyramid123.tmp",
            "Thumbnails/3000",
            "Files/9999",
        ):
            (seeded.data / late).write_bytes(b"of a row that the dump doesn't know")
        snapshot = create_backup(wish(seeded, tmp_path / "target"))
        prefix = "data/ManagedRepository/root_0/2026-11/00/"
        assert sorted((fault.code, fault.path) for fault in snapshot.faults) == [
            ("file-missing", f"{prefix}gone.tif"),
            ("file-missing", "data/Pixels/Dir-002/2001"),
            ("size-differs", "data/Pixels/Dir-002/2003"),
        ]
        assert any("pixels 9 of the database" in fault.message for fault in snapshot.faults)
        assert not [
            path for path in manifest_paths(tmp_path / "target", snapshot.id) if "2004" in path or "9999" in path
        ]


def test_roles_and_settings_are_saved_without_passwords(source: Seeded, tmp_path: Path) -> None:  # noqa: F811
    with connect(source.database.superuser, autocommit=True) as connection:
        connection.execute("ALTER DATABASE omero SET work_mem = '7MB'")
    snapshot = create_backup(wish(source, tmp_path / "target"))
    cluster = tmp_path / "target" / "snapshots" / snapshot.id / "cluster"
    roles = (cluster / "roles.sql").read_text()
    assert "CREATE ROLE omero;" in roles
    assert "SCRAM" not in roles
    assert "PASSWORD" not in roles
    settings = json.loads((cluster / "settings.json").read_text())
    assert (settings["encoding"], settings["owner"]) == ("UTF8", "omero")
    assert settings["extensions"]["plpgsql"]
    assert settings["settings"]["port"] == str(source.database.address.port)
    assert settings["own_settings"] == [{"database": "omero", "role": "", "settings": ["work_mem=7MB"]}]
    assert {"cluster/roles.sql", "cluster/settings.json"} <= set(snapshot.parts)


def test_removals_are_held_while_files_are_copied(source: Seeded, tmp_path: Path) -> None:  # noqa: F811
    """Seen from the server's side: while a file is being read, nobody may remove any; afterwards they may."""
    slow = source.managed / "slow.tif"
    address = source.database.address

    def may_remove() -> bool:
        with connect(address) as connection:
            return try_removals(connection)

    slow.write_bytes(bytes(3 << 20))
    try:
        with ThreadPoolExecutor(1) as executor:
            assert may_remove()
            run = executor.submit(create_backup, wish(source, tmp_path / "target", limit=3 << 20))
            assert wait_until(lambda: not may_remove(), timeout=30)
            assert wait_until(lambda: any((tmp_path / "target" / "partial").iterdir()), timeout=30)
            assert not may_remove()
            assert run.result().consistent
        assert may_remove()
    finally:
        slow.unlink()


def test_a_removal_that_does_not_end_is_one_line(source: Seeded) -> None:  # noqa: F811
    with connect(source.database.address) as other:
        assert try_removals(other)
        with pytest.raises(AdminError) as caught, hold_removals(source.database.address, timeout=1):
            pass
    assert (caught.value.code, caught.value.exit_status) == ("removals-busy", 6)


def test_a_hold_that_was_lost_is_said(tmp_path: Path) -> None:
    with seeded_instance(tmp_path) as seeded:
        address = seeded.database.address
        with hold_removals(address) as hold:
            assert hold.lasts()
            with connect(address, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    " AND usename = current_user"
                )
            assert not hold.lasts()
