"""Files of commands are run line by line, without a shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.omero import Omero


@pytest.fixture
def omero(tmp_path: Path) -> Omero:
    """A command line with an instance that has no properties yet."""
    made = Omero(tmp_path)
    (made.omerodir / "etc" / "grid").mkdir(parents=True)
    return made


def test_the_files_of_a_role_are_loaded_in_their_order(omero: Omero) -> None:
    (omero.home / "20-site.omero").write_text("config set omero.data.dir /site\n")
    (omero.home / "00-role.omero").write_text(
        "#!/usr/bin/env omero load\nconfig drop default\n\n"
        "config set -- omero.db.pass '$(id) \"x\" #1'  # a secret\nconfig set omero.data.dir /role\n"
    )
    omero.ok("config", "set", "omero.mail.host", "gone")
    omero.ok("load", "--glob", f"{omero.home}/*.omero")
    assert omero.ok("config", "get", "omero.db.pass") == '$(id) "x" #1\n'
    assert omero.ok("config", "keys").split() == ["omero.data.dir", "omero.db.pass"]
    assert omero.ok("config", "get", "omero.data.dir") == "/site\n"
    assert "No file matches" in omero.run("load", "--glob", "nowhere/*.omero").stderr


def test_the_first_error_ends_it_unless_told_otherwise(omero: Omero) -> None:
    text = "config set omero.db.port hush\nconfig set omero.data.dir /a\n"
    stopped = omero.run("load", input_text=text)
    assert (stopped.returncode, omero.ok("config", "keys")) == (2, "")
    assert "stdin:1: config set ended with 2" in stopped.stderr
    went_on = omero.run("load", "-k", "-", input_text=text)
    assert (went_on.returncode, omero.ok("config", "get", "omero.data.dir")) == (0, "/a\n")
    assert "Ignoring error: stdin:1: config set ended with 2" in went_on.stderr


def test_a_file_that_is_not_understood_stops_all(omero: Omero) -> None:
    for line in ("config set omero.mail.from 'open", "load other.omero", "omero config keys"):
        done = omero.run("load", input_text=f"config set omero.data.dir /a\n{line}\n")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 2), done.stderr
        assert done.stderr.startswith("omero: stdin:2: ")
    assert omero.ok("config", "keys") == ""


def test_an_instance_named_by_one_command_is_not_that_of_the_next(omero: Omero) -> None:
    other = omero.home / "other"
    (other / "etc" / "grid").mkdir(parents=True)
    text = f"--omerodir {other} config set omero.data.dir /a\nconfig set omero.data.dir /b\n"
    omero.ok("load", input_text=text)
    assert omero.ok("config", "get", "omero.data.dir") == "/b\n"
    assert omero.ok("--omerodir", str(other), "config", "get", "omero.data.dir") == "/a\n"
