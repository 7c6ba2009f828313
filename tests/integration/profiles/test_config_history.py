"""`omero config log`, `diff` and `rollback` as processes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.profiles.history import history_file
from omeroadmin.profiles.store import read_profile
from tests.support.history import as_another_tool, assert_agrees
from tests.support.profiles import config_file, environment, omero

PASSWORDS = ("0ld-secret", "n3w-secret")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config.xml after four commands."""
    file = config_file(tmp_path)
    for arguments in (
        ("set", "omero.db.host", "here"),
        ("set", "omero.db.pass", PASSWORDS[0]),
        ("def", "ldap"),
        ("set", "omero.db.pass", PASSWORDS[1]),
    ):
        assert omero(file, "config", *arguments).returncode == 0
    return file


def lines(file: Path, *arguments: str) -> list[str]:
    """Result of a `config` command that succeeds, and shows no secret."""
    done = omero(file, "config", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert not any(password in done.stdout for password in PASSWORDS)
    return done.stdout.splitlines()


def test_log(file: Path) -> None:
    rows = [[cell.strip() for cell in line.split("|")] for line in lines(file, "log")]
    assert rows[0] == ["revision", "time", "user", "command", "changes"]
    assert [(row[0], row[3], row[4]) for row in rows[2:-1]] == [
        ("4", "config set", "+omero.db.pass"),
        ("3", "config def", "active profile ldap +profile ldap"),
        ("2", "config set", "+omero.db.pass"),
        ("1", "config set", "+omero.db.host"),
    ]
    assert rows[-1] == ["(4 rows)"]
    assert len(lines(file, "log", "--limit", "2")) == 5
    one = lines(file, "log", "2")
    assert (one[0], one[3:]) == ("revision 2", ["command: config set", "[default]", "+ omero.db.pass = ********"])
    as_another_tool(file, ("x", "1"), ("y", "1"), ("z", "1"), ("omero.db.host", "there"))
    assert lines(file, "log")[2].endswith("| changed by another tool | +4")
    omero(file, "config", "set", "x", "2")
    assert [line.split("|")[3].strip() for line in lines(file, "log")[2:4]] == ["config set", "changed by another tool"]


def test_log_as_json(file: Path) -> None:
    as_another_tool(file, ("x", "1"))
    document = json.loads("\n".join(lines(file, "log", "--json")))
    assert document["schema"] == "omeroadmin/config/log/1"
    assert [item["revision"] for item in document["revisions"]] == [4, 3, 2, 1]
    first = document["revisions"][-1]
    assert (first["command"], first["active"], first["sudo_user"]) == ("config set", None, None)
    assert first["profiles"] == [
        {"profile": "default", "properties": [{"name": "omero.db.host", "old": None, "new": "here"}]}
    ]
    assert document["pending"]["profiles"][0]["properties"] == [{"name": "x", "old": None, "new": "1"}]
    (third,) = json.loads("\n".join(lines(file, "log", "3", "--json")))["revisions"]
    assert (third["active"], third["created"]) == ({"old": "default", "new": "ldap"}, ["ldap"])


def test_diff(file: Path) -> None:
    assert lines(file, "diff") == ["[ldap]", "+ omero.db.pass = ********"]
    assert lines(file, "diff", "3") == ["[ldap]", "+ omero.db.pass = ********"]
    assert lines(file, "diff", "default", "ldap") == [
        "[ldap]", "- omero.db.host = here", "~ omero.db.pass: ******** -> ********",
    ]  # fmt: skip
    assert lines(file, "diff", "--defaults", "default") == [
        "[default]", "~ omero.db.host: localhost -> here", "~ omero.db.pass: ******** -> ********",
    ]  # fmt: skip
    shown = omero(file, "config", "diff", "default", "ldap", "--show-password").stdout
    assert f"~ omero.db.pass: {PASSWORDS[0]} -> {PASSWORDS[1]}" in shown
    document = json.loads("\n".join(lines(file, "diff", "@2", "@4", "--json")))
    assert (document["schema"], document["old"], document["new"]) == (
        "omeroadmin/config/diff/1", "revision 2", "revision 4",
    )  # fmt: skip
    assert document["created"] == ["ldap"]
    assert omero(file, "config", "diff", "--exit-code").returncode == 8
    assert omero(file, "config", "diff", "4", "--exit-code").returncode == 0
    assert omero(file, "config", "diff", "4").stdout == ""


def test_rollback(file: Path) -> None:
    before = file.read_bytes()
    plan = ["Plan: roll back to revision 1", "~ active profile: ldap -> default", "- profile ldap", "[default]",
            "- omero.db.pass = ********", "[ldap]", "- omero.db.pass = ********"]  # fmt: skip
    assert lines(file, "rollback", "1", "--dry-run") == plan
    assert file.read_bytes() == before
    done = omero(file, "config", "rollback", "1", "--yes")
    assert (done.returncode, done.stderr.splitlines()) == (0, plan)
    assert done.stdout.startswith("Rolled back to revision 1: active profile default -profile ldap")
    assert read_profile(file).values == {"omero.db.host": "here"}
    assert lines(file, "rollback", "1") == ["Already as after revision 1: nothing to do"]
    assert lines(file, "rollback", "@1", "--dry-run") == ["Already as after revision 1: nothing to do"]
    assert omero(file, "config", "rollback", "4", "--profile", "ldap").returncode == 0
    assert read_profile(file).name == "default"
    assert read_profile(file, "ldap").values == {"omero.db.pass": PASSWORDS[1]}
    assert assert_agrees(file).revisions[-1].cause == "config rollback"


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 130)])
def test_rollback_asks_on_a_terminal(file: Path, answer: str, status: int) -> None:
    master, slave = pty.openpty()
    try:
        os.write(master, f"{answer}\n".encode())
        done = subprocess.run(
            [sys.executable, "-m", "omeroadmin", "config", "rollback", "1"],
            stdin=slave, capture_output=True, text=True, env=environment(file), timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(slave)
        os.close(master)
    assert done.returncode == status
    assert "Go ahead?" in done.stderr
    assert (read_profile(file).name == "default") is (answer == "y")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("log", "7"), 2, ("there is no revision 7: those from 1 to 4 are there",)),
        (("log", "seven"), 2, ("'seven'", "omero config log")),
        (("log", "--limit", "-1"), 2, ("--limit",)),
        (("diff", "7"), 2, ("there is no revision 7: those from 0 to 4 are there",)),
        (("diff", "never"), 2, ("'never'", "default, ldap")),
        (("diff", "--defaults", "1", "2"), 2, ("--defaults",)),
        (("rollback",), 2, ("REV",)),
        (("rollback", "7", "--yes"), 2, ("those from 0 to 4",)),
        (("rollback", "1", "--profile", "never"), 2, ("'never'", "default, ldap")),
        (("drop", "never"), 2, ("'never'",)),
    ],
)
def test_bad_input(file: Path, arguments: tuple[str, ...], status: int, words: tuple[str, ...]) -> None:
    done = omero(file, "config", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert 1 <= len(done.stderr.splitlines()) <= 2
    for word in words:
        assert word in done.stderr


def test_damage_is_said_and_stops_no_change(file: Path) -> None:
    history_file(file).write_bytes(b"\xff damaged\n")
    for verb in (("log",), ("diff",), ("rollback", "1", "--yes")):
        done = omero(file, "config", *verb)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith(f"omero: {history_file(file)}: line 1: ")
    done = omero(file, "config", "set", "omero.db.host", "there")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith(f"WARNING: {history_file(file)} was damaged")
    assert len(done.stderr.splitlines()) == 1
    assert len(lines(file, "log")) == 4


def test_a_read_only_file(file: Path) -> None:
    file.chmod(0o444)
    assert omero(file, "config", "get", "omero.db.pass").stdout == f"{PASSWORDS[1]}\n"
    assert omero(file, "config", "set", "omero.db.pass", PASSWORDS[1]).returncode == 0
    for arguments in (
        ("set", "omero.db.host", "x"),
        ("def", "default"),
        ("drop", "default"),
        ("rollback", "1", "--yes"),
    ):
        done = omero(file, "config", *arguments)
        assert (done.returncode, done.stdout) == (3, "")
        assert f"omero: {file} is read-only" in done.stderr
