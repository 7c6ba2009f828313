"""The seam between a session and a program that runs on a host."""

from __future__ import annotations

from typing import Protocol


class Channel(Protocol):
    """Lines to and from a program: one on this machine, or one at the end of a connection."""

    @property
    def name(self) -> str:
        """The other side, for messages."""
        ...

    def send(self, content: bytes) -> None:
        """Write to the program's standard input; one thread at a time.

        :raises AdminError: ``host-lost``, ``host-silent``
        """
        ...

    def receive(self, timeout: float) -> bytes | None:
        """The next line of its standard output, without the line end; ``None`` when it has ended.

        :param timeout: seconds without a byte
        :raises AdminError: ``host-silent``, ``host-lost``, and the first time for what kept the agent from its start
        """
        ...

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        ...

    def close(self, *, wait: bool = True) -> None:
        """Hang up. The program sees the end of its input.

        :param wait: whether it gets some time to end
        """
        ...
