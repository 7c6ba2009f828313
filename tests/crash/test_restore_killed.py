"""A restore that is killed at any moment goes on when it is run again, and ends as if nothing had happened.

``OMERO_TEST_ROUNDS`` says how often it is killed.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from omeroadmin.backups.engines.opening import open_engine
from omeroadmin.backups.store import find_snapshot
from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.backup_verify import VerifyWish, verify_backup
from tests.support.backup import Seeded, seeded_instance, tree
from tests.support.database import running_database
from tests.support.omero import Omero
from tests.support.processes import working_in
from tests.support.rounds import rounds

KILLS = rounds(12)
MOST_IN_A_ROW = 4


class Restores:
    """Restores of one snapshot into directories below one."""

    def __init__(self, directory: Path, target: Path) -> None:
        self.directory = directory
        self.target = target
        self.generator = random.Random(20261128)
        self.killed = 0

    @property
    def instance(self) -> Instance:
        return Instance(self.directory / "second")

    @property
    def data(self) -> Path:
        return self.directory / "second-data"

    def begin(self, *more: str) -> subprocess.Popen[str]:
        places = ["--target", str(self.target), "--into", str(self.instance.omerodir), "--ports-prefix", "2"]
        return subprocess.Popen(
            [sys.executable, "-m", "omeroadmin", "backup", "restore", "latest", *places, "--yes", *more],
            env=Omero(self.directory).environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill_one(self, after: float) -> bool:
        """Kill a restore after so many seconds; false: it was done before."""
        process = self.begin()
        try:
            _, words = process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            self.killed += 1
            return True
        assert self.is_done(process.returncode, words), words
        return False

    def is_done(self, status: int, words: str) -> bool:
        """Whether a restore has ended, or the one before was killed after its last step."""
        return status == 0 or "was restored here already" in words

    def finish(self) -> None:
        """Run a restore to its end."""
        process = self.begin()
        _, words = process.communicate(timeout=300)
        assert self.is_done(process.returncode, words), words


def assert_restored(restores: Restores, original: dict[str, tuple[int, int, bytes]]) -> None:
    """Files and rows are those of the original, and nothing else is there or runs."""
    assert tree(restores.data) == original
    leftovers = [path.name for path in restores.instance.omerodir.rglob(".*") if path.name.endswith(".tmp")]
    assert not leftovers
    settings = load_settings(restores.instance)
    assert not embedded.status(restores.instance).running
    embedded.start(restores.instance, settings)
    try:
        with connect(DatabaseAddress.from_settings(settings)) as connection:
            row = connection.execute("SELECT count(*) FROM originalfile").fetchone()
        assert row == (17,)
    finally:
        embedded.stop(restores.instance, settings)
    # PostgreSQL takes its pid file away a moment before it ends.
    assert wait_until(lambda: not working_in(restores.instance.omerodir), timeout=10)


def snapshot_of(seeded: Seeded, target: Path) -> None:
    """Take one, and make sure that it holds something to be killed in."""
    generator = random.Random(3)
    for number in range(300):
        file = seeded.data / "DropBox" / f"Dir-{number % 7:03d}" / str(2000 + number)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(generator.randbytes(generator.randrange(100_000)))
    (seeded.data / "DropBox" / "Dir-006").chmod(0o555)
    snapshot = create_backup(BackupWish(seeded.database.instance, seeded.database.settings, target))
    assert snapshot.consistent, snapshot.faults


@pytest.mark.timeout(3600)
def test_a_killed_restore_goes_on(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with seeded_instance(tmp_path) as seeded:
        snapshot_of(seeded, target)
        original = {
            path: facts
            for path, facts in tree(seeded.data).items()
            if not path.startswith(("BioFormatsCache/", "FullText/"))
        }
        try:
            restores = Restores(tmp_path / "whole", target)
            restores.directory.mkdir()
            began = time.monotonic()
            restores.finish()
            whole = time.monotonic() - began
            number = 0
            while restores.killed < KILLS:
                number += 1
                restores.directory = tmp_path / f"round-{number}"
                restores.directory.mkdir()
                for _ in range(restores.generator.randint(1, MOST_IN_A_ROW)):
                    if not restores.kill_one(restores.generator.uniform(0.05, 1.05) * whole):
                        break
                else:
                    restores.finish()
                assert_restored(restores, original)
        finally:
            (seeded.data / "DropBox" / "Dir-006").chmod(0o755)
        engine = open_engine(target)
        wish = VerifyWish(
            target, seeded.database.settings, find_snapshot(engine, "latest").id, temporary=tmp_path, deep=True
        )
        verified = verify_backup(wish)
        assert verified.succeeded, verified.faults


def wait_for_tables(address: DatabaseAddress, number: int) -> None:
    """Until a database has that many tables."""
    deadline = time.monotonic() + 120
    with connect(address, autocommit=True) as connection:
        while time.monotonic() < deadline:
            row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
            if row is not None and int(row[0]) >= number:
                return
            time.sleep(0.005)
    raise AssertionError("the dump was never restored")


@pytest.mark.parametrize("tables", [3, 60])
def test_a_database_that_others_run(tmp_path: Path, tables: int) -> None:
    """What the killed restore has put into it is replaced; what others have put there meanwhile would be refused."""
    with seeded_instance(tmp_path) as seeded, running_database(tmp_path / "other", schema=False) as other:
        snapshot_of(seeded, tmp_path / "target")
        (seeded.data / "DropBox" / "Dir-006").chmod(0o755)
        restores, address = Restores(tmp_path / "round", tmp_path / "target"), other.address
        restores.directory.mkdir()
        password_file = tmp_path / "password"
        password_file.write_text(address.password)
        password_file.chmod(0o600)
        options = ["--db-host", address.host, "--db-port", str(address.port), "--db-name", address.name,
                   "--db-user", address.user, "--db-password-file", str(password_file)]  # fmt: skip
        process = restores.begin(*options)
        wait_for_tables(address, tables)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        process = restores.begin(*options)
        output, words = process.communicate(timeout=300)
        assert process.returncode == 0, words
        assert "rows reconciled; all as it was saved" in output
        with connect(address) as connection:
            assert connection.execute("SELECT count(*) FROM originalfile").fetchone() == (17,)
        # Another instance can't have the same database.
        restores.directory = tmp_path / "third"
        restores.directory.mkdir()
        process = restores.begin(*options)
        _, words = process.communicate(timeout=300)
        assert process.returncode == 5
        assert "is not empty" in words
        assert not restores.instance.omerodir.exists()
