"""Which PostgreSQL is taken."""

from pathlib import Path

import pytest

from omeroadmin.database import programs
from omeroadmin.database.programs import Programs, client_programs, cluster_major, find_programs, inspect
from omeroadmin.errors import AdminError
from omeroadmin.schema.settings import Settings

NAMES = ("initdb", "postgres", "pg_ctl", "psql", "pg_dump", "pg_restore")


def install(directory: Path, version: str) -> Path:
    """Programs that do nothing but tell their version."""
    bindir = directory / "bin"
    bindir.mkdir(parents=True)
    for name in NAMES:
        program = bindir / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    return bindir


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose distribution keeps its PostgreSQL below a directory, with nothing on PATH and no wheel."""
    monkeypatch.setattr(programs, "DISTRIBUTION_PATTERNS", (f"{tmp_path}/postgresql/*/bin",))
    monkeypatch.setattr(programs, "_WHEEL_PACKAGE", "no_such_package")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return tmp_path


def test_the_newest_of_the_distribution(machine: Path) -> None:
    for version in ("9.6.24", "13.4", "15.18"):
        install(machine / "postgresql" / version.partition(".")[0], version)
    assert find_programs(Settings({})) == Programs(machine / "postgresql" / "15" / "bin", (15, 18))


def test_an_existing_cluster_decides(machine: Path) -> None:
    for version in ("13.4", "15.18"):
        install(machine / "postgresql" / version.partition(".")[0], version)
    cluster = machine / "data"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("13\n")
    assert find_programs(Settings({}), cluster=cluster).major == 13
    (cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(AdminError) as caught:
        find_programs(Settings({}), cluster=cluster)
    assert caught.value.code == "postgresql-missing"
    assert "17" in caught.value.message


def test_path_comes_after_the_distribution(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = install(machine / "own", "16.2")
    monkeypatch.setenv("PATH", str(on_path))
    assert find_programs(Settings({})).bindir == on_path
    install(machine / "postgresql" / "12", "12.1")
    assert find_programs(Settings({})).major == 12


def test_a_dump_needs_no_server_here(machine: Path) -> None:
    bindir = install(machine / "postgresql" / "15", "15.18")
    for name in ("initdb", "postgres", "pg_ctl"):
        (bindir / name).unlink()
    assert client_programs(Settings({}), server_major=15).bindir == bindir
    with pytest.raises(AdminError) as caught:
        client_programs(Settings({}), server_major=15, whole=True)
    assert caught.value.hint.startswith("apt install postgresql-15,")


def test_none_at_all(machine: Path) -> None:
    install(machine / "postgresql" / "11", "11.22")
    with pytest.raises(AdminError) as caught:
        find_programs(Settings({}))
    assert caught.value.code == "postgresql-missing"
    assert caught.value.hint == "pip install 'omeroadmin[postgresql]'"


def test_a_configured_directory_wins_or_is_named(machine: Path) -> None:
    install(machine / "postgresql" / "15", "15.18")
    configured = install(machine / "configured", "17beta2")
    with pytest.raises(AdminError) as caught:
        find_programs(Settings({"omero.db.embedded.bindir": str(machine)}))
    assert caught.value.code == "postgresql-invalid"
    settings = Settings({"omero.db.embedded.bindir": str(configured)})
    assert find_programs(settings).version == (17, 0)
    cluster = machine / "data"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("15\n")
    with pytest.raises(AdminError) as caught:
        find_programs(settings, cluster=cluster)
    assert caught.value.code == "postgresql-invalid"
    assert "15" in caught.value.message


def test_dumps_are_taken_by_the_oldest_that_is_new_enough(machine: Path) -> None:
    for version in ("13.4", "15.18", "17.1"):
        install(machine / "postgresql" / version.partition(".")[0], version)
    assert client_programs(Settings({}), server_major=14).major == 15
    assert client_programs(Settings({}), server_major=13).major == 13
    configured = Settings({"omero.db.embedded.bindir": str(install(machine / "more", "18.1"))})
    assert client_programs(configured, server_major=18).major == 18
    with pytest.raises(AdminError) as caught:
        client_programs(Settings({}), server_major=18)
    assert caught.value.code == "postgresql-too-old"


def test_programs_that_do_not_run_do_not_count(tmp_path: Path) -> None:
    bindir = install(tmp_path, "15.1")
    (bindir / "postgres").write_text("#!/bin/sh\nexit 127\n")
    assert inspect(bindir) is None
    (bindir / "pg_dump").unlink()
    assert inspect(bindir) is None


@pytest.mark.parametrize("content", ["", "fifteen", "\xff"])
def test_a_broken_cluster_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "PG_VERSION").write_text(content, "latin-1")
    with pytest.raises(AdminError) as caught:
        cluster_major(tmp_path)
    assert caught.value.code == "cluster-invalid"
    assert cluster_major(tmp_path / "none") is None
