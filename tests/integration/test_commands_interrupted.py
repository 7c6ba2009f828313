"""Ctrl-C: one line on stderr says what was interrupted and what that leaves, and the status is 130."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.omero import Omero

DONE = "what was complete by then stays and nothing is half-done; it can be run again"
IMPORTED = "filesets that were complete stay; omero import --exclude clientpath leaves out what the server has"
LOADED = "commands:2: db check ended with 130; what comes after it was not run."


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        yield listener


@pytest.fixture
def omero(tmp_path: Path, silent: socket.socket) -> Omero:
    omero = Omero(tmp_path, extra={"OMERO_PASSWORD": "secret"})
    (omero.omerodir / "etc" / "grid").mkdir(parents=True)
    for name, value in (("host", "127.0.0.1"), ("port", str(silent.getsockname()[1])), ("user", "x"), ("name", "x")):
        omero.ok("config", "set", f"omero.db.{name}", value)
    return omero


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("db check", f"Interrupted: omero db check; {DONE}\n"),
        ("user list -s 127.0.0.1:{port} -u root", f"Interrupted: omero user list; {DONE}\n"),
        (
            "import -s 127.0.0.1:{port} -u root picture.png",
            f"Interrupted: omero import; {IMPORTED}\n",
        ),
        (
            "load commands",
            f"Interrupted: omero db check; {DONE}\n{LOADED}\n",
        ),
    ],
)
def test_interrupted_while_a_server_is_waited_for(omero: Omero, silent: socket.socket, words: str, line: str) -> None:
    (omero.home / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (omero.home / "commands").write_text("version\ndb check\nconfig set omero.db.name y\n")
    command = words.format(port=silent.getsockname()[1]).split()
    with subprocess.Popen(
        [sys.executable, "-m", "omeroadmin", *command],
        env=omero.environment, cwd=omero.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        connection.close()
    assert (process.returncode, errors) == (130, line), output
    assert omero.ok("config", "get", "omero.db.name") == "x\n"
