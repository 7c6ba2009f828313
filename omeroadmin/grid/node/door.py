"""Holds the socket of a server that is started on demand: whoever knocks first has it started, and is let in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from pathlib import Path

from omeroadmin.system.sockets import listen_unix, short_address

_CHUNK = 65536
_log = logging.getLogger("node")


class Door:
    """The local endpoint of a server while it doesn't run.

    Connections wait here until the server is ready; its own socket then takes the place of this one, and those that
    waited are passed through to it.

    :param path: the server's socket
    :param knocked: called when somebody waits
    """

    def __init__(self, path: Path, knocked: Callable[[], None]) -> None:
        self._path = path
        self._knocked = knocked
        self._listener: socket.socket | None = None
        self._visits: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Listen, unless somebody is waiting already.

        :raises OSError: as the system says
        """
        if self._listener is None:
            self._listener = listen_unix(self._path)
            self._listener.setblocking(False)
            asyncio.get_running_loop().add_reader(self._listener, self._knock)

    def close(self) -> None:
        """Turn away whoever waits, and all others."""
        if self._listener is not None:
            self._shut()
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    def hand_over(self) -> None:
        """Let those in who wait: the server listens at the path by itself now."""
        if self._listener is None:
            return
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self._listener.accept()
                visit = asyncio.get_running_loop().create_task(_pass_through(visitor, self._path))
                self._visits.add(visit)
                visit.add_done_callback(self._visits.discard)
        self._shut()

    def _knock(self) -> None:
        # It stays open: who knocks while the server starts waits as well.
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
        self._knocked()

    def _shut(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None


async def _pass_through(visitor: socket.socket, path: Path) -> None:
    """Pass bytes both ways until either side has gone."""
    writers = []
    try:
        visitor.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=visitor)
        writers.append(writer)
        with short_address(path) as address:
            inner_reader, inner_writer = await asyncio.open_unix_connection(address)
        writers.append(inner_writer)
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
    except OSError as error:
        _log.warning("a connection to %s was lost: %s", path.name, error)
    finally:
        for one in writers:
            one.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
