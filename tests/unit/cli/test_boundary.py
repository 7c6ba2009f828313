"""Every way in which a command line ends: one line, the right status, no traceback on the screen."""

from __future__ import annotations

import errno
from pathlib import Path

import psycopg
import pytest

from omeroadmin.cli.boundary import guard
from omeroadmin.cli.quick import run
from omeroadmin.errors import AdminError, locked_error


def failing(error: BaseException) -> int:
    """Run something that fails."""

    def action() -> int:
        raise error

    return guard(action)


@pytest.fixture(autouse=True)
def user_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory where bugs are logged."""
    monkeypatch.setenv("OMERO_USERDIR", str(tmp_path / "omero"))
    monkeypatch.setenv("OMERODIR", str(tmp_path))
    return tmp_path / "omero"


def test_expected_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(locked_error("locked", "x is locked", "wait")) == 6
    assert capsys.readouterr().err == "omero: x is locked\n  -> wait\n"


def test_no_hint_no_second_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(AdminError("code", "words \udcff", exit_status=locked_error("a", "b").exit_status)) == 6
    assert capsys.readouterr().err == "omero: words \\udcff\n"


def test_what_names_hold_neither_steers_the_terminal_nor_makes_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(locked_error("locked", "x\nomero: y \x1b[31m", "see é\r\u2028")) == 6
    assert capsys.readouterr().err == "omero: x\\nomero: y \\x1b[31m\n  -> see é\\r\\u2028\n"


def test_interrupt(capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_bug_goes_to_the_log(capsys: pytest.CaptureFixture[str], user_directory: Path) -> None:
    assert failing(ZeroDivisionError("first\nsecond")) == 1
    log = user_directory / "omero-bugs.log"
    assert capsys.readouterr().err == f"omero: bug: ZeroDivisionError: first (traceback in {log})\n"
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), 5, "/x/y can't be used: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device", b"/x/y"), 5, "make room there: df -h /"),
        (psycopg.errors.AdminShutdown("terminating connection"), 4, "the database went away: terminating connection"),
        (psycopg.OperationalError("server closed the connection\nunexpectedly"), 4, "server closed the connection"),
        (psycopg.errors.DiskFull("no space"), 5, "the database gave up: no space"),
        (psycopg.errors.InsufficientPrivilege("permission denied for table x"), 3, "omero db check"),
        (psycopg.errors.UndefinedTable('relation "x" does not exist'), 3, "omero db check"),
    ],
)
def test_what_machine_and_database_may_do_at_any_moment_is_no_bug(
    error: Exception, status: int, words: str, capsys: pytest.CaptureFixture[str], user_directory: Path
) -> None:
    assert failing(error) == status
    shown = capsys.readouterr().err
    assert words in shown
    assert len(shown.splitlines()) == 2
    assert not user_directory.exists()


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.SyntaxError("x"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "/x/y"),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
    ],
)
def test_the_same_kinds_of_errors_may_be_bugs(error: Exception, capfd: pytest.CaptureFixture[str]) -> None:
    """A broken connection, too: only where nobody reads any more is a broken pipe the end of all."""
    assert failing(error) == 1
    assert "omero: bug: " in capfd.readouterr().err


def test_bug_that_cannot_be_logged_is_shown(capsys: pytest.CaptureFixture[str], user_directory: Path) -> None:
    user_directory.write_text("no directory")
    assert failing(ZeroDivisionError("x")) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["config", "nonsense"], ("nonsense", "omero config --help")),
        (["nonsense"], ("nonsense", "omero --help")),
        (["config", "get", "--nonsense"], ("--nonsense", "omero config get --help")),
        (["config", "set"], ("KEY", "omero config set --help")),
    ],
)
def test_usage(arguments: list[str], words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 2
    for word in words:
        assert word in shown.err


def test_a_group_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config"]) == 2
    assert "Commands:" in capsys.readouterr().err
