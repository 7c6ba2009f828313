"""The part of systemd that hears what services tell: a datagram socket."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from omeroadmin.system.clock import monotonic


class ServiceManager:
    """Hears one service.

    :param address: value of ``NOTIFY_SOCKET``
    """

    def __init__(self, address: str, listener: socket.socket) -> None:
        self.address = address
        self.heard: list[dict[str, str]] = []
        self._listener = listener

    def hear(self, timeout: float) -> dict[str, str]:
        """The next message.

        :raises TimeoutError: if none comes
        """
        self._listener.settimeout(max(timeout, 0.001))
        pairs = (line.partition("=") for line in self._listener.recv(65536).decode().splitlines())
        self.heard.append({name: value for name, _, value in pairs})
        return self.heard[-1]

    def hear_until(self, name: str, timeout: float = 60) -> dict[str, str]:
        """The next message with a variable."""
        deadline = monotonic() + timeout
        while True:
            message = self.hear(deadline - monotonic())
            if name in message:
                return message

    def hear_rest(self) -> None:
        """All that was sent already."""
        with contextlib.suppress(TimeoutError):
            while True:
                self.hear(0.001)

    @property
    def statuses(self) -> list[str]:
        """What ``systemctl status`` would have shown, one after the other."""
        return [message["STATUS"] for message in self.heard if "STATUS" in message]


@contextlib.contextmanager
def service_manager(directory: Path | None) -> Iterator[ServiceManager]:
    """A manager with a socket in a directory.

    :param directory: ``None``: a socket without a file
    """
    name = f"omero-test-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}" if directory is None else str(directory / "notify"))
        yield ServiceManager(f"@{name}" if directory is None else str(directory / "notify"), listener)
