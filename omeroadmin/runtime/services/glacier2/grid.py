"""The grid's endpoint: lets servers of other hosts through to the local sockets that they would use on this one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.endpoint import GREETING, LONGEST_LINE, READY, GridEndpoint, Service, watch_link
from omeroadmin.runtime.kernel.events import SOCKET_NAME
from omeroadmin.runtime.services.glacier2.backends import Backends, Streams, open_first
from omeroadmin.runtime.services.glacier2.endpoints import Endpoint, listen

_BUFFER = 64 * 1024
_CLOSE_SECONDS = 2.0
_SECONDS_BETWEEN_WARNINGS = 10.0


@dataclass(frozen=True)
class GridLimits:
    """What the other side may take.

    :param greeting: seconds for TLS, and again for the line that follows
    :param idle: seconds between two requests, and until a request is answered
    :param stall: seconds until it reads what it is sent
    :param connections: at once
    :param strangers: at once that haven't shown the token yet
    """

    greeting: float = 10
    idle: float = 900
    stall: float = 60
    connections: int = 256
    strangers: int = 32


class GridListener:
    """Connections of servers on other hosts."""

    def __init__(self, context: ServiceContext, endpoint: GridEndpoint, limits: GridLimits | None = None) -> None:
        self._context = context
        self._endpoint = endpoint
        self._limits = limits or GridLimits()
        self._backends = Backends(context.instance.run_directory)
        self._log = context.logger("grid")
        self._tasks: set[asyncio.Task[None]] = set()
        self._strangers = 0
        self._warned = float("-inf")

    async def listen(self, tls: ssl.SSLContext) -> asyncio.Server:
        """Listen at the endpoint's address.

        :raises AdminError: ``port-taken``, ``address-invalid``
        """
        address = Endpoint("ssl", self._endpoint.host, self._endpoint.port)
        server = await asyncio.start_server(
            self._accept,
            sock=listen(address, ipv6=True),
            ssl=tls,
            limit=_BUFFER,
            ssl_handshake_timeout=self._limits.greeting,
            ssl_shutdown_timeout=_CLOSE_SECONDS,
        )
        self._context.health.add_source(lambda: {"grid_connections": len(self._tasks)})
        self._context.log.info("Listening on %s for servers on other hosts", address)
        return server

    async def close(self) -> None:
        """End all connections; the servers behind them come again."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= self._limits.connections or self._strangers >= self._limits.strangers:
            self._context.health.count("grid_refused")
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker; this is a coroutine
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        except Exception:  # the boundary of a connection
            self._context.log.exception("A connection ended by an unexpected error")
        finally:
            await _close(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket | None = writer.get_extra_info("socket")
        if connection is not None:
            with contextlib.suppress(OSError):
                watch_link(connection)
        self._strangers += 1
        try:
            service = await self._greet(reader, writer)
        finally:
            self._strangers -= 1
        if service is None:
            self._refuse(writer)
            return
        try:
            behind = await self._open(service)
        except AdminError as error:
            writer.write(f"{error.message}\n".encode()[:LONGEST_LINE])
            return
        try:
            writer.write(READY)
            await self._pass_on((reader, writer), behind, idle=None if service is Service.EVENTS else self._limits.idle)
        finally:
            await _close(behind[1])

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Service | None:
        """What a peer that knows the token asks for."""
        async with asyncio.timeout(self._limits.greeting):
            line = await _read_line(reader)
        words = line.decode("utf-8", "replace").split(" ")
        if len(words) != 3 or words[0] != GREETING or not self._endpoint.is_admitted(words[1]):
            peer = writer.get_extra_info("peername")
            self._warn(f"{peer[0] if peer else 'A peer'} doesn't know the grid's token and is refused")
            return None
        try:
            return Service(words[2].rstrip("\n"))
        except ValueError:
            return None

    def _refuse(self, writer: asyncio.StreamWriter) -> None:
        self._context.health.count("grid_refused")
        writer.write(b"refused\n")

    def _warn(self, message: str) -> None:
        """Whoever knocks again and again must not fill the log."""
        now = time.monotonic()
        if now - self._warned >= _SECONDS_BETWEEN_WARNINGS:
            self._warned = now
            self._log.warning("%s", message)

    async def _open(self, service: Service) -> Streams:
        _, streams = await open_first(_SOCKETS[service](self._backends, self._context.instance.run_directory))
        return streams

    async def _pass_on(self, outside: Streams, inside: Streams, *, idle: float | None) -> None:
        """Copy in both directions until either side ends, or both are silent for too long."""
        moved = asyncio.Event()
        copies = [
            asyncio.create_task(_copy(outside[0], inside[1], moved, self._limits.stall)),
            asyncio.create_task(_copy(inside[0], outside[1], moved, self._limits.stall)),
        ]
        try:
            while not any(copy.done() for copy in copies):
                moved.clear()
                done, _ = await asyncio.wait(copies, timeout=idle, return_when=asyncio.FIRST_COMPLETED)
                if not done and not moved.is_set():
                    break
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)


_SOCKETS: dict[Service, Callable[[Backends, Path], list[Path]]] = {
    Service.INTERNAL: lambda backends, _: backends.internal(),
    Service.API: lambda backends, _: backends.ordered(""),
    Service.EVENTS: lambda _, run_directory: [run_directory / SOCKET_NAME],
}


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    """A line that is not longer than it may be.

    :raises IncompleteReadError: if it is, or has no end
    """
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise asyncio.IncompleteReadError(b"", LONGEST_LINE) from error
    if len(line) > LONGEST_LINE:
        raise asyncio.IncompleteReadError(b"", LONGEST_LINE)
    return line


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter, moved: asyncio.Event, stall: float) -> None:
    while data := await source.read(_BUFFER):
        moved.set()
        target.write(data)
        async with asyncio.timeout(stall):
            await target.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await writer.wait_closed()
