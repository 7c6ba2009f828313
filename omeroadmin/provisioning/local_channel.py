"""A program on this machine as a channel, for ``--local``."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import tempfile
from collections import deque
from collections.abc import Sequence

from omeroadmin.errors import configuration_error, unreachable_error

_BLOCK = 1 << 18
_END = 10.0
"""Seconds in which a program ends when its input does; then it is killed."""


class LocalChannel:
    """Lines to and from a child process."""

    name = "this machine"

    def __init__(self, arguments: Sequence[str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the channel
        try:
            self._process = subprocess.Popen(
                list(arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0
            )
        except OSError as error:
            raise configuration_error("program-missing", f"{arguments[0]} can't be run: {error.strerror}") from error
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout.fileno(), selectors.EVENT_READ)  # type: ignore[union-attr]
        self._lines: deque[bytes] = deque()
        self._rest = bytearray()

    def send(self, content: bytes) -> None:
        """Write to the program's standard input."""
        try:
            view = memoryview(content)
            while view:
                view = view[self._process.stdin.write(view) or 0 :]  # type: ignore[union-attr]
        except OSError as error:
            raise unreachable_error("host-lost", f"the agent on {self.name} has ended: {self.last_words()}") from error

    def receive(self, timeout: float) -> bytes | None:
        """The next line of its standard output; ``None`` when it has ended."""
        while not self._lines:
            if not self._selector.select(timeout):
                raise unreachable_error("host-silent", f"{self.name} said nothing for {timeout:g} seconds")
            block = os.read(self._process.stdout.fileno(), _BLOCK)  # type: ignore[union-attr]
            if not block:
                return None
            self._rest += block
            *whole, rest = bytes(self._rest).split(b"\n")
            self._lines.extend(whole)
            self._rest = bytearray(rest)
        return self._lines.popleft()

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 4096))
        lines = self._errors.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "(no output)")

    def close(self) -> None:
        """End its input and wait for it."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]
        self._selector.close()
        self._errors.close()
