"""Snapshots on another host: a real sshd, and what can go wrong between here and there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from omeroadmin.backups.engines.opening import EngineOptions, open_engine
from omeroadmin.backups.engines.remote_lock import has_ended, this_process
from omeroadmin.backups.keys import read_keys
from omeroadmin.backups.manifest import read_manifest
from omeroadmin.backups.store import list_snapshots
from omeroadmin.errors import AdminError
from omeroadmin.profiles.store import update_profile
from omeroadmin.system.clock import wait_until
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.backup_record import known_facts
from omeroadmin.workflows.backup_verify import VerifyWish, verify_backup
from omeroadmin.workflows.restore import RestoreWish, carry_out, plan_restore
from tests.support.backup import Seeded, flip, source, tree
from tests.support.omero import Omero
from tests.support.ssh import Sshd, home_of, make_key, running_sshd

__all__ = ["source"]

PLAIN = "data/ManagedRepository/root_0/2026-11/00/plain.tif"


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as running, home_of(running):
        yield running


def create(source: Seeded, address: str) -> str:
    snapshot = create_backup(BackupWish(source.database.instance, source.database.settings, address))
    assert snapshot.consistent
    return snapshot.id


def pool_file(target: Path, path: str) -> Path:
    manifest = next((target / "snapshots").iterdir()) / "manifest.jsonl.zst"
    entry = next(entry for entry in read_manifest(manifest) if entry.path == path)
    return target / "pool" / entry.blake3[:2] / entry.blake3


def test_the_life_of_a_snapshot_elsewhere(sshd: Sshd, source: Seeded, tmp_path: Path) -> None:
    there = tmp_path / "far" / "omero backups"
    address = sshd.address(there)
    first = create(source, address)
    # The layout is that of a directory: it can be read as one.
    assert [item.id for item in list_snapshots(open_engine(there))] == [first]
    assert all(path.stat().st_mode & 0o077 == 0 for path in there.rglob("*"))
    second = create_backup(BackupWish(source.database.instance, source.database.settings, address))
    assert (second.read_files, second.copied_files) == (0, 0)
    verified = verify_backup(VerifyWish(address, source.database.settings, temporary=tmp_path, deep=True))
    assert verified.succeeded, verified.faults
    assert verified.record.files > 10
    listed = list_snapshots(open_engine(address))
    assert [(item.id, item.verified is not None) for item in listed] == [(first, False), (second.id, True)]
    with plan_restore(RestoreWish(address, first, tmp_path / "new")) as restore:
        report = carry_out(restore)
    assert report.faults.count == 0
    kept = tree(source.managed)
    assert {path: content for path, (_, _, content) in tree(tmp_path / "new-data" / "ManagedRepository").items()} == {
        path: content for path, (_, _, content) in kept.items()
    }
    assert not list(there.glob("partial/*"))
    assert not (there / "lock").exists()
    assert not list(source.database.instance.temporary_directory.glob("omero-backup*"))


def test_removal_takes_what_nobody_names(sshd: Sshd, source: Seeded, tmp_path: Path) -> None:
    there = tmp_path / "target"
    engine = open_engine(sshd.address(there), EngineOptions(tmp_path))
    extra = source.data / "DropBox" / "only-in-the-first.tif"
    extra.write_bytes(b"only here" * 100)
    try:
        first = create(source, engine.address)
    finally:
        extra.unlink()
    second = create(source, engine.address)
    before = len(list(there.glob("pool/*/*")))
    with engine.locked():
        planned = engine.remove([first], dry_run=True)
        assert len(list(there.glob("pool/*/*"))) == before
        removed = engine.remove([first])
    assert planned == removed
    assert (removed.contents, removed.size) == (1, 900)
    assert engine.names() == [second]
    assert not list(there.glob("partial/*"))
    assert verify_backup(VerifyWish(there, source.database.settings, temporary=tmp_path)).succeeded
    flip(there / "snapshots" / second / "manifest.jsonl.zst")
    third = create(source, engine.address)
    with engine.locked():
        assert "manifest" in engine.remove([third]).kept_because
    assert len(list(there.glob("pool/*/*"))) == before - 1
    engine.close()


@pytest.mark.parametrize("damage", ["flipped", "missing", "cut", "dump"])
def test_damage_elsewhere_is_named(sshd: Sshd, source: Seeded, tmp_path: Path, damage: str) -> None:
    there = tmp_path / "target"
    address = sshd.address(there)
    create(source, address)
    path = PLAIN
    content = pool_file(there, PLAIN)
    if damage == "flipped":
        flip(content)
    elif damage == "missing":
        content.unlink()
    elif damage == "cut":
        content.write_bytes(content.read_bytes()[:-1])
    else:
        content = next((there / "snapshots").glob("*/database/*.gz"))
        flip(content)
        path = f"database/{content.name}"
    verified = verify_backup(VerifyWish(address, source.database.settings, temporary=tmp_path, deep=True))
    faults = [fault for fault in verified.faults if fault.path == path]
    assert [fault.pool_file for fault in faults] == [
        address.replace(f":{sshd.port}/", f":{sshd.port}/").replace(str(there), str(content))
    ]
    if damage in ("missing", "cut"):
        assert create_backup(BackupWish(source.database.instance, source.database.settings, address)).copied_files == 1


def test_a_restore_names_what_is_damaged_and_brings_the_rest(sshd: Sshd, source: Seeded, tmp_path: Path) -> None:
    there = tmp_path / "target"
    address = sshd.address(there)
    create(source, address)
    pool_file(there, PLAIN).unlink()
    with plan_restore(RestoreWish(address, "latest", tmp_path / "new")) as restore:
        report = carry_out(restore)
    assert {fault.path for fault in report.faults.kept} == {PLAIN}
    assert (tmp_path / "new-data" / "ManagedRepository" / "big_0" / "large.tif").stat().st_size == 3_000_000


def refusal(address: str, home: Path) -> AdminError:
    before = os.environ["HOME"]
    os.environ["HOME"] = str(home)
    try:
        with pytest.raises(AdminError) as caught:
            open_engine(address).names()
    finally:
        os.environ["HOME"] = before
    return caught.value


def test_hosts_and_users_are_known_or_refused(sshd: Sshd, tmp_path: Path) -> None:
    address = sshd.address(tmp_path / "target")
    home = tmp_path / "home"
    shutil.copytree(sshd.home, home)
    known = home / ".ssh" / "known_hosts"
    text = known.read_text()
    known.unlink()
    unknown = refusal(address, home)
    assert (unknown.code, unknown.exit_status) == ("ssh-host-key-unknown", 3)
    make_key(tmp_path / "other")
    known.write_text(" ".join([text.split()[0], *(tmp_path / "other.pub").read_text().split()[:2]]) + "\n")
    changed = refusal(address, home)
    assert (changed.code, changed.exit_status) == ("ssh-host-key-changed", 3)
    assert f"ssh-keygen -R '[127.0.0.1]:{sshd.port}'" in changed.hint
    known.write_text(text)
    (home / ".ssh" / "id_ed25519").unlink()
    shutil.copy(tmp_path / "other", home / ".ssh" / "id_ed25519")
    (home / ".ssh" / "id_ed25519.pub").unlink()
    assert (refusal(address, home).code, refusal(address, home).exit_status) == ("ssh-refused", 3)
    (home / ".ssh" / "config").write_text(
        f"Host store\n HostName 127.0.0.1\n Port {sshd.port}\n IdentityFile {sshd.home}/.ssh/id_ed25519\n"
    )
    assert refusal(f"ssh://store{tmp_path}/target", home).code == "backup-target-missing"
    nobody_there = refusal("ssh://127.0.0.1:1/x", home)
    assert (nobody_there.code, nobody_there.exit_status) == ("ssh-unreachable", 4)


@pytest.mark.parametrize(
    "address", ["ssh://user:hunter2@host/x", "ssh://host", "ssh://host:port/x", "ssh:///x", "ssh://-o@h/x"]
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(AdminError) as caught:
        open_engine(address)
    assert (caught.value.code, caught.value.exit_status) == ("backup-target-invalid", 2)
    assert "hunter2" not in caught.value.message


def test_other_peoples_directories_stay_as_they_are(sshd: Sshd, source: Seeded, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "thesis.txt").write_text("mine")
    with pytest.raises(AdminError) as caught:
        create(source, sshd.address(tmp_path / "target"))
    assert caught.value.code == "backup-target-occupied"
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["thesis.txt"]


def test_a_lock_is_respected_until_its_maker_has_ended(sshd: Sshd, tmp_path: Path) -> None:
    there = tmp_path / "target"
    engine, other = (open_engine(sshd.address(there)) for _ in range(2))
    engine.make()
    with engine.locked():
        with pytest.raises(AdminError) as caught, other.locked(timeout=0.1):
            pass
        assert (caught.value.code, caught.value.exit_status) == ("locked", 6)
        assert f"process {os.getpid()} of " in caught.value.message
    assert not (there / "lock").exists()
    # Somebody on another machine who refreshes no more, by the clock there.
    lock = there / "lock"
    lock.write_text(json.dumps({**this_process(), "machine": "another"}))
    with pytest.raises(AdminError), other.locked(timeout=0.1):
        pass
    os.utime(lock, (time.time() - 700, time.time() - 700))
    with other.locked(timeout=5):
        pass
    # Somebody on this machine who has ended.
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    lock.write_text(json.dumps({**this_process(), "pid": ended.pid, "began": "1"}))
    with other.locked(timeout=5):
        pass
    assert not has_ended(json.dumps(this_process()).encode())
    assert has_ended(json.dumps({**this_process(), "boot": "the one before"}).encode())
    assert not has_ended(b"")
    engine.close()
    other.close()


def test_a_lock_whose_maker_was_killed_before_it_was_written_counts_no_more(sshd: Sshd, tmp_path: Path) -> None:
    there = tmp_path / "there"
    engine = open_engine(sshd.address(there))
    engine.make()
    lock = there / "lock"
    lock.touch()
    with pytest.raises(AdminError) as caught, engine.locked(timeout=0.1):
        pass
    assert caught.value.code == "locked"
    os.utime(lock, (time.time() - 6, time.time() - 6))
    with engine.locked(timeout=5):
        assert lock.stat().st_size > 0
    assert not lock.exists()
    engine.close()


def test_a_lock_that_was_taken_publishes_nothing(sshd: Sshd, source: Seeded, tmp_path: Path) -> None:
    there = tmp_path / "target"
    engine = open_engine(sshd.address(there))
    first = create(source, engine.address)
    snapshot = engine.read(first)
    with engine.locked():
        (there / "lock").write_text("somebody else")
        with engine.parts(first) as directory, pytest.raises(AdminError) as caught:
            engine.finish(directory, snapshot)
        assert caught.value.code == "lock-lost"
        with pytest.raises(AdminError):
            engine.remove([first])
    assert engine.names() == [first]
    assert (there / "lock").read_text() == "somebody else"
    engine.close()


def test_a_broken_connection_is_one_line_and_the_next_run_goes_on(
    sshd: Sshd,
    source: Seeded,
    tmp_path: Path,
) -> None:
    there = tmp_path / "target"
    large = source.data / "DropBox" / "takes-long.tif"
    with large.open("wb") as stream:
        stream.truncate(400 << 20)
    process = subprocess.Popen(
        [sys.executable, "-m", "omeroadmin", "backup", "create", "--target", sshd.address(there)],
        env={**os.environ, "OMERODIR": str(source.omerodir)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert wait_until(lambda: len(list(there.glob("pool/*/*"))) > 3, timeout=60)
    for child in sshd.children():
        os.kill(child, signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    large.unlink()
    assert process.returncode == 4, said
    assert "broke" in said
    assert "Traceback" not in said
    sent = len(list(there.glob("pool/*/*")))
    snapshot = create_backup(BackupWish(source.database.instance, source.database.settings, sshd.address(there)))
    assert snapshot.consistent
    assert snapshot.copied_files == len(list(there.glob("pool/*/*"))) - sent
    assert not list(there.glob("partial/*"))


def test_monitoring_asks_nobody(sshd: Sshd, source: Seeded, tmp_path: Path) -> None:
    address = sshd.address(tmp_path / "target")
    instance, settings = source.database.instance, source.database.settings
    update_profile(instance.config_xml, {"omero.backup.target": address})
    try:
        omero = Omero(source.omerodir.parent, extra={"HOME": str(sshd.home)})
        assert "omero_backup" not in omero.ok("metrics", "show")
        omero.ok("backup", "create")
        omero.ok("backup", "verify")
        accepted = sshd.log.read_text().count("Accepted publickey")
        shown = omero.ok("metrics", "show")
        assert "omero_backup_snapshots 1" in shown
        assert "omero_backup_last_verified_timestamp_seconds" in shown
        assert "verified" in omero.run("admin", "diagnostics").stdout
        assert sshd.log.read_text().count("Accepted publickey") == accepted
    finally:
        update_profile(instance.config_xml, {"omero.backup.target": ""})
    assert known_facts(instance, settings) is None


def test_a_sealed_snapshot_elsewhere(sshd: Sshd, source: Seeded, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"{identity}\n")
    (tmp_path / "key").chmod(0o600)
    there = tmp_path / "far"
    wish = BackupWish(
        source.database.instance,
        source.database.settings,
        sshd.address(there),
        encrypt_to=(str(identity.to_public()),),
    )
    assert create_backup(wish).consistent
    password = source.database.address.password.encode()
    assert not [path for path in there.rglob("*") if path.is_file() and password in path.read_bytes()]
    keys = read_keys([tmp_path / "key"])
    verified = verify_backup(
        VerifyWish(sshd.address(there), source.database.settings, temporary=tmp_path, keys=keys, deep=True)
    )
    assert (verified.faults, verified.record.rows) == ((), 18)
    with plan_restore(RestoreWish(sshd.address(there), "latest", tmp_path / "new", keys=keys)) as restore:
        assert carry_out(restore).faults.count == 0


def test_a_directory_there_that_is_empty_all_of_a_sudden_is_refused(
    sshd: Sshd,
    source: Seeded,
    tmp_path: Path,
) -> None:
    there = tmp_path / "mounted"
    address = sshd.address(there)
    create(source, address)
    there.rename(tmp_path / "away")
    there.mkdir()
    with pytest.raises(AdminError) as caught:
        create(source, address)
    assert (caught.value.code, caught.value.exit_status) == ("backup-target-emptied", 3)
    assert list(there.iterdir()) == []
