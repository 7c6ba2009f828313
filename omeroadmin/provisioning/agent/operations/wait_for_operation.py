"""``wait-for``: what must be so before the next operation: a port that answers, a path, a program that succeeds."""

from __future__ import annotations

import os
import shlex
import socket
import time

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish
from omeroadmin.provisioning.agent.running import run

_ATTEMPT = 5.0
"""Seconds that a connection may take."""


def facts(wish: Wish) -> Facts:
    """Whether it is so now."""
    return {"so": _is_so(wish, _ATTEMPT)}


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Wait, where it isn't so yet. Waiting alters nothing."""
    return [] if facts["so"] else [Change("wait", f"wait until {_words(wish)}", waits=True)]


def apply(wish: Wish, change: Change) -> Undo | None:  # noqa: ARG001 - every operation takes both
    """Wait until it is so.

    :raises HostError: ``host-wait-timeout``
    """
    deadline = time.monotonic() + wish["timeout"]
    while True:
        left = deadline - time.monotonic()
        if _is_so(wish, max(0.1, min(left, _ATTEMPT if wish["port"] else left))):
            return None
        if time.monotonic() + wish["interval"] >= deadline:
            raise HostError(
                "host-wait-timeout",
                f"after {wish['timeout']:g} seconds it still isn't so that {_words(wish)}",
                "look at the log of what should make it so, or set a longer timeout",
            )
        time.sleep(wish["interval"])


def _is_so(wish: Wish, patience: float) -> bool:
    if wish["port"]:
        there = _answers(wish["address"], int(wish["port"]), patience)
    elif wish["path"]:
        there = os.path.lexists(wish["path"])
    else:
        there = _succeeds(wish, patience)
    wanted: bool = wish["state"] == "present"
    return there == wanted


def _answers(address: str, port: int, patience: float) -> bool:
    try:
        with socket.create_connection((address, port), patience):
            return True
    except OSError:
        return False


def _succeeds(wish: Wish, patience: float) -> bool:
    try:
        return run([str(word) for word in wish["command"]], timeout=patience, user=wish["user"]).status == 0
    except HostError:
        # Not there yet, or too slow now.
        return False


def _words(wish: Wish) -> str:
    present = wish["state"] == "present"
    if wish["port"]:
        return f"{wish['address']}:{wish['port']} {'answers' if present else 'answers no more'}"
    if wish["path"]:
        return f"{wish['path']} {'is there' if present else 'is gone'}"
    return f"{shlex.join(str(word) for word in wish['command'])} {'succeeds' if present else 'fails'}"
