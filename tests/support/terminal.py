"""A command on a terminal of its own: what it shows is waited for, and answered."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
from collections.abc import Iterator, Mapping, Sequence
from time import monotonic

DEADLINE = 20.0
"""Seconds to wait for anything."""


class Terminal:
    """The terminal's other end.

    :param pid: of the command
    """

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self._descriptor = descriptor
        self._status: int | None = None
        self.shown = ""

    def expect(self, words: str) -> None:
        """Wait until the command has shown something more than what was waited for before."""
        deadline = monotonic() + DEADLINE
        while words not in self.shown:
            left = deadline - monotonic()
            ready, _, _ = select.select([self._descriptor], [], [], max(left, 0))
            data = self._read() if ready else b""
            assert data, f"{words!r} was not shown, but: {self.shown!r}"
            self.shown += data.decode()
        self.shown = self.shown.partition(words)[2]

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._descriptor, text.encode())

    def end(self) -> int:
        """Wait for the end of the command.

        :return: its exit status
        """
        deadline = monotonic() + DEADLINE
        while select.select([self._descriptor], [], [], max(deadline - monotonic(), 0))[0]:
            data = self._read()
            if not data:
                return self._reap()
            self.shown += data.decode()
        raise AssertionError(f"the command didn't end: {self.shown!r}")

    def close(self) -> None:
        """End the command, whatever it is doing."""
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._reap()
        os.close(self._descriptor)

    def _reap(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, 65536)
        except OSError:  # how Linux says that the other end is closed
            return b""


@contextlib.contextmanager
def on_terminal(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a command on a terminal."""
    pid, descriptor = pty.fork()
    if pid == 0:
        try:
            os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 - there is none in between
        finally:
            os._exit(127)
    terminal = Terminal(pid, descriptor)
    try:
        yield terminal
    finally:
        terminal.close()
