"""What handles secrets or other backups is killed at any moment: nothing is left in the clear, and it goes on."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyrage
import pytest

from omeroadmin.backups.engines.opening import open_engine
from omeroadmin.backups.store import list_snapshots
from omeroadmin.database.programs import client_programs
from omeroadmin.workflows.backup import BackupWish, create_backup
from tests.support.backup import Seeded, age, seeded_instance, tree
from tests.support.omero import Omero
from tests.support.rounds import rounds

KILLS = rounds(4)
LEFT_OUT = ("BioFormatsCache/", "FullText/", "certs/")


@dataclass
class Killing:
    """A command that is killed at random moments of its usual time."""

    seeded: Seeded
    generator: random.Random
    killed: int = 0

    def run(self, *arguments: str | Path, after: float | None = None) -> bool:
        """Run a command.

        :param after: seconds after which it is killed; ``None``: it must succeed
        :return: whether it ended by itself
        """
        process = subprocess.Popen(
            [sys.executable, "-m", "omeroadmin", "backup", *map(str, arguments)],
            env=Omero(self.seeded.omerodir.parent).environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _, words = process.communicate(timeout=after if after is not None else 240)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            self.killed += 1
            return False
        assert process.returncode == 0 or "was restored here already" in words, words
        return True

    def moment(self, whole: float) -> float:
        return self.generator.uniform(0.1, 1.0) * whole


@pytest.fixture
def killing(tmp_path: Path) -> Iterator[Killing]:
    with seeded_instance(tmp_path / "one") as seeded:
        generator = random.Random(20261129)
        for number in range(200):
            seeded.add_file(f"many_{number % 7}/", f"{number}.tif", generator.randbytes(generator.randrange(60_000)))
        age(seeded.data)
        yield Killing(seeded, generator)


def test_a_killed_run_leaves_nothing_in_the_clear(killing: Killing, tmp_path: Path) -> None:
    target, private = tmp_path / "target", killing.seeded.database.instance.temporary_directory
    secret = killing.seeded.database.address.password.encode()
    command = ("create", "--target", target, "--encrypt-to", str(pyrage.x25519.Identity.generate().to_public()))
    began = time.monotonic()
    assert killing.run(*command)
    whole = time.monotonic() - began
    for _ in range(KILLS):
        killing.run(*command, after=killing.moment(whole))
        for path in target.rglob("*"):
            assert not path.is_file() or secret not in path.read_bytes(), path
        for place in private.iterdir():
            assert place.stat().st_mode & 0o077 == 0, place
    assert killing.killed >= KILLS // 2
    assert killing.run(*command)
    assert not list(private.glob("omero-sealing-*"))
    names = {path.name for path in (target / "snapshots").iterdir()}
    assert names == {item.id for item in list_snapshots(open_engine(target)) if item.snapshot is not None}


def test_a_killed_restore_of_a_sealed_snapshot_goes_on(killing: Killing, tmp_path: Path) -> None:
    identity, key, target = pyrage.x25519.Identity.generate(), tmp_path / "key", tmp_path / "target"
    key.write_text(f"{identity}\n")
    key.chmod(0o600)
    seeded = killing.seeded
    wish = BackupWish(
        seeded.database.instance, seeded.database.settings, target, encrypt_to=(str(identity.to_public()),)
    )
    assert create_backup(wish).consistent
    _go_on(killing, tmp_path, "latest", "--target", target, "--identity-file", key)


def test_a_killed_restore_of_dump_and_mirror_goes_on(killing: Killing, tmp_path: Path) -> None:
    dump, mirror, address = tmp_path / "omero.pg_dump", tmp_path / "mirror", killing.seeded.database.address
    program = client_programs(killing.seeded.database.settings, server_major=0).path("pg_dump")
    with address.environment() as environment:
        subprocess.run([program, "-Fc", "-f", dump, address.name], check=True, env=environment)
    shutil.copytree(killing.seeded.data, mirror)
    _go_on(killing, tmp_path, "--from-dump", dump, "--from-mirror", mirror)


def _go_on(killing: Killing, directory: Path, *source: str | Path) -> None:
    original = {path: facts for path, facts in tree(killing.seeded.data).items() if not path.startswith(LEFT_OUT)}

    def command(into: Path) -> tuple[str | Path, ...]:
        return ("restore", *source, "--into", into / "server", "--ports-prefix", "2", "--yes")

    began = time.monotonic()
    assert killing.run(*command(directory / "whole"))
    whole = time.monotonic() - began
    number = 0
    while killing.killed < KILLS:
        number += 1
        into = directory / f"round-{number}"
        for _ in range(3):
            if killing.run(*command(into), after=killing.moment(whole)):
                break
        else:
            assert killing.run(*command(into))
        found = tree(into / "server-data")
        assert {path: facts for path, facts in found.items() if not path.startswith(LEFT_OUT)} == original
        assert not list((into / "server" / "var" / "tmp").iterdir())
