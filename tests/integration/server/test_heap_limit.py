"""A Blitz that gets less memory than a request needs."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.liveserver import LiveServer, live
from tests.support.runtime import Server

EXHAUSTED = "java.lang.OutOfMemoryError: out of memory, the limit is -Xmx64m (see omero.jvmcfg.*)"
ROWS = 3_000_000
"""Each row of a table is four bytes as JSON and more than seventy in memory."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A database, and a Blitz with a small heap."""
    with live(tmp_path) as server:
        yield server


def table() -> bytes:
    """A table that doesn't fit into the heap."""
    return b'{"columns": [{"name": "a", "type": "long"}], "rows": [' + b"[0]," * ROWS + b"[0]]}"


def outgrow(server: LiveServer, blitz: Server) -> None:
    """Send a request that needs more than the heap, and wait for the end."""
    answer = server.local().login().call("POST", "/tables", table())
    assert (answer.status, answer.code) == (503, "out-of-memory")
    assert blitz.process.wait(20) == 1


def test_a_request_beyond_the_heap(server: LiveServer) -> None:
    blitz = server.runtime.start("Blitz", "Blitz-0", "-Xmx64m")
    outgrow(server, blitz)
    lines = [line for line in blitz.log.read_text().splitlines() if EXHAUSTED in line]
    assert len(lines) == 1
    assert " ERROR [" in lines[0]
    assert blitz.failure == EXHAUSTED
    assert list(server.runtime.omerodir.glob("java_pid*")) == []
    again = server.runtime.start("Blitz", "Blitz-0", "-Xmx64m")
    assert again.is_ready()
    assert server.local().call("GET", "/status").status == 200


def test_the_profile_of_the_heap(server: LiveServer, tmp_path: Path) -> None:
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    options = ("-Xmx64m", "-XX:+HeapDumpOnOutOfMemoryError", f"-XX:HeapDumpPath={dumps}")
    blitz = server.runtime.start("Blitz", "Blitz-0", *options)
    outgrow(server, blitz)
    profile = dumps / f"java_pid{blitz.process.pid}.heap.txt"
    assert stat.S_IMODE(profile.stat().st_mode) == 0o600
    text = profile.read_text()
    assert "limit    -Xmx64m" in text
    assert "failures.py" in text.partition("Where memory ran out")[2].partition("Thread")[0]
    kinds = text.partition("Objects by type")[2].partition("Largest objects")[0]
    assert "builtins.list" in kinds
    assert "bytearray" in text.partition("Largest objects")[2]
    assert "json/__init__.py" in text.partition("Objects by the line that made them")[2]
    assert "correct horse" not in text
    assert f"Heap profile: {profile}" in blitz.log.read_text()


def test_requests_that_fit(server: LiveServer) -> None:
    blitz = server.runtime.start("Blitz", "Blitz-0", "-Xmx64m")
    client = server.local().login()
    for _ in range(30):
        assert client.call("GET", "/images").status == 200
    # A document of two megabytes takes more than fifty.
    answer = client.call("POST", "/tables", {"columns": [], "rows": [[0]] * 500_000})
    assert (answer.status, answer.code) == (503, "tables-unavailable")
    assert blitz.process.poll() is None
