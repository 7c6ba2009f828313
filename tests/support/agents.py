"""Agents of this machine for tests: as this user, or as root of a host that has /etc and /home of its own."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omeroadmin.provisioning.launch import AgentChannel, Rights
from omeroadmin.provisioning.local_streams import LocalStreams
from omeroadmin.provisioning.operations.catalog import complete
from omeroadmin.provisioning.session import AgentSession

_SEPARATE = """
for place in etc home run var/lib; do mount --bind "$1/$place" "/$place" || exit 1; done
shift; exec "$@"
"""


class Worker:
    """Carries out operations by an agent, each call as a run of its own."""

    def __init__(self, session: AgentSession) -> None:
        self.session = session
        self.run = ""
        self._name = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def facts(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Facts of one operation."""
        facts: dict[str, Any] = self.session.facts([self.wish(kind, **fields)])["0"]["facts"]
        return facts

    def apply(self, *wishes: dict[str, Any]) -> list[str]:
        """Apply wishes; words of the changes.

        :raises AssertionError: with code and message where an operation failed
        """
        told = self.messages(*wishes)
        failed = [message["error"] for message in told if message["state"] == "failed"]
        assert not failed, f"{failed[0]['code']}: {failed[0]['message']}"
        return [change["words"] for message in told for change in message.get("changes", [])]

    def failure(self, *wishes: dict[str, Any]) -> dict[str, str]:
        """The error that applying ends with."""
        error: dict[str, str] = self.messages(*wishes)[-1]["error"]
        return error

    def messages(self, *wishes: dict[str, Any]) -> list[dict[str, Any]]:
        """Apply wishes; all that the agent said of them."""
        told: list[dict[str, Any]] = []
        self.run = f"{self._name}-{next(self._numbers)}"
        numbered = [{**wish, "key": str(number)} for number, wish in enumerate(wishes)]
        self.session.apply(self.run, "test", "stage", numbered, (), told.append)
        return told

    def undo(self) -> list[str]:
        """Take the last call's changes back; words of what was done."""
        told: list[dict[str, Any]] = []
        self.session.undo(f"undo-{self.run}", "test", self.run, (), told.append)
        return [message["words"] for message in told]

    @staticmethod
    def wish(kind: str, **fields: Any) -> dict[str, Any]:
        """A wish with its defaults, as it goes to an agent."""
        return {**complete(kind, **fields), "key": "0"}


def telling_pid(file: Path) -> tuple[str, ...]:
    """What an agent is started by where a test must know its process id."""
    return ("sh", "-c", 'echo $$ > "$0"; exec "$@"', str(file))


def with_own_state() -> tuple[str, ...]:
    """What starts an agent so that its state is in HOME, root's as well, and not this machine's."""
    if os.geteuid() != 0:
        return ()
    places = [Path(os.environ["HOME"]) / name for name in (".local/state", ".run")]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    mounting = 'mount --bind "$0" /var/lib && mount --bind "$1" /run && shift && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", mounting, *(str(place) for place in places))


def with_kept_state(directory: Path) -> tuple[str, ...]:
    """The same, for several agents one after the other: the state is in a directory."""
    if os.geteuid() != 0:
        return ()
    for name in ("lib", "run"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    mounting = 'mount --bind "$0/lib" /var/lib && mount --bind "$0/run" /run && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", mounting, str(directory))


@contextmanager
def worker(before: Sequence[str] = (), python: str = sys.executable) -> Iterator[Worker]:
    """A worker with a session of its own.

    :param before: what the agent's Python is started by
    """
    session = AgentSession(
        AgentChannel("here", python, Rights(), lambda arguments: LocalStreams([*before, *arguments]))
    )
    try:
        yield Worker(session)
    finally:
        session.close()


@contextmanager
def worker_apart(root: Path, before: Sequence[str] = ()) -> Iterator[Worker]:
    """A worker that is root where /etc, /home, /run and /var/lib are copies or empty directories below ``root``.

    :param before: what all of it is started by
    """
    if not (root / "etc").exists():
        shutil.copytree("/etc", root / "etc", symlinks=True)
        for place in ("home", "run", "var/lib"):
            (root / place).mkdir(parents=True)
    with worker((*before, "unshare", "--mount", "sh", "-c", _SEPARATE, "sh", str(root))) as found:
        yield found


def leftovers(directory: Path) -> list[str]:
    """Temporaries of agents below a directory."""
    done = subprocess.run(
        ["find", str(directory), "-name", ".*.omeroadmin-new*"], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.splitlines()
