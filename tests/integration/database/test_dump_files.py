"""Dumps that others made with pg_dump and pg_dumpall, in all formats, are restored to the same rows."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.dump import scratch_cluster
from omeroadmin.database.dump_file import DumpFormat, dump_format, restore_file
from omeroadmin.database.embedded import recreate_database
from omeroadmin.database.programs import Programs, client_programs
from omeroadmin.errors import AdminError
from tests.support.database import DatabaseUnderTest, running_database
from tests.support.ports import free_port

NASTY = "GRANT ALL ON x TO y;\n\\connect other\n-- it's\n\\.\n$$ \\! touch escaped\tend"
ROWS = "SELECT id, textvalue, ns FROM annotation ORDER BY id"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseUnderTest]:
    with running_database(tmp_path_factory.mktemp("source")) as made:
        with connect(made.superuser, autocommit=True) as connection:
            connection.execute("CREATE ROLE others_only")
        with connect(made.address) as connection:
            for number, text in enumerate((NASTY, "plain", "Größe µm", "a'b''c\\"), start=900):
                connection.execute(
                    "INSERT INTO annotation (id, discriminator, textvalue, ns, permissions, creation_id, group_id,"
                    " owner_id, update_id) VALUES (%s, '/basic/text/comment/', %s, %s, -120, 0, 0, 0, 0)",
                    (number, text, NASTY),
                )
            connection.execute("GRANT SELECT ON image TO others_only")
        yield made


@pytest.fixture(scope="module")
def programs(source: DatabaseUnderTest) -> Programs:
    return client_programs(source.settings, server_major=0)


@pytest.fixture(scope="module")
def scratch(
    programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[DatabaseAddress, DatabaseAddress]]:
    """Another cluster, without the roles of the first: the database and its superuser's."""
    directory = tmp_path_factory.mktemp("scratch") / "postgresql"
    with scratch_cluster(programs, directory, free_port()) as address:
        from omeroadmin.database.cluster import Cluster

        yield address, Cluster(directory, directory / "postgresql.log").superuser(address.port)


def pg_dump(source: DatabaseUnderTest, programs: Programs, *arguments: str | Path, program: str = "pg_dump") -> None:
    address = source.superuser if program == "pg_dumpall" else source.address
    with address.environment() as environment:
        options = [] if program == "pg_dumpall" else [address.name]
        command = [programs.path(program), *arguments, *options]
        subprocess.run(command, check=True, env={"PATH": "/usr/bin:/bin", **environment})


def same(source: DatabaseUnderTest, scratch: tuple[DatabaseAddress, DatabaseAddress]) -> None:
    with connect(source.address) as first, connect(scratch[0]) as second:
        assert second.execute(ROWS).fetchall() == first.execute(ROWS).fetchall()
        for query in (
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT count(*) FROM pg_constraint",
            "SELECT count(*) FROM pg_proc",
            "SELECT nextval('seq_experimenter') > 0",
        ):
            assert second.execute(query).fetchall() == first.execute(query).fetchall()
        owners = second.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert owners == [(scratch[0].user,)]


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (DumpFormat.CUSTOM, ["--format=custom"]),
        (DumpFormat.DIRECTORY, ["--format=directory"]),
        (DumpFormat.TAR, ["--format=tar"]),
        (DumpFormat.PLAIN, ["--format=plain"]),
        (DumpFormat.PLAIN, ["--format=plain", "--column-inserts"]),
        (DumpFormat.PLAIN, ["--format=plain", "--no-owner", "--clean", "--if-exists"]),
    ],
    ids=["custom", "directory", "tar", "plain", "inserts", "clean"],
)
def test_what_pg_dump_wrote_is_restored(
    source: DatabaseUnderTest,
    programs: Programs,
    scratch: tuple[DatabaseAddress, DatabaseAddress],
    tmp_path: Path,
    kind: DumpFormat,
    arguments: list[str],
) -> None:
    path = tmp_path / "omero.dump"
    pg_dump(source, programs, *arguments, f"--file={path}")
    assert dump_format(path) is kind
    recreate_database(scratch[1], scratch[0])
    restore_file(scratch[0], programs, path)
    same(source, scratch)
    with pytest.raises(AdminError) as caught:
        restore_file(scratch[0], programs, path)
    assert caught.value.code == "database-not-empty"


def test_a_gzipped_dump_of_a_cluster_is_restored(
    source: DatabaseUnderTest, programs: Programs, scratch: tuple[DatabaseAddress, DatabaseAddress], tmp_path: Path
) -> None:
    path = tmp_path / "all.sql"
    pg_dump(source, programs, f"--file={path}", program="pg_dumpall")
    packed = tmp_path / "nightly.pgdump.gz"
    with path.open("rb") as plain, gzip.open(packed, "wb") as out:
        shutil.copyfileobj(plain, out)
    assert dump_format(packed) is DumpFormat.CLUSTER
    recreate_database(scratch[1], scratch[0])
    restore_file(scratch[0], programs, packed)
    same(source, scratch)
    with connect(scratch[1]) as connection:
        assert connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'others_only'").fetchone() is None


@pytest.mark.parametrize("damage", ["packed", "cut", "wrong"])
def test_a_damaged_dump_leaves_nothing(
    source: DatabaseUnderTest,
    programs: Programs,
    scratch: tuple[DatabaseAddress, DatabaseAddress],
    tmp_path: Path,
    damage: str,
) -> None:
    path = tmp_path / "omero.sql"
    pg_dump(source, programs, f"--file={path}")
    content = path.read_bytes()
    if damage == "packed":
        path.write_bytes(gzip.compress(content)[:-5000])
    elif damage == "cut":
        # psql takes this for the end of the data.
        path.write_bytes(content[: content.index(b"plain", content.index(b"COPY public.annotation"))])
    else:
        at = content.index(b"COPY public.dbpatch")
        path.write_bytes(content[:at] + content[at:].replace(b"\t0", b"\tno number", 1))
    recreate_database(scratch[1], scratch[0])
    with pytest.raises(AdminError) as caught:
        restore_file(scratch[0], programs, path)
    assert caught.value.code == "restore-failed"
    assert caught.value.exit_status == 5
    with connect(scratch[0]) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert found == (0,)


def test_a_dump_runs_no_programs(
    programs: Programs, scratch: tuple[DatabaseAddress, DatabaseAddress], tmp_path: Path
) -> None:
    """psql would: in the middle of a line the filter doesn't look for commands."""
    marker = tmp_path / "escaped"
    path = tmp_path / "evil.sql"
    path.write_text(f"-- PostgreSQL database dump\nSELECT 1 \\! touch {marker}\n;\n\\! touch {marker}\n")
    recreate_database(scratch[1], scratch[0])
    with pytest.raises(AdminError) as caught:
        restore_file(scratch[0], programs, path)
    assert caught.value.code == "restore-failed"
    assert not marker.exists()


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "dump-missing"), (b"", "dump-unknown"), (b"\x1f\x8b\x08", "dump-unknown"), (b"hello\n", "dump-unknown")],
)
def test_what_is_no_dump_is_told(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AdminError) as caught:
        dump_format(path)
    assert caught.value.code == code
    (tmp_path / "directory").mkdir()
    with pytest.raises(AdminError) as caught:
        dump_format(tmp_path / "directory")
    assert caught.value.code == "dump-missing"
