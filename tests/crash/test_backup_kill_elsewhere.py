"""A backup to another host or into a repository that is killed at any moment: the next one succeeds."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from omeroadmin.backups.engines.opening import EngineOptions, open_engine
from omeroadmin.backups.store import list_snapshots
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import wait_until
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.backup_verify import VerifyWish, verify_backup
from tests.support.backup import Seeded, age, seeded_instance
from tests.support.components import require_program
from tests.support.omero import Omero
from tests.support.rounds import rounds
from tests.support.ssh import home_of, running_sshd

ROUNDS = rounds(3)
_FILES = 20
"""New ones before each kill."""


@pytest.fixture(params=["ssh", "restic", "borg"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "ssh":
        with running_sshd(tmp_path / "sshd") as sshd, home_of(sshd):
            yield sshd.address(tmp_path / "target")
        return
    require_program(request.param)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    # borg knows by it whose lock a killed process has left; without a network card it makes up another one each time.
    monkeypatch.setenv("BORG_HOST_ID", "this-host")
    yield f"{request.param}:{tmp_path / 'repository'}"


def _create(seeded: Seeded, address: str, variables: dict[str, str]) -> subprocess.Popen[bytes]:
    omero = Omero(seeded.omerodir.parent)
    return subprocess.Popen(
        [sys.executable, "-m", "omeroadmin", "backup", "create", "--target", address],
        env={**omero.environment, "HOME": os.environ["HOME"], **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill it with all that it started, as a machine that is switched off would."""
    # Stopped first, so that it starts nobody else.
    process.send_signal(signal.SIGSTOP)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=30)
    process.wait(30)


@pytest.mark.timeout(300 + 60 * ROUNDS)
def test_kill_during_create_elsewhere(tmp_path: Path, address: str) -> None:
    generator = random.Random(20261128)
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    password.chmod(0o600)
    variables = {"RESTIC_PASSWORD_FILE": str(password), "BORG_PASSCOMMAND": f"cat {password}"}
    variables |= {name: value for name, value in os.environ.items() if name == "BORG_HOST_ID"}
    engine = open_engine(address, EngineOptions(tmp_path / "staging", password))
    with seeded_instance(tmp_path) as seeded:
        began = time.monotonic()
        assert _create(seeded, address, variables).wait(240) == 0
        whole = time.monotonic() - began
        first = list_snapshots(engine)[0].id
        for number in range(ROUNDS):
            for name in range(_FILES):
                seeded.add_file(f"round_{number}/", f"{name}.tif", generator.randbytes(generator.randrange(20_000)))
            process = _create(seeded, address, variables)
            wait_until(lambda: process.poll() is not None, timeout=whole * generator.uniform(0.2, 0.9))  # noqa: B023
            _kill(process) if process.poll() is None else None
            engine.close()
            for item in list_snapshots(engine):
                assert item.snapshot is not None, item.damage
        age(seeded.data)
        explicit = {**seeded.database.settings.explicit(), "omero.backup.password_file": str(password)}
        settings = Settings(explicit)
        last = create_backup(BackupWish(seeded.database.instance, settings, address))
        assert last.consistent, last.faults
        engine.close()
        names = [item.id for item in list_snapshots(engine)]
        assert (names[0], names[-1]) == (first, last.id)
        for snapshot in (first, last.id):
            verified = verify_backup(VerifyWish(address, settings, snapshot, temporary=tmp_path))
            assert verified.succeeded, verified.faults
        assert not list(seeded.database.instance.temporary_directory.glob("omero-backup*"))
    engine.close()
