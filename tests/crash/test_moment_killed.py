"""A restore to a moment that is killed goes on when it is run again; nothing of it is left running.

``OMERO_TEST_ROUNDS`` says how often it is killed.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.physical.program import find_pgbackrest, reading
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from tests.support.backup import Seeded, age, seeded_instance, tree
from tests.support.components import require_program
from tests.support.omero import Omero
from tests.support.rounds import rounds

KILLS = rounds(4)


def _moment(seeded: Seeded, omero: Omero, target: Path) -> str:
    """A life with a physical backup, and a moment after which a file is lost."""
    age(seeded.data, seeded.omerodir / "lib")
    omero.ok("backup", "archive", "--target", str(target))
    _kill_in_the_middle(seeded, omero, target)
    omero.ok("backup", "create", "--physical", "--target", str(target))
    with reading(find_pgbackrest(), target / "pgbackrest") as pgbackrest:
        stopped = pgbackrest.catalog().backups[-1].stopped
    assert wait_until(lambda: time.time() > stopped + 1.1, timeout=10)
    moment = datetime.now(UTC).isoformat()
    with connect(seeded.database.address) as connection:
        connection.execute("DELETE FROM originalfile WHERE name = 'large.tif'")
    omero.ok("backup", "create", "--physical", "--target", str(target))
    return moment


def _kill_in_the_middle(seeded: Seeded, omero: Omero, target: Path) -> None:
    """Kill a backup while pgBackRest works for it; the next one needn't wait for that."""
    process = subprocess.Popen(
        [sys.executable, "-m", "omeroadmin", "backup", "create", "--physical", "--target", str(target)],
        env=omero.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    work = seeded.database.instance.embedded_database / "pgbackrest"
    assert wait_until(lambda: bool(_working_in(work)), timeout=60)
    process.kill()
    process.communicate()
    assert not list((target / "snapshots").glob("*/snapshot.json"))


def _begin(home: Path, target: Path, moment: str) -> subprocess.Popen[str]:
    words = ["backup", "restore", "--at", moment, "--target", str(target), "--into", str(home / "second"), "--yes"]
    return subprocess.Popen(
        [sys.executable, "-m", "omeroadmin", *words],
        env=Omero(home).environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _kill(process: subprocess.Popen[str], after: float) -> None:
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def _working_in(directory: Path) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(directory):
                found.append(process.name())
        except psutil.Error:
            continue
    return found


@pytest.mark.timeout(3600)
def test_a_killed_restore_to_a_moment_goes_on(tmp_path: Path) -> None:
    require_program("pgbackrest")
    generator = random.Random(20261128)
    target = tmp_path / "target"
    with seeded_instance(tmp_path) as seeded:
        moment = _moment(seeded, Omero(tmp_path), target)
        whole = 0.0
        for number in range(KILLS + 1):
            home = tmp_path / f"round-{number}"
            home.mkdir()
            # The first is left alone, and says how long it takes.
            if number:
                _kill(_begin(home, target, moment), generator.uniform(0.1, 0.95) * whole)
            began = time.monotonic()
            process = _begin(home, target, moment)
            output, words = process.communicate(timeout=300)
            whole = whole or time.monotonic() - began
            assert process.returncode == 0 or "was restored here already" in words, (output, words)
            _assert_restored(seeded, home)


def _assert_restored(seeded: Seeded, home: Path) -> None:
    instance = Instance(home / "second")
    assert not _working_in(instance.omerodir)
    original = tree(seeded.managed)
    assert tree(home / "second-data" / "ManagedRepository") == original
    settings = load_settings(instance)
    embedded.start(instance, settings)
    try:
        with connect(DatabaseAddress.from_settings(settings)) as connection:
            found = connection.execute("SELECT count(*) FROM originalfile WHERE name = 'large.tif'").fetchone()
        assert found == (1,)
    finally:
        embedded.stop(instance, settings)
    left = sorted(path.name for path in instance.embedded_database.iterdir())
    assert left == ["data", "schema_version", "superuser_password"]
