"""OMERO.Glacier2: the public endpoints. Ends TLS, and passes requests to the Blitz that serves their session."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl

import h11

from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.services.glacier2.backends import Backends
from omeroadmin.runtime.services.glacier2.endpoints import ENCRYPTED, WEBSOCKETS, Endpoint, listen, parse_endpoints
from omeroadmin.runtime.services.glacier2.grid import GridListener
from omeroadmin.runtime.services.glacier2.proxy import ClientConnection, Limits, Link, Reader, Writer
from omeroadmin.runtime.services.glacier2.tls import server_context

_ENDPOINTS = "Glacier2.Client.Endpoints"
_MOST_CONNECTIONS = 1000
_SECONDS_TO_FINISH = 5.0
_BUFFER = 256 * 1024


def run(context: ServiceContext) -> int:
    """Serve the endpoints until the server shall stop."""
    asyncio.run(Router(context).serve())
    return 0


class Router:
    """The router's listeners and connections."""

    def __init__(self, context: ServiceContext, limits: Limits | None = None) -> None:
        self._context = context
        self._limits = limits or Limits()
        self._backends = Backends(context.instance.run_directory)
        self._connections: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Listen, serve, and let running requests finish when asked to stop.

        :raises AdminError: where an endpoint or the certificate is wrong
        """
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(stopping.set)

        self._context.stop.on_request(wake)
        servers = [await self._listen(endpoint) for endpoint in self._endpoints()]
        grid = self._grid()
        if grid is not None:
            servers.append(await grid.listen(server_context(self._context.settings)))
        self._context.health.add_source(lambda: {"connections": len(self._connections)})
        self._context.health.ready()
        await stopping.wait()
        for server in servers:
            server.close()
        if grid is not None:
            await grid.close()
        if self._connections:
            await asyncio.wait(self._connections, timeout=_SECONDS_TO_FINISH)
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _grid(self) -> GridListener | None:
        """The entrance for servers on other hosts, where the grid has one."""
        endpoint = self._context.endpoint
        return None if endpoint is None else GridListener(self._context, endpoint)

    def _endpoints(self) -> list[Endpoint]:
        settings = self._context.settings
        text = settings.text(_ENDPOINTS) or f"ssl -p {settings.port('ssl')}:tcp -p {settings.port('tcp')}"
        return parse_endpoints(text, settings.text("Ice.Default.Host").strip())

    async def _listen(self, endpoint: Endpoint) -> asyncio.Server:
        tls = server_context(self._context.settings) if endpoint.transport in ENCRYPTED else None
        listener = listen(endpoint, ipv6=self._context.settings.text("Ice.IPv6").strip() != "0")
        # Accepted sockets inherit it; asyncio sets it only where the socket names its protocol.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._accept(endpoint.transport, reader, writer)

        server = await asyncio.start_server(
            accept,
            sock=listener,
            ssl=tls,
            limit=_BUFFER,
            backlog=512,
            ssl_handshake_timeout=10.0 if tls else None,
            ssl_shutdown_timeout=2.0 if tls else None,
        )
        self._context.log.info("Listening on %s", endpoint)
        return server

    async def _opened(
        self, transport: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[Reader, Writer] | None:
        """The streams on which a client speaks HTTP; ``None`` where it doesn't come to that."""
        if transport not in WEBSOCKETS:
            return reader, writer
        from omeroadmin.runtime.services.glacier2.websocket import WebSocket

        opened = WebSocket(reader, writer)
        return (opened, opened) if await opened.accept(self._limits.head) else None

    async def _accept(self, transport: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= _MOST_CONNECTIONS:
            self._context.health.count("refused")
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker; this is a coroutine
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        name = writer.get_extra_info("peername")
        peer = str(name[0]).removeprefix("::ffff:") if name else "unknown"
        streams = await self._opened(transport, reader, writer)
        if streams is None:
            writer.close()
            return
        link = Link(h11.SERVER, *streams)
        connection = ClientConnection(
            link,
            transport=transport,
            peer=peer,
            backends=self._backends,
            health=self._context.health,
            limits=self._limits,
        )
        try:
            with contextlib.suppress(ssl.SSLError):
                await connection.serve()
        except Exception:  # the boundary of a connection
            self._context.log.exception("A connection ended by an unexpected error")
        finally:
            await link.close()
