"""Hears of changes from OMERO.IceStorm, and says when to look for oneself because nobody told."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.runtime.kernel.endpoint import GridEndpoint, Service
from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.schema.instance import Instance
from omeroadmin.system import sockets

SOCKET_NAME = "OMERO.IceStorm.sock"
"""Name below ``var/run``."""
_MAXIMUM_LINE = 64 * 1024
_SECONDS = 2.0


@dataclass(frozen=True)
class Event:
    """One change in the database.

    :param entity: OMERO's type, e.g. ``Image``
    :param id: its id
    :param action: ``INSERT``, ``UPDATE``, ``DELETE``, ``PIXELDATA`` …
    :param eventlog: id of the row in eventlog
    """

    entity: str
    id: int
    action: str
    eventlog: int


def parse_event(line: str | bytes) -> Event | None:
    """An event from a line of JSON; ``None`` where the line is none."""
    try:
        data = json.loads(line)
        return Event(str(data["entity"]), int(data["id"]), str(data["action"]), int(data["eventlog"]))
    except (ValueError, KeyError, TypeError):
        return None


class Events:
    """A subscription that outlives the broker: it reconnects, and meanwhile asks its owner to poll.

    Iterating gives an :class:`Event` for each change, and ``None`` where the owner shall look for itself: after each
    (re)connection, because events may have been missed, and when nothing was heard for ``poll`` seconds.
    The iteration ends when the server shall stop.

    :param poll: seconds
    :param endpoint: the way to OMERO.IceStorm where it has no socket on this host
    """

    def __init__(
        self, instance: Instance, stop: Stop, *, poll: float = 5.0, endpoint: GridEndpoint | None = None
    ) -> None:
        self._path: Path = instance.run_directory / SOCKET_NAME
        self._stop = stop
        self._poll = poll
        self._endpoint = endpoint
        self._connection: socket.socket | None = None
        self._buffer = b""

    @property
    def connected(self) -> bool:
        """Whether the broker is there now."""
        return self._connection is not None

    def __iter__(self) -> Iterator[Event | None]:
        pause = 0.1
        try:
            while not self._stop.requested:
                if self._connection is None and self._connect():
                    pause = 0.1
                    yield None
                if self._connection is None:
                    pause = min(pause * 2, self._poll)
                    self._stop.wait(pause)
                    yield None
                    continue
                yield from self._receive()
        finally:
            self._disconnect()

    def _connect(self) -> bool:
        try:
            self._connection = self._open()
        except OSError:
            return False
        self._buffer = b""
        return True

    def _open(self) -> socket.socket:
        try:
            return sockets.connect_unix(self._path, timeout=_SECONDS)
        except OSError:
            if self._endpoint is None:
                raise
        return self._endpoint.connect(Service.EVENTS, timeout=_SECONDS)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _receive(self) -> Iterator[Event | None]:
        assert self._connection is not None  # noqa: S101 - for the type checker; the caller has looked
        if not _has_more(self._connection):
            readable, _, _ = select.select([self._connection.fileno(), self._stop.fileno()], [], [], self._poll)
            if self._stop.fileno() in readable:
                return
            if not readable:
                yield None
                return
        data = b""
        with contextlib.suppress(OSError):
            data = self._connection.recv(65536)
        if not data or len(self._buffer) > _MAXIMUM_LINE:
            self._disconnect()
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            event = parse_event(line)
            if event is not None:
                yield event


def _has_more(connection: socket.socket) -> bool:
    """Whether TLS holds bytes that ``select`` knows nothing of."""
    return isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
