"""Metrics of real instances: with a database, with a running node, and with nothing that answers."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest

from omeroadmin.backups.drills import Drill, record_drill
from omeroadmin.backups.engines.opening import open_engine
from omeroadmin.backups.store import Verification, record_verification
from omeroadmin.database.connection import connect
from omeroadmin.metrics.exposition import exposition
from omeroadmin.profiles.store import update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.system import clock
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.checks.model import Item, Status
from omeroadmin.workflows.diagnostics import diagnose
from omeroadmin.workflows.metrics import COLLECTORS, collect_samples
from tests.support.backup import seeded_instance
from tests.support.certificates import complete_settings, make
from tests.support.components import require_program
from tests.support.database import DatabaseUnderTest
from tests.support.grid import running_grid
from tests.support.omero import Omero

pytestmark = pytest.mark.skipif(os.geteuid() == 0, reason="servers refuse to run as root")

Values = dict[tuple[str, ...], float]


def values(instance: Instance) -> Values:
    """Values by name of the family and labels; promtool must have nothing to say."""
    samples = collect_samples(instance)
    promtool = require_program("promtool")
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=exposition(samples),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    taken = {(sample.family.name, *sample.labels): sample.value for sample in samples}
    assert len(taken) == len(samples), "a series is there twice"
    return taken


def insert(database: DatabaseUnderTest) -> None:
    """Two images, a fileset of two files, one session, and an event log that the indexer hasn't read."""
    details = "permissions, creation_id, group_id, owner_id, update_id"
    with connect(database.address) as connection:
        for number in (1001, 1002):
            connection.execute(
                f"INSERT INTO image (id, name, series, {details}) VALUES (%s, 'x', 0, -120, 0, 0, 0, 0)", (number,)
            )
            connection.execute(
                f"INSERT INTO originalfile (id, path, name, repo, size, {details})"
                " VALUES (%s, 'p/', %s, 'x', 500, -120, 0, 0, 0, 0)",
                (number, f"{number}.tif"),
            )
        connection.execute(f"INSERT INTO fileset (id, templateprefix, {details}) VALUES (1001, 'p/', -120, 0, 0, 0, 0)")
        for number in (0, 1):
            connection.execute(
                f"INSERT INTO filesetentry (id, fileset, fileset_index, originalfile, clientpath, {details})"
                " VALUES (%s, 1001, %s, %s, 'c', -120, 0, 0, 0, 0)",
                (1001 + number, number, 1001 + number),
            )
        connection.execute(
            "INSERT INTO eventlog (id, action, entitytype, entityid, event, permissions)"
            " SELECT 1000 + n, 'INSERT', 'ome.model.core.Image', 1001, 0, -120 FROM generate_series(1, 7) n"
        )
        connection.execute(
            "INSERT INTO configuration (name, value) VALUES ('PersistentEventLogLoader.v2.current_id', '1002')"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        )


def test_with_a_database(embedded_instance: DatabaseUnderTest) -> None:
    instance, settings = embedded_instance.instance, embedded_instance.settings
    update_profile(instance.config_xml, settings.explicit())
    before = values(instance)
    insert(embedded_instance)
    (instance.log_directory / "Blitz-0.log").write_text("2026-11-24 01:02:03,456 ERROR [x] (main) y\n")
    after = values(instance)
    assert after["omero_database_up",] == 1
    assert after["omero_images",] - before["omero_images",] == 2
    assert after["omero_managed_repository_bytes",] - before["omero_managed_repository_bytes",] == 1000
    assert after["omero_indexer_lag_events",] == 5
    assert after["omero_users", "1"] >= 1
    assert after["omero_groups",] >= 3
    assert after["omero_database_size_bytes",] > 1_000_000
    assert after["omero_log_errors", "Blitz-0.log"] == 1
    assert after["omero_collector_success", "database"] == 1
    assert after["omero_up",] == 0
    assert 0 <= time.time() - after["omero_metrics_timestamp_seconds",] < 60


def test_a_database_without_schema_is_up_and_no_more(embedded_instance: DatabaseUnderTest) -> None:
    instance = embedded_instance.instance
    update_profile(instance.config_xml, embedded_instance.settings.explicit())
    with connect(embedded_instance.address) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
    found = values(instance)
    assert found["omero_database_up",] == 1
    assert found["omero_collector_success", "database"] == 0
    assert ("omero_images",) not in found


def test_with_running_servers(tmp_path: Path) -> None:
    modes = {"Blitz-0": "ready", "Tables-0": "optional", "TestDropBox": "manual:ready"}
    with running_grid(tmp_path, modes) as grid:
        update_profile(grid.instance.config_xml, {"omero.data.dir": str(tmp_path), "omero.db.port": "1"})
        grid.wait_active("Blitz-0")
        grid.wait("Tables-0", lambda server: not server.enabled)
        found = values(grid.instance)
    assert found["omero_up",] == 1
    assert found["omero_server_up", "Blitz-0"] == 1
    assert abs(found["omero_server_start_timestamp_seconds", "Blitz-0"] - time.time()) < 120
    assert found["omero_server_enabled", "Tables-0"] == 0
    assert found["omero_server_state", "TestDropBox", "inactive"] == 1
    assert found["omero_server_state", "Blitz-0", "inactive"] == 0


