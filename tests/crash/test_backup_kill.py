"""A backup that is killed at any moment leaves nothing half behind, and the next one succeeds."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from omeroadmin.backups.engines.opening import open_engine
from omeroadmin.backups.store import list_snapshots
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.backup_verify import VerifyWish, verify_backup
from tests.support.backup import Seeded, age, seeded_instance
from tests.support.omero import Omero
from tests.support.rounds import rounds

ROUNDS = rounds(10)
_FILES = 20
"""New ones before each kill."""


def _create(seeded: Seeded, target: Path) -> subprocess.Popen[bytes]:
    omero = Omero(seeded.omerodir.parent)
    return subprocess.Popen(
        [sys.executable, "-m", "omeroadmin", "backup", "create", "--target", str(target)],
        env=omero.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.timeout(300 + 20 * ROUNDS)
def test_kill_during_create(tmp_path: Path) -> None:
    generator = random.Random(20261124)
    target = tmp_path / "target"
    with seeded_instance(tmp_path) as seeded:
        began = time.monotonic()
        assert _create(seeded, target).wait(120) == 0
        whole = time.monotonic() - began
        first = list_snapshots(open_engine(target))[0].id
        killed = 0
        for number in range(ROUNDS):
            for name in range(_FILES):
                seeded.add_file(f"round_{number}/", f"{name}.tif", generator.randbytes(generator.randrange(20_000)))
            process = _create(seeded, target)
            try:
                process.wait(whole * generator.uniform(0.2, 1.0))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed += 1
            process.wait(60)
            for item in list_snapshots(open_engine(target)):
                assert item.snapshot is not None, item.damage
        assert killed >= ROUNDS // 2
        age(seeded.data)
        settings = seeded.database.settings
        last = create_backup(BackupWish(seeded.database.instance, settings, target))
        assert last.consistent, last.faults
        assert last.rows == 18 + ROUNDS * _FILES
        names = {path.name for path in (target / "snapshots").iterdir()}
        assert names == {item.id for item in list_snapshots(open_engine(target))}
        assert not list((target / "partial").iterdir())
        for snapshot in (first, last.id):
            verified = verify_backup(VerifyWish(target, settings, snapshot, temporary=tmp_path, deep=True))
            assert verified.succeeded, verified.faults
