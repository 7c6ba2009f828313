"""Tells a service manager how a service is, by systemd's notification protocol: datagrams of ``NAME=value`` lines.

Ten lines of protocol, so no library: those that exist are either unmaintained or bind the whole of libsystemd.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import MutableMapping

from omeroadmin.system.clock import monotonic

_SOCKET = "NOTIFY_SOCKET"
_WATCHDOG = "WATCHDOG_USEC"
_WATCHDOG_PID = "WATCHDOG_PID"
_PATIENCE = 1.0
_MICRO = 1_000_000
_LONGEST_STATUS = 500


class Notifier:
    """A connection to the service manager; does nothing where there is none.

    :param address: ``NOTIFY_SOCKET``: a path, or ``@`` and a name without a file; empty: there is no manager
    :param watchdog: seconds within which the manager wants a sign of life each time; ``None``: it doesn't
    """

    def __init__(self, address: str = "", watchdog: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog = watchdog
        self._next_sign = 0.0
        self._status = ""

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> Notifier:
        """The manager that started this process; its variables are removed, since they aren't meant for children.

        PostgreSQL, for one, would take itself for the service and say that it is ready.
        """
        address = environment.pop(_SOCKET, "")
        period, pid = environment.pop(_WATCHDOG, ""), environment.pop(_WATCHDOG_PID, "")
        ours = pid in ("", str(os.getpid()))
        watchdog = int(period) / _MICRO if ours and period.isascii() and period.isdigit() and int(period) else None
        return cls(address if address[:1] in ("/", "@") else "", watchdog)

    @property
    def is_connected(self) -> bool:
        """Whether there is a service manager."""
        return bool(self._address)

    @property
    def watchdog(self) -> float | None:
        """Seconds within which a sign of life is wanted."""
        return self._watchdog

    def ready(self, status: str) -> None:
        """The service is up.

        :param status: one line
        """
        self._status = status
        self._send(f"READY=1\nMAINPID={os.getpid()}\nSTATUS={_line(status)}")

    def status(self, status: str, *, extend: float | None = None) -> None:
        """What the service is doing; sent when it changes.

        :param status: one line
        :param extend: seconds that a start or stop may still take from now on
        """
        if status == self._status:
            return
        self._status = status
        more = "" if extend is None else f"\nEXTEND_TIMEOUT_USEC={round(extend * _MICRO)}"
        self._send(f"STATUS={_line(status)}{more}")

    def stopping(self, status: str) -> None:
        """The service is going down."""
        self._status = status
        self._send(f"STOPPING=1\nSTATUS={_line(status)}")

    def alive(self) -> None:
        """A sign of life; cheap enough to be called often, sent twice as often as is wanted."""
        if self._watchdog is None or monotonic() < self._next_sign:
            return
        self._next_sign = monotonic() + self._watchdog / 2
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A manager that has gone must not take the service with it.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect(self._address)
            connection.send(message.encode())


def _line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_STATUS]
