"""Sessions of ``omero admin ice`` with embedded nodes, word for word those of icegridadmin 3.7.8."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.system.clock import monotonic
from tests.support.grid import Grid
from tests.support.omero import Omero

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "grid"
SERVERS = {"Blitz-0": "ok", "Tables-0": "optional", "TestDropBox": "manual:ok", "node1/Processor-1": "ok"}
SESSIONS = ("describe", "help", "refused", "servers")


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    grid = Grid(tmp_path_factory.mktemp("ice"), {})
    secrets = {"Blitz-0": {"omero.db.pass": "s3cret", "omero.db.host": "localhost"}}
    grid.describe(SERVERS, 'deactivation-timeout="3"', secrets)
    grid.launch()
    yield grid
    grid.stop()


@pytest.fixture
def omero(grid: Grid) -> Omero:
    grid.wait_active("Blitz-0")
    grid.wait("Tables-0", lambda server: not server.enabled)
    return Omero(grid.instance.omerodir.parent)


def neutral(text: str, grid: Grid) -> str:
    """A session without what is another each time."""
    text = text.replace(str(grid.instance.omerodir), "OMERODIR").replace(sys.executable, "PYTHON")
    text = re.sub(r"PYTHONPATH=[^ ']+", "PYTHONPATH=CHECKOUT", text)
    text = re.sub(r"pid = \d+", "pid = 123", text)
    text = re.sub(r"(?m)^\d+$", "123", text)
    text = re.sub(r"`20\d\d-[^']*'", "`TIME'", text)
    return re.sub(r"(host name|release|version|machine type|number of threads) = `[^']*'", r"\1 = `…'", text)


@pytest.mark.parametrize("name", SESSIONS)
def test_sessions(grid: Grid, omero: Omero, name: str) -> None:
    """Each line of a session, and what it answers: stdout, stderr, and the status where it isn't 0."""
    golden = GOLDEN / f"ice-{name}.txt"
    blocks: list[str] = []
    for line in golden.read_text().splitlines():
        if line.startswith("$ "):
            done = omero.run("admin", "ice", "-e", line[2:])
            status = f"[{done.returncode}]\n" if done.returncode else ""
            blocks.append(f"{line}\n{done.stdout}{done.stderr}{status}")
    found = neutral("".join(blocks), grid)
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(found)
    assert found == golden.read_text()


def test_words_without_quotes(omero: Omero) -> None:
    assert omero.ok("admin", "ice", "server", "state", "TestDropBox") == "inactive (enabled)\n"
    assert omero.ok("admin", "ice", "node ping master; registry ping Master") == "node is up\nregistry is up\n"


def test_start_and_stop(grid: Grid, omero: Omero) -> None:
    omero.ok("admin", "ice", "server", "start", "TestDropBox")
    pid = grid.server("TestDropBox").pid
    assert omero.ok("admin", "ice", "server pid TestDropBox") == f"{pid}\n"
    done = omero.run("admin", "ice", "server start TestDropBox")
    assert (done.returncode, done.stderr) == (
        1,
        "error: the server didn't start successfully:\nThe server is already active.\n",
    )
    omero.ok("admin", "ice", "server signal TestDropBox SIGTERM")
    grid.wait("TestDropBox", lambda server: server.pid is None)
    before = grid.server("Blitz-0").pid
    omero.ok("admin", "ice", "server disable Blitz-0; server stop Blitz-0")
    assert grid.server("Blitz-0").describe() == "inactive (disabled)"
    done = omero.run("admin", "ice", "server start Blitz-0")
    assert done.stderr == "error: the server didn't start successfully:\nThe server is disabled.\n"
    omero.ok("admin", "ice", "server enable Blitz-0")
    assert grid.wait_active("Blitz-0").pid != before


def test_input_that_nobody_types(omero: Omero) -> None:
    """As icegridadmin, a session goes on after an error; its status says that there was one."""
    done = omero.run("admin", "ice", input_text="server state Nix\n\nserver state TestDropBox\nexit\nserver list\n")
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "inactive (enabled)\n",
        "error: couldn't find server `Nix'\n",
    )


def read_until(terminal: int, text: bytes) -> bytes:
    found, deadline = b"", monotonic() + 30
    while text not in found and monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            found += os.read(terminal, 4096)
    assert text in found, found
    return found


def test_a_prompt_with_completion_and_history(omero: Omero) -> None:
    terminal, theirs = pty.openpty()
    arguments = [sys.executable, "-m", "omeroadmin", "admin", "ice"]
    environment = {**omero.environment, "TERM": "dumb"}
    session = subprocess.Popen(
        arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    try:
        read_until(terminal, b">>> ")
        os.write(terminal, b"node pi\tmaster\n")
        read_until(terminal, b"node is up")
        os.write(terminal, b"server state 'no such'\n")
        # The end of input counts at the prompt only.
        read_until(terminal, b"error: couldn't find server `no such'\r\n>>> ")
        os.write(terminal, b"\x04")
        assert session.wait(timeout=30) == 0
    finally:
        session.kill()
        session.wait()
        os.close(terminal)
    history = omero.home / "omero" / "ice_history"
    assert "node ping master" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0


def test_no_grid(tmp_path: Path) -> None:
    omero = Omero(tmp_path)
    (omero.omerodir / "etc/grid").mkdir(parents=True)
    for arguments in (["server", "list"], ["server list; node list"], []):
        done = omero.run("admin", "ice", *arguments)
        assert (done.returncode, "no node daemon answers" in done.stderr) == (4, True), done.stderr
