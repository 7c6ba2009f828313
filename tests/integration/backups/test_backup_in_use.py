"""A snapshot that somebody reads outlives a prune, and no longer than its reader, however that ends."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.engines.opening import EngineOptions, open_engine
from omeroadmin.backups.engines.remote_lock import this_process
from omeroadmin.errors import AdminError
from omeroadmin.schema.settings import Settings
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.backup_verify import VerifyWish, verify_backup
from omeroadmin.workflows.restore import RestoreWish, carry_out, plan_restore
from tests.support.backup import Seeded, age, source
from tests.support.components import require_program
from tests.support.omero import Omero
from tests.support.ssh import home_of, running_sshd
from tests.support.terminal import Terminal, on_terminal

__all__ = ["source"]

_OWN = "data/ManagedRepository/use/{}/own.tif"

AS_FILES = pytest.mark.parametrize("address", ["directory", "ssh"], indirect=True)


@pytest.fixture(params=["directory", "ssh", "restic", "borg"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "ssh":
        with running_sshd(tmp_path / "sshd") as sshd, home_of(sshd):
            yield sshd.address(tmp_path / "target")
        return
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if request.param == "directory":
        yield str(tmp_path / "target")
        return
    require_program(request.param)
    (tmp_path / "password").write_text("correct horse\n")
    (tmp_path / "password").chmod(0o600)
    yield f"{request.param}:{tmp_path / 'repository'}"


@pytest.fixture
def settings(source: Seeded, tmp_path: Path) -> Settings:
    """Properties with the password of a repository."""
    explicit = source.database.settings.explicit()
    return Settings({**explicit, "omero.backup.password_file": str(tmp_path / "password")})


def take(source: Seeded, settings: Settings, address: str, number: int) -> list[str]:
    """Snapshots, each with a file that the next one hasn't."""
    taken = []
    for name in range(number):
        own = source.managed / "use" / str(name) / "own.tif"
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_bytes(f"own {name}".encode() * 1000)
        age(source.managed)
        taken.append(create_backup(BackupWish(source.database.instance, settings, address)).id)
        own.unlink()
    return taken


def opened(address: str, tmp_path: Path) -> Engine:
    return open_engine(address, EngineOptions(tmp_path, tmp_path / "password"))


@pytest.mark.timeout(300)
def test_what_is_in_use_stays_whole(source: Seeded, settings: Settings, address: str, tmp_path: Path) -> None:
    first, second, third = take(source, settings, address, 3)
    reader, pruner = opened(address, tmp_path), opened(address, tmp_path)
    with reader.using((first,)):
        assert [item.id for item in pruner.remove([first, second], dry_run=True).in_use] == [first]
        with pruner.locked():
            removed = pruner.remove([first, second])
        assert removed.snapshots == (second,)
        assert [item.id for item in removed.in_use] == [first]
        assert str(os.getpid()) in removed.in_use[0].by
        verified = verify_backup(VerifyWish(address, settings, first, temporary=tmp_path))
        assert verified.succeeded, verified.faults
    with pytest.raises(AdminError) as gone, reader.using((second,)):
        raise AssertionError("it was removed")
    assert gone.value.code == "snapshot-unknown"
    with pruner.locked():
        assert pruner.remove([first]).snapshots == (first,)
    assert pruner.names() == [third]
    reader.close()
    pruner.close()


def restoring(omero: Omero, address: str, into: Path, home: str) -> list[str]:
    """A restore that will ask before it begins."""
    return [
        *("env", f"HOME={home}", sys.executable, "-m", "omeroadmin"),
        *("backup", "restore", "--target", address, "--into", str(into)),
    ]


@AS_FILES
def test_prune_goes_on_beside_a_restore(source: Seeded, settings: Settings, address: str, tmp_path: Path) -> None:
    first, second, third = take(source, settings, address, 3)
    omero = Omero(source.omerodir.parent, extra={"HOME": os.environ["HOME"]})
    prune = ["backup", "prune", "--target", address, "--keep-last", "1", "--yes"]
    command = restoring(omero, address, tmp_path / "new", os.environ["HOME"])
    with on_terminal([*command, first], omero.environment) as terminal:
        terminal.expect("[y/N]")
        planned = omero.ok("backup", "prune", "--target", address, "--keep-last", "1", "--dry-run")
        assert f"process {terminal.pid}" in planned
        done = omero.run(*prune, "--quiet")
        assert (done.returncode, done.stdout) == (0, "")
        assert len(done.stderr.splitlines()) == 1
        assert first in done.stderr
        assert f"process {terminal.pid}" in done.stderr
        assert [item["id"] for item in listed(omero, address)] == [first, third]
        again = omero.run(*prune)
        assert (again.returncode, again.stdout) == (0, "All 2 snapshots are kept.\n")
        kill(terminal)
    freed = omero.json(*prune, "--json")
    assert freed["removed"]["snapshots"] == [first]
    assert freed["removed"]["in_use"] == []
    assert second not in [item["id"] for item in listed(omero, address)]


def kill(terminal: Terminal) -> None:
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.end() == -signal.SIGKILL


def listed(omero: Omero, address: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = omero.json("backup", "list", "--target", address, "--json")["snapshots"]
    return found


@AS_FILES
def test_a_target_that_cannot_be_written_to_is_restored(
    source: Seeded, settings: Settings, address: str, tmp_path: Path
) -> None:
    (snapshot,) = take(source, settings, address, 1)
    target = tmp_path / "target"
    closed = [path for path in (target, *target.rglob("*")) if not path.is_symlink()]
    for path in closed:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        wish = RestoreWish(address, snapshot, tmp_path / "new", only=(_OWN.format(0),))
        with plan_restore(wish) as plan:
            assert not carry_out(plan).faults.count
        planned = opened(address, tmp_path).remove([snapshot], dry_run=True)
        assert (planned.snapshots, planned.in_use) == ((snapshot,), ())
    finally:
        for path in closed:
            path.chmod(0o700 if path.is_dir() else 0o600)
    assert (tmp_path / "new" / "ManagedRepository" / "use" / "0" / "own.tif").read_bytes() == b"own 0" * 1000


@pytest.mark.parametrize("address", ["ssh"], indirect=True)
def test_a_stale_mark_of_another_host_holds_nothing_up(
    source: Seeded, settings: Settings, address: str, tmp_path: Path
) -> None:
    first, _ = take(source, settings, address, 2)
    engine = opened(address, tmp_path)
    mark = tmp_path / "target" / "readers" / "0123456789abcdef"
    mark.parent.mkdir(mode=0o700)
    elsewhere = {**this_process(), "machine": "another", "host": "scope1", "since": "today", "snapshots": [first]}
    mark.write_text(json.dumps(elsewhere))
    with engine.locked():
        (kept,) = engine.remove([first]).in_use
        assert (kept.id, "scope1" in kept.by) == (first, True)
        # Not refreshed for longer than any reader leaves it.
        an_hour_ago = mark.stat().st_mtime - 3600
        os.utime(mark, (an_hour_ago, an_hour_ago))
        assert engine.remove([first]).snapshots == (first,)
    assert not mark.exists()
    engine.close()
