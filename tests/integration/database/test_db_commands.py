"""``omero db script``, ``omero db password``, ``omero db init``, as a user runs them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.database.connection import connect
from omeroadmin.database.script import password_statement, root_hash
from omeroadmin.profiles.store import load_settings, update_profile
from tests.support.database import ROOT_PASSWORD, DatabaseUnderTest, make_instance
from tests.support.omero import Omero


@pytest.fixture
def made(tmp_path: Path) -> DatabaseUnderTest:
    """An instance with a config.xml, and no cluster yet."""
    made = make_instance(tmp_path)
    update_profile(made.instance.config_xml, made.settings.explicit())
    return DatabaseUnderTest(made.instance, load_settings(made.instance))


@pytest.fixture
def omero(made: DatabaseUnderTest, tmp_path: Path) -> Omero:
    """The command line for it."""
    assert made.instance.omerodir == tmp_path / "OMERO.server"
    return Omero(tmp_path)


def test_script_says_what_omero_says(omero: Omero, tmp_path: Path) -> None:
    done = omero.run("db", "script", "--password", "secret")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "Using OMERO5.4 for version",
        "Using 0 for patch",
        "Using password from commandline",
    ]
    path = tmp_path / "OMERO5.4__0.sql"
    assert done.stdout == f"Saving to {path}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert root_hash("secret") in path.read_text()


def test_script_on_stdout_and_in_a_named_file(omero: Omero, tmp_path: Path) -> None:
    done = omero.run("db", "script", "-f", "-", "--password-file", "-", input_text="secret\nmore\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("COMMIT;\n")
    assert root_hash("secret") in done.stdout
    assert "Using password from file" in done.stderr
    assert omero.ok("db", "script", "-f", "other.sql", "--password", "x", "--no-salt") == (
        f"Saving to {tmp_path / 'other.sql'}\n"
    )
    assert root_hash("x", salt=False) in (tmp_path / "other.sql").read_text()


def test_script_follows_the_settings(omero: Omero, made: DatabaseUnderTest) -> None:
    update_profile(made.instance.config_xml, {"omero.db.version": "OMERO9.9"})
    done = omero.run("db", "script", "-f", "-", "--password", "x")
    assert (done.returncode, done.stdout) == (3, "")
    assert "OMERO9.9__0" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "--password-file"),
        (("--password", ""), "empty"),
        (("--password", "a", "--password-file", "b"), "exclude"),
    ],
)
def test_a_password_must_come_from_somewhere(omero: Omero, arguments: tuple[str, ...], word: str) -> None:
    for verb in ("script", "password"):
        done = omero.run("db", verb, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert word in done.stderr


def test_password_prints_the_statement(omero: Omero) -> None:
    assert omero.ok("db", "password", "--password", "ome") == password_statement("ome") + "\n"
    assert omero.ok("db", "password", "--user-id", "7", "--no-salt", "--password", "ome") == (
        "UPDATE password SET hash = 'vvFwuczAmpyoRC0Nsv8FCw==' WHERE experimenter_id = 7;\n"
    )


@pytest.mark.parametrize(("second", "status"), [("typed", 0), ("mistyped", 2)])
def test_password_is_asked_for_twice_on_a_terminal(omero: Omero, second: str, status: int) -> None:
    master, terminal = os.openpty()
    command = [sys.executable, "-m", "omeroadmin", "db", "password"]
    with subprocess.Popen(
        command,
        env=omero.environment,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        assert process.stderr is not None
        for prompt, answer in (("Please enter", "typed"), ("Please re-enter", second)):
            asked = b""
            while not asked.endswith(b"user: "):
                character = os.read(process.stderr.fileno(), 1)
                assert character, asked
                asked += character
            assert prompt in asked.decode()
            os.write(master, f"{answer}\n".encode())
        output, errors = process.communicate(timeout=30)
    os.close(master)
    assert process.returncode == status
    assert output.decode() == (password_statement("typed") + "\n" if status == 0 else "")
    assert (b"differ" in errors) == (status == 2)


def test_init_plans_makes_and_has_nothing_left_to_do(omero: Omero, made: DatabaseUnderTest) -> None:
    plan = omero.ok("db", "init", "--dry-run")
    assert [line.split()[1] for line in plan.splitlines()[1:]] == ["initialise", "start", "create", "load", "stop"]
    assert not made.instance.embedded_database.exists()
    done = omero.run("db", "init")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The database omero on 127.0.0.1:")
    for secret in (ROOT_PASSWORD, made.address.password, made.superuser.password):
        assert secret not in done.stdout + done.stderr
    assert not embedded.status(made.instance).running
    assert "nothing to do" in omero.ok("db", "init", "--dry-run")
    assert omero.ok("db", "init", "--yes") == ""
    embedded.start(made.instance, made.settings)
    try:
        assert "nothing to do" in omero.ok("db", "init", "--dry-run")
        with connect(made.address) as connection:
            connection.execute("UPDATE dbpatch SET currentversion = 'OMERO5.3', previousversion = 'OMERO5.3'")
        done = omero.run("db", "init", "--dry-run")
        assert done.returncode == 3
        assert "Please apply a db upgrade." in done.stderr
    finally:
        embedded.stop(made.instance, made.settings)


def test_init_without_a_password_changes_nothing(omero: Omero, made: DatabaseUnderTest) -> None:
    made.instance.root_password_file.unlink()
    done = omero.run("db", "init")
    assert done.returncode == 3
    assert str(made.instance.root_password_file) in done.stderr
    assert not made.instance.embedded_database.exists()


def test_init_of_an_external_database_that_is_down(omero: Omero, made: DatabaseUnderTest) -> None:
    update_profile(made.instance.config_xml, {"omero.db.embedded": "false"})
    done = omero.run("db", "init", timeout=10)
    assert done.returncode == 4
    assert f"127.0.0.1:{made.address.port}" in done.stderr
