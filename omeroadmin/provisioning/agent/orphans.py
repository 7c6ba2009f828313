"""Programs that go on when their agent is killed: the next run waits for their end, and doesn't work against them."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Callable, Iterator

from omeroadmin.provisioning.agent.change import HostError

_PATIENCE = 120.0
"""Seconds that the next run waits; nobody knows any more how long the program may take."""
_note = ""
"""Where the program that runs is noted; empty while programs only look."""


def note_programs(path: str) -> None:
    """Note each program from now on; the agent does so while it changes the host.

    :param path: a file for the note
    """
    global _note  # noqa: PLW0603 - one agent is one process
    _note = path


@contextlib.contextmanager
def noted() -> "Iterator[Callable[[], None] | None]":
    """Note a program until its end.

    :return: what the new process has to do before it becomes the program: only it can do so at no moment too late
    """
    descriptor = -1
    with contextlib.suppress(OSError):
        if _note:
            descriptor = os.open(_note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if descriptor < 0:
        yield None
        return
    try:
        yield lambda: _note_this_process(descriptor)
    finally:
        os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_note)


def _note_this_process(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.write(descriptor, f"{os.getpid()} {_begin(os.getpid())}\n".encode())


def await_end(path: str) -> None:
    """Wait for the end of the program that a killed agent has left.

    :param path: the file with the note
    :raises HostError: ``host-program-left``
    """
    pid, begin = 0, ""
    with contextlib.suppress(OSError, ValueError), open(path, encoding="ascii") as stream:
        first, begin = stream.read().split()
        pid = int(first)
    deadline = time.monotonic() + _PATIENCE
    while pid and begin and _begin(pid) == begin:
        if time.monotonic() > deadline:
            raise HostError(
                "host-program-left",
                f"a program of a run that was killed still runs here, with process id {pid}",
                f"wait for its end, or end it: kill {pid}",
            )
        time.sleep(0.05)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _begin(pid: int) -> str:
    """When a process began, which tells it from a later one of the same number; empty where it has ended."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            # Its name, in parentheses, may hold anything.
            fields = stream.read().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    return ""