def test_a_failed_server_means_down(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"Blitz-0": "ready", "Indexer-0": "wrong"}) as grid:
        grid.wait_active("Blitz-0")
        grid.wait("Indexer-0", lambda server: not server.enabled)
        update_profile(grid.instance.config_xml, {"omero.data.dir": str(tmp_path), "omero.db.port": "1"})
        found = values(grid.instance)
    assert found["omero_up",] == 0
    assert found["omero_server_up", "Blitz-0"] == 1


def test_with_nothing_that_answers(tmp_path: Path) -> None:
    omero = Omero(tmp_path)
    instance = Instance(omero.omerodir)
    instance.grid_directory.mkdir(parents=True)
    update_profile(instance.config_xml, {"omero.data.dir": str(tmp_path / "none"), "omero.db.port": "1"})
    found = values(instance)
    assert found["omero_up",] == 0
    assert found["omero_database_up",] == 0
    assert {name: found["omero_collector_success", name] for name in COLLECTORS} == {
        "grid": 1,
        "database": 0,
        "certificate": 1,
        "backup": 1,
        "logs": 1,
        "disk": 0,
    }
    text = omero.ok("metrics", "show")
    assert "omero_up 0.0\n" in text
    assert text.count("# TYPE omero_up gauge") == 1


def test_certificate_and_backup_target(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "OMERO.server")
    instance.grid_directory.mkdir(parents=True)
    settings = complete_settings(tmp_path)
    make(settings)
    target = {"omero.backup.target": str(tmp_path / "nowhere"), "omero.db.port": "1"}
    update_profile(instance.config_xml, {**settings.explicit(), **target})
    found = values(instance)
    assert 364 < (found["omero_certificate_expiry_timestamp_seconds",] - time.time()) / 86400 < 366
    assert found["omero_collector_success", "backup"] == 0
    assert found["omero_data_free_bytes",] <= found["omero_data_size_bytes",]


def backup_item(instance: Instance) -> Item:
    """What diagnostics says of the backup."""
    diagnosis = diagnose(instance, os.environ, instance.omerodir, parse_logs=False)
    [item] = next(category.items for category in diagnosis.categories if category.id == "backup")
    return item


def test_a_backup_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with seeded_instance(tmp_path) as seeded:
        instance = seeded.database.instance
        target = tmp_path / "target"
        target.mkdir()
        update_profile(instance.config_xml, {"omero.backup.target": str(target)})
        snapshot = create_backup(BackupWish(instance, seeded.database.settings, target))
        found = values(instance)
        fresh = backup_item(instance)
        record_verification(open_engine(target), snapshot.id, Verification(time.time(), 1.0, 1, 1, 1))
        verified = values(instance)
        record_drill(open_engine(target), snapshot.id, Drill(time.time(), 9.0, 5.5, 2.0, 1, 1, 1, ("Tiff",), 1, 1))
        drilled = values(instance)
    assert snapshot.consistent
    assert found["omero_backup_snapshots",] == 1
    assert abs(found["omero_backup_last_success_timestamp_seconds",] - time.time()) < 120
    assert found["omero_backup_last_files",] == snapshot.files
    assert found["omero_backup_last_size_bytes",] == snapshot.size
    assert found["omero_backup_last_copied_bytes",] == snapshot.copied_bytes
    assert ("omero_backup_last_verified_timestamp_seconds",) not in found
    assert fresh.status is Status.OK
    assert "0 h ago" in fresh.evidence
    assert "never verified" in fresh.evidence
    assert abs(verified["omero_backup_last_verified_timestamp_seconds",] - time.time()) < 120
    assert ("omero_backup_last_drill_timestamp_seconds",) not in verified
    assert abs(drilled["omero_backup_last_drill_timestamp_seconds",] - time.time()) < 120
    assert drilled["omero_backup_last_drill_restore_duration_seconds",] == 5.5
    assert "; verified 2" in backup_item(instance).evidence
    later = clock.utc_now() + timedelta(hours=27)
    monkeypatch.setattr(clock, "utc_now", lambda: later)
    assert backup_item(instance).status is Status.WARN


def test_a_textfile_is_replaced_in_one_step_and_for_everybody_to_read(tmp_path: Path) -> None:
    omero = Omero(tmp_path)
    (omero.omerodir / "etc" / "grid").mkdir(parents=True)
    place = tmp_path / "textfile" / "omero.prom"
    place.parent.mkdir()
    place.write_text("old")
    place.chmod(0o600)
    assert omero.ok("metrics", "show", "--textfile", str(place)) == ""
    assert "\nomero_up 0.0\n" in place.read_text()
    assert place.stat().st_mode & 0o777 == 0o644
    assert list(place.parent.iterdir()) == [place]
    missing = omero.run("metrics", "show", "--textfile", str(tmp_path / "nowhere" / "omero.prom"))
    assert missing.returncode == 5
    assert str(tmp_path / "nowhere") in missing.stderr
