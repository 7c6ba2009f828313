"""Which lines count as errors and warnings, and what Blitz's log tells."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omeroadmin.schema.instance import Instance
from omeroadmin.workflows.logs import LOG_NAMES, RESTARTED, known_issue, log_facts, read_log

JAVA = "2018-07-02 15:58:37,195 {:<5} [        ome.services.util.ReadOnlyStatus] (      main) {}"
PYTHON = "2026-11-24 01:02:03,456 {:<5.5} [                           omero.dropbox] (MainThread) {}"


def counts(tmp_path: Path, *lines: str) -> tuple[int, int]:
    """Errors and warnings of a log with these lines."""
    log = tmp_path / "Some.log"
    log.write_text("".join(f"{line}\n" for line in lines))
    facts = read_log(log)
    return facts.errors, facts.warnings


@pytest.mark.parametrize(
    "line",
    [
        JAVA.format("ERROR", "no connection"),
        PYTHON.format("ERROR", "no connection"),
        PYTHON.format("CRITICAL", "no connection"),
        JAVA.format("FATAL", "x"),
        "!! 11/24/26 01:02:03.456 icegridnode: error: node couldn't be started",
        "!! 2026-11-24 01:02:03.456 icegridnode: error: node couldn't be started",
        '2026-11-24 01:02:03.456 UTC [312] ERROR:  relation "x" does not exist',
        "ERROR StatusLogger No logging implementation",
    ],
)
def test_errors(tmp_path: Path, line: str) -> None:
    assert counts(tmp_path, line) == (1, 0)


@pytest.mark.parametrize(
    "line",
    [
        JAVA.format("WARN", "slow"),
        PYTHON.format("WARNING", "slow"),
        "-! 11/24/26 01:02:03.456 icegridnode: warning: unsecure",
        "2026-11-24 01:02:03,456 node: warning: slow",
        "2026-11-24 01:02:03.456 CET [312] omero@omero WARNING:  x",
        "WARNING: sun.reflect.Reflection.getCallerClass is not supported",
    ],
)
def test_warnings(tmp_path: Path, line: str) -> None:
    assert counts(tmp_path, line) == (0, 1)


@pytest.mark.parametrize(
    "line",
    [
        JAVA.format("INFO", "ERROR is a word, error: too, and warning: as well"),
        PYTHON.format("DEBUG", "Error"),
        "    at ome.util.ErrorHandler.warn(ErrorHandler.java:3)",
        "ValueError: an error",
        "2026-11-24 01:02:03,456 INFO  errors=3 warnings=2",
        "",
    ],
)
def test_words_in_a_message_do_not_count(tmp_path: Path, line: str) -> None:
    assert counts(tmp_path, line) == (0, 0)


def test_a_long_log_is_counted_whole(tmp_path: Path) -> None:
    lines = [JAVA.format("ERROR" if number % 1000 == 0 else "INFO", "x" * 100) for number in range(5000)]
    assert counts(tmp_path, *lines) == (5, 0)


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("OMERO Version: 5.6.7-ice36-b130 Ready.", RESTARTED),
        ("OMERO.server Version 0.1.0 Ready.", RESTARTED),
        ("Error connecting to database table dbpatch. Did you create your database?", "Did you create your database?"),
        ("Unable to initialize: FullText", "Unable to initialize: FullText"),
        ('org.postgresql.util.PSQLException: FATAL: password authentication failed for user "omero"', "password"),
        ('org.postgresql.util.PSQLException: FATAL: role "omero" does not exist', "role"),
        ("PSQLException: Connection to localhost:5432 refused. Check that the hostname", "refuses connections"),
        ("connection refused", "refuses connections"),
        ("DB version (OMERO5.3__0) does not match the configured value (OMERO5.4__0).", "upgrade"),
        ("java.lang.OutOfMemoryError: Java heap space", "memory"),
    ],
)
def test_known_issues(words: str, meaning: str) -> None:
    assert meaning in known_issue(JAVA.format("ERROR", words).encode())


def test_an_ordinary_line_is_no_issue() -> None:
    assert known_issue(JAVA.format("INFO", "Opened a connection to role manager; Ready").encode()) == ""


def test_issues_are_found_with_their_lines_in_blitz_only(tmp_path: Path) -> None:
    ready = JAVA.format("INFO", "OMERO Version: 5.6.7 Ready.")
    text = "\n".join(["x", ready, "y" * 300_000, ready, ""])
    for name in ("Blitz-0.log", "Indexer-0.log"):
        (tmp_path / name).write_text(text)
    assert read_log(tmp_path / "Blitz-0.log").findings == ((2, RESTARTED), (4, RESTARTED))
    assert read_log(tmp_path / "Indexer-0.log").findings == ()


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    log = tmp_path / "Blitz-0.log"
    log.write_bytes(b"\xff\xfe\x00" + JAVA.format("ERROR", "x").encode() + b"\n" + JAVA.format("ERROR", "x").encode())
    facts = read_log(log)
    assert (facts.errors, facts.size) == (1, log.stat().st_size)


def test_missing_logs_are_named(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    assert [log.name for log in log_facts(instance)] == sorted(LOG_NAMES)
    assert all(log.size is None for log in log_facts(instance))


def test_logs_of_more_servers_are_found(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.log_directory.mkdir(parents=True)
    for name in ("Blitz-1.log", "Blitz-0.log.1", "notes.txt", "node2.err"):
        (instance.log_directory / name).write_text("x\n")
    found = {log.name for log in log_facts(instance)}
    assert {"Blitz-1.log", "node2.err"} <= found
    assert not {"Blitz-0.log.1", "notes.txt"} & found


def test_a_distribution_has_no_log_of_its_routers(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.server_jars.mkdir(parents=True)
    assert not any("OMERO." in log.name for log in log_facts(instance))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_log_that_may_not_be_read(tmp_path: Path) -> None:
    log = tmp_path / "Blitz-0.log"
    log.write_text("x")
    log.chmod(0)
    assert "can't be read" in read_log(log).problem
