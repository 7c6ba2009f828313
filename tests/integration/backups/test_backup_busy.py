"""Snapshots of a server whose users import, rename and delete meanwhile: each restores to one without a fault.

``OMERO_TEST_ROUNDS=20`` for the whole of it.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.profiles.store import load_settings, update_profile
from omeroadmin.system.clock import wait_until
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.file_check import FileCheckWish, check_files
from omeroadmin.workflows.restore import RestoreWish, carry_out, plan_restore
from tests.support.busy import busy_users
from tests.support.liveserver import live, start_all
from tests.support.rounds import rounds

CLIENTS = 8


@pytest.mark.timeout(1800)
def test_each_snapshot_of_a_busy_server_restores_without_a_fault(tmp_path: Path) -> None:
    with live(tmp_path / "server") as server:
        start_all(server, omero__security__login_failure_throttle_time="250", omero__sessions__maximum="86400000")
        instance = server.runtime.instance
        instance.grid_directory.mkdir(parents=True, exist_ok=True)
        update_profile(instance.config_xml, server.runtime.properties)
        settings = load_settings(instance)
        waited = 0
        with busy_users(server, CLIENTS) as busy:
            assert wait_until(lambda: busy.done["delete"] >= CLIENTS, timeout=120)
            for number in range(rounds(2)):
                before = Counter(busy.done)
                # Slow enough for deletions to meet it, as in a repository of terabytes.
                snapshot = create_backup(BackupWish(instance, settings, tmp_path / "target", limit=2_000_000))
                meanwhile = busy.done - before
                assert snapshot.consistent, snapshot.faults
                assert min(meanwhile[kind] for kind in ("import", "rename", "upload", "delete")) > 0, meanwhile
                waited += server.sql("SELECT count(*) FROM _fs_deletelog")[0][0]
                check_restored(tmp_path, snapshot.id, tmp_path / f"second-{number}")
        assert waited > 0, "no deletion met a backup"


def check_restored(directory: Path, snapshot: str, into: Path) -> None:
    """Restore a snapshot, and read every file that the restored database names."""
    with plan_restore(RestoreWish(directory / "target", snapshot, into / "OMERO.server")) as plan:
        report = carry_out(plan)
        assert report.faults.count == 0, report.faults.kept
        instance, settings = plan.instance, load_settings(plan.instance)
    check = check_files(FileCheckWish(instance, settings, checksums=True))
    assert check.progress.faulty == 0, list(check.faults())
    assert check.progress.hashed >= report.rows > 0
    assert not embedded.status(instance).running
    shutil.rmtree(into)
