"""A program at the other end of an SSH connection."""

from __future__ import annotations

import contextlib
import select
import shlex
import time
from collections.abc import Sequence

from omeroadmin.system.ssh import SshConnection

_BLOCK = 1 << 18
_END = 10.0
"""Seconds in which a program ends when its input does."""
_WINDOW = 0.005
"""Seconds between two looks at whether the other side takes more."""


class SshStreams:
    """Streams of a command: a :class:`~omeroadmin.provisioning.lines.Streams`.

    :param arguments: program and arguments; no secrets, other users can read them
    :raises AdminError: as :meth:`omeroadmin.system.ssh.SshConnection.start`
    """

    def __init__(self, connection: SshConnection, arguments: Sequence[str]) -> None:
        self._channel = connection.start(shlex.join(arguments))
        self._channel.setblocking(blocking=False)
        self._transport = self._channel.get_transport()
        self._is_broken = False
        self._poll = select.poll()
        self._poll.register(self._channel.fileno(), select.POLLIN)

    def write(self, content: memoryview) -> int:
        """See :class:`~omeroadmin.provisioning.lines.Streams`, here and below."""
        import paramiko

        try:
            taken = self._channel.send(bytes(content[:_BLOCK]))
        except TimeoutError:
            return 0
        except (EOFError, paramiko.SSHException) as error:
            self._is_broken = True
            raise BrokenPipeError from error
        if not taken and self._channel.closed:
            raise BrokenPipeError
        return taken

    def read(self) -> bytes | None:
        """Read stdout."""
        try:
            return self._channel.recv(_BLOCK) or None
        except TimeoutError:
            return b""

    def read_errors(self) -> bytes:
        """Read stderr."""
        try:
            return self._channel.recv_stderr(_BLOCK)
        except TimeoutError:
            return b""

    def wait(self, seconds: float, *, writing: bool) -> None:
        """Wait for what comes; that more can be sent is only found by looking."""
        if writing:
            time.sleep(min(seconds, _WINDOW))
        else:
            self._poll.poll(seconds * 1000)

    def is_lost(self) -> bool:
        """Whether the connection has ended."""
        return self._is_broken or not self._transport.is_active()

    def status(self, seconds: float) -> int | None:
        """Wait for its end."""
        if not self._channel.status_event.wait(seconds) or not self._channel.exit_status_ready():
            return None
        status = self._channel.recv_exit_status()
        return None if status < 0 else status

    def abort(self) -> None:
        """End the whole connection: what is stuck below a channel can't be ended otherwise."""
        self._transport.close()

    def close(self, *, wait: bool) -> None:
        """End its input and wait for it."""
        with contextlib.suppress(OSError, EOFError):
            self._channel.shutdown_write()
            if wait and not self.is_lost():
                self.status(_END)
            self._channel.close()
