"""Point in time: rows deleted at a known moment are back just before it, and the files fit."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from omeroadmin.backups.engines.opening import open_engine
from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.physical.program import find_pgbackrest, reading
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from omeroadmin.workflows.backup_physical import expire_physical
from tests.support.backup import Seeded, age, flip, seeded_instance
from tests.support.components import require_program
from tests.support.omero import Omero


@dataclass
class History:
    """What happened to an instance, and when."""

    seeded: Seeded
    omero: Omero
    target: Path
    snapshots: list[str] = field(default_factory=list)
    moments: dict[str, datetime] = field(default_factory=dict)

    def mark(self, name: str) -> None:
        """Remember a moment; what follows is later by more than clocks can blur."""
        with connect(self.seeded.database.address) as connection:
            row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        self.moments[name] = row[0]
        assert wait_until(lambda: datetime.now(UTC) > row[0] + timedelta(milliseconds=20), timeout=5)

    def create(self, *more: str) -> dict[str, object]:
        document: dict[str, object] = self.omero.json("backup", "create", "--target", str(self.target), "--json", *more)
        assert document["consistent"], document
        self.snapshots.append(str(document["id"]))
        return document

    def remove(self, file: Path) -> None:
        """As a server does it: the row, then the file."""
        with connect(self.seeded.database.address) as connection:
            connection.execute("DELETE FROM originalfile WHERE name = %s", (file.name,))
        file.unlink()

    def restore(self, name: str, into: Path, *more: str) -> tuple[int, str, str]:
        moment = self.moments[name].isoformat() if name in self.moments else name
        arguments = ("restore", "--at", moment, "--target", str(self.target), "--into", str(into), "--yes", *more)
        done = self.omero.run("backup", *arguments)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """A life with three snapshots, the first of them with a physical backup."""
    require_program("pgbackrest")
    home = tmp_path_factory.mktemp("life")
    with seeded_instance(home) as seeded:
        age(seeded.data, seeded.omerodir / "lib")
        life = History(seeded, Omero(home), home / "target")
        assert "The database is archived." in life.omero.ok("backup", "archive", "--target", str(life.target))
        physical = life.create("--physical")["physical"]
        assert isinstance(physical, dict)
        assert physical["label"].endswith("F")
        assert (physical["kind"], physical["repository"]) == ("full", "pgbackrest")
        assert wait_until(lambda: _stopped(life.target / "pgbackrest") + 1 < time.time(), timeout=10)
        script = seeded.omerodir / "lib" / "scripts" / "omero" / "hello.py"
        early = seeded.add_file("moment_0/", "early.tif", b"early" * 1000)
        never = seeded.add_file("moment_0/", "never-saved.tif", b"never" * 1000)
        life.mark("with never")
        life.remove(never)
        life.mark("before second")
        life.create()
        kept = seeded.add_file("moment_1/", "kept.tif", b"kept" * 1000)
        thumbnail = seeded.data / "Thumbnails" / "2001"
        life.mark("before delete")
        life.remove(early)
        script.write_text("print('changed')\n")
        later = seeded.add_file("moment_2/", "later.tif", b"later" * 1000)
        seeded.insert_pixels(2001, place=("big_0/", "large.tif"))
        thumbnail.write_bytes(b"of an image that came later")
        life.create()
        life.mark("after all")
        life.remove(later)
        life.remove(kept)
        life.create("--physical", "--physical-type", "incr")
        yield life


def _names(into: Path) -> set[str]:
    """Names of the rows in the restored database that a test made."""
    restored = Instance(into)
    settings = load_settings(restored)
    embedded.start(restored, settings)
    try:
        with connect(DatabaseAddress.from_settings(settings)) as connection:
            rows = connection.execute("SELECT name FROM originalfile WHERE path LIKE 'moment_%'").fetchall()
    finally:
        embedded.stop(restored, settings)
    return {str(row[0]) for row in rows}


def _files(data: Path) -> set[str]:
    return {path.name for path in (data / "ManagedRepository").glob("moment_*/*")}


def test_deleted_rows_are_back_and_their_files_fit(history: History, tmp_path: Path) -> None:
    into = tmp_path / "second"
    status, output, errors = history.restore("before delete", into)
    assert (status, "all as it was saved" in output) == (0, True), (output, errors)
    assert _names(into) == {"early.tif", "kept.tif"}
    data = tmp_path / "second-data"
    assert _files(data) == {"early.tif", "kept.tif"}
    assert (data / "ManagedRepository" / "moment_0" / "early.tif").read_bytes() == b"early" * 1000
    assert (data / "Thumbnails" / "5").is_file()
    # Ids are given out again from here on: what came later would be taken for what comes next.
    assert not (data / "Thumbnails" / "2001").exists()
    assert (into / "lib" / "scripts" / "omero" / "hello.py").read_text() == "print('hello')\n"
    assert not list((into / "var" / "tmp").iterdir())
    left = sorted(path.name for path in (into / "var" / "postgresql").iterdir())
    assert left == ["data", "schema_version", "superuser_password"]


def test_just_after_it_they_are_gone(history: History, tmp_path: Path) -> None:
    into = tmp_path / "second"
    assert history.restore("after all", into)[0] == 0
    assert _names(into) == {"kept.tif", "later.tif"}
    assert _files(tmp_path / "second-data") == {"kept.tif", "later.tif"}
    assert (tmp_path / "second-data" / "Thumbnails" / "2001").is_file()
    assert (into / "lib" / "scripts" / "omero" / "hello.py").read_text() == "print('changed')\n"


def test_a_file_that_no_snapshot_has_is_named(history: History, tmp_path: Path) -> None:
    into = tmp_path / "second"
    status, output, errors = history.restore("with never", into)
    assert status == 5
    assert "never-saved.tif: no snapshot has it with 5000 bytes and SHA1-160" in errors
    assert "1 FAULTS" in output
    assert _names(into) == {"early.tif", "never-saved.tif"}
    assert _files(tmp_path / "second-data") == {"early.tif"}


def test_all_that_the_archive_holds(history: History, tmp_path: Path) -> None:
    into = tmp_path / "second"
    assert history.restore("latest", into)[0] == 0
    assert _names(into) == set()


def test_the_plan_is_shown_and_nothing_else(history: History, tmp_path: Path) -> None:
    _, output, _ = history.restore("before delete", tmp_path / "second", "--dry-run")
    assert "replay the archive up to" in output
    assert "out of 4 snapshots" in output
    assert not (tmp_path / "second").exists()


def test_an_interrupted_restore_goes_on(history: History, tmp_path: Path) -> None:
    into = tmp_path / "second"
    assert history.restore("before delete", into)[0] == 0
    mark = into / "var" / "restore.json"
    mark.write_text(mark.read_text().replace("true", "false"))
    (tmp_path / "second-data" / "ManagedRepository" / "moment_0" / "early.tif").unlink()
    status, output, _ = history.restore("before delete", into)
    assert (status, "1 files restored" in output) == (0, True), output
    assert history.restore("after all", into)[0] == 3


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (("--at", "yesterday"), "is no moment", 2),
        (("--at", "2999-01-01"), "still to come", 2),
        (("--at", "2001-01-01T00:00Z"), "before the first physical backup", 3),
        (("latest", "--at", "latest"), "either a snapshot, or --at", 2),
        (("--at", "latest", "--db-host", "db.example.org"), "PostgreSQL of the instance's own", 2),
    ],
)
def test_moments_that_make_no_sense(
    history: History, tmp_path: Path, arguments: tuple[str, ...], words: str, status: int
) -> None:
    if "--db-host" in arguments:
        (tmp_path / "password").write_text("x\n")
        (tmp_path / "password").chmod(0o600)
        arguments = (*arguments, "--db-password-file", str(tmp_path / "password"))
    done = history.omero.run(
        "backup", "restore", *arguments, "--target", str(history.target), "--into", str(tmp_path / "second")
    )
    assert (done.returncode, words in done.stderr) == (status, True), done
    assert not (tmp_path / "second").exists()


def test_verify_reads_the_physical_backup_as_well(history: History, tmp_path: Path) -> None:
    copy = tmp_path / "target"
    shutil.copytree(history.target, copy)
    first = history.snapshots[0]
    assert "verified" in history.omero.ok("backup", "verify", first, "--target", str(copy))
    label = open_engine(copy).read(first).physical["label"]
    flip(max((copy / "pgbackrest" / "backup" / "omero" / label / "bundle").iterdir()))
    done = history.omero.run("backup", "verify", first, "--target", str(copy))
    assert done.returncode == 5
    assert f"{label}: checksum invalid" in done.stderr
    shutil.rmtree(copy / "pgbackrest" / "backup" / "omero" / label)
    done = history.omero.run("backup", "verify", first, "--target", str(copy), "--json")
    assert '"physical-missing"' in done.stdout


def test_physical_backups_expire_with_the_snapshots_that_name_them(history: History) -> None:
    engine = open_engine(history.target)
    history.create("--physical", "--physical-type", "full")
    with reading(find_pgbackrest(), history.target / "pgbackrest") as pgbackrest:
        assert [item.kind for item in pgbackrest.catalog().backups] == ["full", "incr", "full"]
        with engine.locked():
            assert expire_physical(engine) == 2
        assert len(pgbackrest.catalog().backups) == 3
        history.omero.ok("backup", "prune", "--target", str(history.target), "--keep-last", "1", "--yes")
        assert [item.kind for item in pgbackrest.catalog().backups] == ["full"]


def test_without_an_archive_nothing_is_taken(tmp_path: Path) -> None:
    with seeded_instance(tmp_path):
        omero = Omero(tmp_path)
        target = str(tmp_path / "target")
        done = omero.run("backup", "create", "--physical", "--target", target)
        assert (done.returncode, "omero backup archive" in done.stderr) == (3, True), done
        assert not list((tmp_path / "target" / "snapshots").iterdir())
        omero.ok("backup", "create", "--target", target)
        done = omero.run("backup", "restore", "--at", "latest", "--target", target, "--into", str(tmp_path / "second"))
        assert (done.returncode, "has a physical backup" in done.stderr) == (3, True), done


def test_a_database_on_its_own_host_gets_its_settings_printed(tmp_path: Path) -> None:
    with seeded_instance(tmp_path) as seeded:
        omero = Omero(tmp_path)
        omero.ok("config", "set", "omero.db.embedded", "false")
        printed = omero.ok("backup", "archive")
        omero.ok("config", "set", "omero.db.embedded", "true")
        assert not (seeded.database.instance.embedded_database / "archive.conf").exists()
    assert "pg1-path=/var/lib/postgresql/15/main" in printed
    assert "archive_command = '/usr/bin/pgbackrest --config=/etc/pgbackrest/pgbackrest.conf" in printed
    assert "lock-path" not in printed


def test_a_sealed_target_takes_nothing_in_the_clear(history: History, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse\n")
    passphrase.chmod(0o600)
    target = ("--target", str(history.target))
    done = history.omero.run("backup", "create", "--physical", *target, "--passphrase-file", str(passphrase))
    assert (done.returncode, "in the clear" in done.stderr) == (3, True), done
    repository = tmp_path / "repository"
    history.omero.ok("config", "set", "omero.backup.physical.repository", str(repository))
    try:
        assert "is archived" in history.omero.ok("backup", "archive", *target)
        other = ("--target", str(tmp_path / "sealed"))
        created = history.omero.json(
            "backup", "create", "--physical", *other, "--passphrase-file", str(passphrase), "--json"
        )
        assert created["physical"]["repository"] == str(repository)
        places = ("--into", str(tmp_path / "second"), "--yes")
        keys = ("--passphrase-file", str(passphrase))
        assert wait_until(lambda: time.time() > _stopped(repository) + 1.1, timeout=10)
        restored = history.omero.ok("backup", "restore", "--at", "latest", *other, *keys, *places)
        assert "all as it was saved" in restored
    finally:
        history.omero.ok("config", "set", "omero.backup.physical.repository", "")
        history.omero.ok("backup", "archive", *target)


def _stopped(repository: Path) -> int:
    with reading(find_pgbackrest(), repository) as pgbackrest:
        return pgbackrest.catalog().backups[-1].stopped
