"""A program on this machine, for ``--local``."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
from collections.abc import Sequence

from omeroadmin.errors import configuration_error

_BLOCK = 1 << 18
_END = 10.0
"""Seconds in which a program ends when its input does; then it is killed."""


class LocalStreams:
    """Streams of a child process: a :class:`~omeroadmin.provisioning.lines.Streams`.

    :param arguments: program and arguments; no secrets, other users can read them
    :raises AdminError: ``program-missing``
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        try:
            self._process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                # Ctrl-C is for us: the program ends between two changes, when its input does.
                process_group=0,
            )
        except OSError as error:
            raise configuration_error(
                "program-missing", f"{arguments[0]} can't be run: {error.strerror}", f"install {arguments[0]}"
            ) from error
        pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._input, self._output, self._errors = (pipe.fileno() for pipe in pipes if pipe is not None)
        for descriptor in (self._input, self._output, self._errors):
            os.set_blocking(descriptor, False)
        self._open = {self._output, self._errors}

    def write(self, content: memoryview) -> int:
        """See :class:`~omeroadmin.provisioning.lines.Streams`, here and below."""
        try:
            return os.write(self._input, content[:_BLOCK])
        except BlockingIOError:
            return 0

    def read(self) -> bytes | None:
        """Read stdout."""
        block = self._read(self._output)
        return block if self._output in self._open or block else None

    def read_errors(self) -> bytes:
        """Read stderr."""
        return self._read(self._errors)

    def _read(self, descriptor: int) -> bytes:
        if descriptor not in self._open:
            return b""
        try:
            block = os.read(descriptor, _BLOCK)
        except BlockingIOError:
            return b""
        if not block:
            self._open.discard(descriptor)
        return block

    def wait(self, seconds: float, *, writing: bool) -> None:
        """Wait for one of the pipes."""
        with selectors.PollSelector() as selector:
            for descriptor in tuple(self._open):
                selector.register(descriptor, selectors.EVENT_READ)
            if writing:
                selector.register(self._input, selectors.EVENT_WRITE)
            selector.select(seconds)

    def is_lost(self) -> bool:
        """Pipes don't get lost."""
        return False

    def status(self, seconds: float) -> int | None:
        """Wait for its end."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def abort(self) -> None:
        """Kill it; one of another user ends with its input."""
        with contextlib.suppress(PermissionError):
            self._process.kill()

    def close(self, *, wait: bool) -> None:
        """End its input and wait for it; what it still says, nobody hears."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        if self.status(_END if wait else 0) is None:
            self.abort()
            self.status(_END)
        if self._process.stderr is not None:
            self._process.stderr.close()
