"""Connections to a real PostgreSQL, and each way in which there is none."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from omeroadmin.database.connection import (
    DatabaseAddress,
    check_version,
    connect,
    explain,
    schema_version,
    server_version,
)
from omeroadmin.database.programs import find_programs
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.system import process
from tests.support.database import DATABASE_PASSWORD, DatabaseUnderTest, all_programs
from tests.support.ports import free_port

CURRENT = SchemaVersion("OMERO5.4", 0)


def refused(address: DatabaseAddress) -> AdminError:
    """The error of a connection that must fail."""
    with pytest.raises(AdminError) as caught:
        connect(address)
    assert not address.password or address.password not in caught.value.message + caught.value.hint
    return caught.value


def test_a_connection_speaks_utc(shared_instance: DatabaseUnderTest) -> None:
    with connect(shared_instance.address) as connection:
        assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
        assert server_version(connection)[0] >= 12
        assert schema_version(connection) == CURRENT
        assert check_version(connection, CURRENT) == CURRENT


def test_wrong_password_and_unknown_role(shared_instance: DatabaseUnderTest) -> None:
    error = refused(dataclasses.replace(shared_instance.address, password="wrong"))
    assert (error.code, error.exit_status) == ("database-password", ExitStatus.CONFIGURATION)
    # PostgreSQL doesn't tell strangers which roles exist.
    assert refused(dataclasses.replace(shared_instance.address, user="nobody")).code == "database-password"
    assert refused(dataclasses.replace(shared_instance.address, password="")).code == "database-password"


def test_missing_database(shared_instance: DatabaseUnderTest) -> None:
    error = refused(dataclasses.replace(shared_instance.address, name="no such"))
    assert (error.code, error.exit_status) == ("database-missing", ExitStatus.CONFIGURATION)
    assert "no such" in error.message


def test_nobody_listens() -> None:
    port = free_port()
    started = time.monotonic()
    error = refused(DatabaseAddress("127.0.0.1", port, "omero", "omero", "secret"))
    assert time.monotonic() - started < 2
    assert (error.code, error.exit_status) == ("database-unreachable", ExitStatus.UNREACHABLE)
    assert f"127.0.0.1:{port}" in error.message


def test_a_host_that_does_not_exist() -> None:
    assert refused(DatabaseAddress("no-such-host.invalid", 5432, "omero", "omero", "secret")).code == (
        "database-unreachable"
    )


def test_a_missing_unix_socket(tmp_path: Path) -> None:
    assert refused(DatabaseAddress(str(tmp_path), 5432, "omero", "omero", "secret")).code == "database-unreachable"


def test_somebody_else_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = DatabaseAddress("127.0.0.1", listener.getsockname()[1], "omero", "omero", "secret")
        started = time.monotonic()
        with pytest.raises(AdminError) as caught:
            connect(address, timeout=2)
        assert time.monotonic() - started < 8
    assert caught.value.exit_status == ExitStatus.UNREACHABLE


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ('FATAL:  role "omero" does not exist', "database-role"),
        ("FATAL:  the database system is starting up", "database-starting"),
        ("FATAL:  sorry, too many clients already", "database-full"),
        ("FATAL:  no pg_hba.conf entry for host", "database-refused"),
    ],
)
def test_other_words_of_the_server(shared_instance: DatabaseUnderTest, words: str, code: str) -> None:
    assert explain(shared_instance.address, psycopg.OperationalError(words)).code == code


def test_a_role_without_the_right_to_connect(shared_instance: DatabaseUnderTest) -> None:
    superuser = shared_instance.superuser
    with connect(superuser, autocommit=True) as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'let me in'")
    stranger = dataclasses.replace(shared_instance.address, user="stranger", password="let me in")
    assert refused(stranger).code == "database-refused"


def test_version_checks(shared_instance: DatabaseUnderTest) -> None:
    with connect(shared_instance.address) as connection:
        with pytest.raises(AdminError) as caught:
            check_version(connection, SchemaVersion("OMERO5.5", 1))
        assert caught.value.message == (
            "DB version (OMERO5.4__0) does not match the configured value (OMERO5.5__1). Please apply a db upgrade."
        )
    with connect(shared_instance.superuser) as connection, pytest.raises(AdminError) as caught:
        check_version(connection, CURRENT)
    assert caught.value.message == "Error connecting to database table dbpatch. You may need to bootstrap."
    with connect(shared_instance.superuser, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    latin = dataclasses.replace(shared_instance.superuser, name="latin")
    with connect(latin) as connection, pytest.raises(AdminError) as caught:
        check_version(connection, CURRENT)
    assert caught.value.code == "database-encoding"


def test_programs_log_in_without_a_password_in_sight(
    shared_instance: DatabaseUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What an admin has exported for another database.
    monkeypatch.setenv("PGPASSWORD", "another")
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    with shared_instance.address.environment() as environment:
        passfile = Path(environment["PGPASSFILE"])
        assert passfile.stat().st_mode & 0o777 == 0o600
        assert DATABASE_PASSWORD not in environment.values()
        # Programs of all versions that there are: they look at the file in their own ways.
        for programs in all_programs():
            arguments = [str(programs.path("psql")), "-w", "-Atc", "SELECT current_user"]
            done = process.run(arguments, timeout=20, environment=environment)
            assert (done.output, done.error_output) == ("omero\n", "")
    assert not passfile.exists()
    assert not os.environ.get("PGPASSFILE")


def test_each_connection_of_a_dump_finds_the_password(shared_instance: DatabaseUnderTest, tmp_path: Path) -> None:
    with connect(shared_instance.address) as connection:
        major = server_version(connection)[0]
    for programs in all_programs():
        if programs.major < major:
            continue
        directory = tmp_path / str(programs.major)
        with shared_instance.address.environment() as environment:
            arguments = [str(programs.path("pg_dump")), "-w", "--format", "directory", "--jobs", "4", "--file"]
            done = process.run([*arguments, str(directory)], timeout=60, environment=environment)
        assert done.succeeded, done.error_output
        assert (directory / "toc.dat").stat().st_size


def test_a_password_of_any_characters_is_found(shared_instance: DatabaseUnderTest) -> None:
    password = "a:b\\c d'e"
    with connect(shared_instance.superuser, autocommit=True) as connection:
        connection.execute("CREATE ROLE odd LOGIN PASSWORD 'a:b\\c d''e'")
        try:
            address = dataclasses.replace(shared_instance.address, name="postgres", user="odd", password=password)
            with address.environment() as environment:
                arguments = [
                    str(find_programs(shared_instance.settings).path("psql")),
                    "-w",
                    "-Atc",
                    "SELECT current_user",
                ]
                done = process.run(arguments, timeout=20, environment=environment)
            assert done.output == "odd\n", done.error_output
        finally:
            connection.execute("DROP ROLE odd")


def test_a_killed_command_leaves_no_password(tmp_path: Path) -> None:
    script = (
        "import os, signal; from omeroadmin.database.passfile import password_file\n"
        "with password_file('omero', 'a secret'):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not list(tmp_path.iterdir())


def test_addresses_are_checked() -> None:
    from omeroadmin.schema.settings import Settings

    with pytest.raises(AdminError) as caught:
        DatabaseAddress.from_settings(Settings({"omero.db.port": "70000"}))
    assert caught.value.code == "setting-invalid"
