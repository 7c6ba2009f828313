"""Lines over the streams of a program, wherever it runs: deadlines, no deadlock, bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from typing import Protocol

from omeroadmin.errors import AdminError, failed_error, printable, unreachable_error
from omeroadmin.system.clock import monotonic

_PATIENCE = 60.0
"""Seconds that a program may take no byte of what is sent."""
_SLOWEST = 20_000
"""Bytes per second below which a connection is of no use."""
_LARGE = 1 << 18
_MOST = 1 << 27
"""Bytes that a message may have, and that may wait to be read."""
_LAST = 1 << 13
"""Bytes of stderr that are kept."""
_LOOK = 1.0
"""Seconds after which a connection that is waited for is looked at."""


class Streams(Protocol):
    """Standard input, output and error of a program. Nothing but :meth:`wait` and :meth:`status` ever waits."""

    def write(self, content: memoryview) -> int:
        """Write what is taken just now.

        :return: bytes taken
        :raises OSError: if the program takes no more, ever
        """
        ...

    def read(self) -> bytes | None:
        """What has come on stdout; ``None`` at its end."""
        ...

    def read_errors(self) -> bytes:
        """What has come on stderr."""
        ...

    def wait(self, seconds: float, *, writing: bool) -> None:
        """Wait until something can be read, or written; not for longer than this."""
        ...

    def is_lost(self) -> bool:
        """Whether the way to the program is cut."""
        ...

    def status(self, seconds: float) -> int | None:
        """The exit status, if the program ends within so many seconds."""
        ...

    def abort(self) -> None:
        """Hang up, whatever another thread is doing just now."""
        ...

    def close(self, *, wait: bool) -> None:
        """End the program's input, wait for its end for a while, if wished, and let go of it."""
        ...


class LineChannel:
    """A :class:`~omeroadmin.provisioning.channel.Channel`.

    One thread receives; any thread may send, one at a time. While a program doesn't read, what it says is read: both
    sides may have much to say at the same time.

    :param name: the other side, for messages
    """

    def __init__(self, name: str, streams: Streams) -> None:
        self.name = name
        self._streams = streams
        self._reading = threading.Lock()
        self._lines: deque[bytes] = deque()
        self._parts: list[bytes] = []
        self._waiting = 0
        self._heard = 0
        self._errors = b""
        self.ended = False

    def send(self, content: bytes) -> None:
        """Write to the program's standard input.

        :raises AdminError: ``host-lost``, ``host-silent``
        """
        if len(content) < _LARGE:
            self._send(content)
            return
        # Encrypting and queueing are done by a library that waits as long as the line below it stands.
        guard = threading.Timer(_PATIENCE + len(content) / _SLOWEST, self._streams.abort)
        guard.start()
        try:
            self._send(content)
        finally:
            guard.cancel()

    def _send(self, content: bytes) -> None:
        view, deadline = memoryview(content), monotonic() + _PATIENCE
        while view:
            try:
                taken = self._streams.write(view)
            except OSError as error:
                self.pull()
                raise self.lost() from error
            if taken:
                view, deadline = view[taken:], monotonic() + _PATIENCE
                continue
            self.pull()
            if monotonic() >= deadline:
                raise unreachable_error("host-silent", f"{self.name} took nothing for {_PATIENCE:g} seconds")
            if self.ended or self._streams.is_lost():
                raise self.lost()
            self._streams.wait(_LOOK, writing=True)

    def receive(self, timeout: float) -> bytes | None:
        """The next line of its standard output, without the line end; ``None`` when it has ended.

        :param timeout: seconds without a byte
        :raises AdminError: ``host-silent``, ``host-lost``, ``host-message-too-long``
        """
        deadline, heard = monotonic() + timeout, self._heard
        while (line := self.next_line()) is None:
            if self.ended:
                return None
            if self._heard != heard:
                # A long message is on its way.
                deadline, heard = monotonic() + timeout, self._heard
            remaining = deadline - monotonic()
            if remaining <= 0:
                raise unreachable_error("host-silent", f"{self.name} said nothing for {timeout:g} seconds")
            self.wait(remaining)
        return line

    def next_line(self) -> bytes | None:
        """A line that has come; ``None`` if there is none yet.

        :raises AdminError: ``host-message-too-long``
        """
        if not self._lines:
            self.pull()
        with self._reading:
            if self._lines:
                line = self._lines.popleft()
                self._waiting -= len(line)
                return line
            if self._waiting > _MOST:
                raise failed_error(
                    "host-message-too-long", f"{self.name} sent more than {_MOST >> 20} MB in one message"
                )
        return None

    def wait(self, seconds: float) -> None:
        """Wait until something has come, but no longer than this.

        :raises AdminError: ``host-lost``
        """
        self._streams.wait(min(seconds, _LOOK), writing=False)
        if self._streams.is_lost():
            self.pull()
            if not self._lines:
                raise self.lost()

    def pull(self) -> None:
        """Take what has come; never waits."""
        with self._reading:
            self._errors = (self._errors + self._streams.read_errors())[-_LAST:]
            while not self.ended and self._waiting <= _MOST:
                block = self._streams.read()
                if block is None:
                    self.ended = True
                elif block:
                    self._take(block)
                else:
                    return

    def _take(self, block: bytes) -> None:
        self._waiting += len(block)
        self._heard += len(block)
        *whole, rest = block.split(b"\n")
        if whole:
            whole[0] = b"".join((*self._parts, whole[0]))
            self._parts.clear()
            self._waiting -= len(whole)
            self._lines.extend(whole)
        if rest:
            self._parts.append(rest)

    def errors(self) -> bytes:
        """The end of what it wrote to standard error."""
        return self._errors

    def forget_errors(self) -> None:
        """What was written to standard error so far isn't worth telling."""
        with self._reading:
            self._errors = b""

    def rest(self) -> bytes:
        """The beginning of a line whose end hasn't come."""
        with self._reading:
            return b"".join(self._parts)

    def last_words(self) -> str:
        """The last line that it wrote to standard error."""
        self.pull()
        lines = self._errors.decode(errors="replace").splitlines()
        return printable(next((line.strip() for line in reversed(lines) if line.strip()), "(no output)"))

    def status(self, seconds: float) -> int | None:
        """The exit status, if the program ends within so many seconds."""
        return self._streams.status(seconds)

    def lost(self) -> AdminError:
        """The one line for a program that is gone, or the way to it."""
        if self._streams.is_lost():
            return unreachable_error("host-lost", f"the connection to {self.name} broke", "run it again")
        return unreachable_error("host-lost", f"{self.name}: the agent ended: {self.last_words()}", "run it again")

    def close(self, *, wait: bool = True) -> None:
        """Hang up. The program sees the end of its input.

        :param wait: whether it gets some time to end
        """
        self._streams.close(wait=wait)
