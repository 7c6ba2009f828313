"""Dumps and restores with real clusters."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.database.connection import check_version, connect
from omeroadmin.database.dump import dump, exported_snapshot, restore, scratch_cluster
from omeroadmin.database.embedded import recreate_database
from omeroadmin.database.programs import Programs
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import AdminError
from tests.support.database import DatabaseUnderTest, all_programs, programs_name, running_database
from tests.support.ports import free_port

PROGRAMS = all_programs()


@pytest.fixture(scope="module", params=PROGRAMS, ids=programs_name)
def source(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Programs, DatabaseUnderTest]]:
    """A cluster of each PostgreSQL."""
    programs: Programs = request.param
    home = tmp_path_factory.mktemp("dumps")
    with running_database(home, omero__db__embedded__bindir=str(programs.bindir)) as made:
        yield programs, made


def test_a_dump_holds_its_snapshot(source: tuple[Programs, DatabaseUnderTest], tmp_path: Path) -> None:
    programs, made = source
    directory = tmp_path / "dump"
    with exported_snapshot(made.address) as snapshot:
        with connect(made.address) as connection:
            connection.execute("INSERT INTO configuration VALUES ('later', 'x') ON CONFLICT DO NOTHING")
        dump(made.address, programs, directory, snapshot=snapshot.id)
        assert snapshot.connection.execute("SELECT name FROM configuration").fetchall() == [("omero.db.uuid",)]
        uuid = snapshot.connection.execute("SELECT value FROM configuration").fetchone()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    scratch = tmp_path / "scratch"
    with scratch_cluster(programs, scratch, free_port()) as address:
        restore(address, programs, directory)
        with connect(address) as connection:
            check_version(connection, SchemaVersion("OMERO5.4", 0))
            assert connection.execute("SELECT name, value FROM configuration").fetchall() == [
                ("omero.db.uuid", uuid and uuid[0])
            ]
            assert connection.execute("SELECT ome_nextval('seq_experimenter')").fetchone() == (2,)
        with pytest.raises(AdminError) as caught:
            restore(address, programs, directory)
        assert caught.value.code == "database-not-empty"
    assert not scratch.exists()
    with connect(made.address) as connection:
        connection.execute("DELETE FROM configuration WHERE name = 'later'")


def test_a_dump_restores_into_the_instance_itself(source: tuple[Programs, DatabaseUnderTest], tmp_path: Path) -> None:
    programs, made = source
    dump(made.address, programs, tmp_path / "dump", jobs=1)
    recreate_database(made.superuser, made.address)
    restore(made.address, programs, tmp_path / "dump")
    with connect(made.address) as connection:
        check_version(connection, SchemaVersion("OMERO5.4", 0))
        owners = connection.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert owners.fetchall() == [("omero",)]


def test_a_damaged_dump_is_an_error(source: tuple[Programs, DatabaseUnderTest], tmp_path: Path) -> None:
    programs, made = source
    directory = tmp_path / "dump"
    dump(made.address, programs, directory)
    largest = max(directory.glob("*.dat.gz"), key=lambda path: path.stat().st_size)
    largest.write_bytes(b"nonsense")
    with scratch_cluster(programs, tmp_path / "scratch", free_port()) as address:
        with pytest.raises(AdminError) as caught:
            restore(address, programs, directory)
        assert caught.value.code == "restore-failed"
        with pytest.raises(AdminError) as caught:
            restore(address, programs, tmp_path)
        assert caught.value.code == "dump-missing"


def test_a_failed_dump_leaves_nothing(source: tuple[Programs, DatabaseUnderTest], tmp_path: Path) -> None:
    programs, made = source
    with pytest.raises(AdminError) as caught:
        dump(made.address, programs, tmp_path / "dump", snapshot="no-such-snapshot")
    assert caught.value.code == "dump-failed"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(AdminError) as caught:
        dump(made.address, programs, tmp_path)
    assert caught.value.code == "dump-exists"


def test_programs_older_than_the_server_are_refused(source: tuple[Programs, DatabaseUnderTest], tmp_path: Path) -> None:
    programs, made = source
    older = Programs(programs.bindir, (11, 0))
    with pytest.raises(AdminError) as caught:
        dump(made.address, older, tmp_path / "dump")
    assert caught.value.code == "postgresql-too-old"
    assert f"PostgreSQL {programs.major}" in caught.value.message


def test_a_scratch_cluster_goes_even_after_a_failure(
    source: tuple[Programs, DatabaseUnderTest], tmp_path: Path
) -> None:
    directory = tmp_path / "scratch"
    was_there = []

    def fail() -> None:
        with scratch_cluster(source[0], directory, free_port()):
            was_there.append((directory / "data").is_dir())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert was_there == [True]
    assert not directory.exists()
    directory.mkdir()
    with pytest.raises(AdminError) as caught, scratch_cluster(source[0], directory, free_port()):
        pass
    assert caught.value.code == "directory-exists"
