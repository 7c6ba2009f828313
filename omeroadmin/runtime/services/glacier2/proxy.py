"""One client connection: reads heads with h11, passes bodies both ways in constant memory."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import h11

from omeroadmin.errors import AdminError
from omeroadmin.runtime.kernel.health import Health
from omeroadmin.runtime.services.glacier2 import heads
from omeroadmin.runtime.services.glacier2.backends import Backends

_LOG = logging.getLogger("omero.glacier2.proxy")
_LARGEST_HEAD = 32 * 1024
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Limits:
    """Seconds that a client or Blitz may take.

    :param head: for the whole head of a request, counted from the connection
    :param idle: from a response to the end of the next request's head
    :param body: between two pieces of a body, in either direction
    :param response: until Blitz begins to answer
    """

    head: float = 15
    idle: float = 60
    body: float = 60
    response: float = 900


class _ClientError(Exception):
    """The client went away or broke the protocol."""


class Reader(Protocol):
    """Where bytes come from: a stream, or what reads as one."""

    async def read(self, size: int, /) -> bytes:
        """The next bytes; none at the end."""
        ...


class Writer(Protocol):
    """Where bytes go: a stream, or what writes as one. The methods are asyncio's."""

    @property
    def transport(self) -> asyncio.WriteTransport: ...  # noqa: D102

    def writelines(self, data: Iterable[bytes], /) -> None: ...  # noqa: D102

    async def drain(self) -> None: ...  # noqa: D102

    def can_write_eof(self) -> bool: ...  # noqa: D102

    def write_eof(self) -> None: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102

    async def wait_closed(self) -> None: ...  # noqa: D102


class Link:
    """An h11 connection on a pair of streams.

    :param seconds: limit for each read and write
    """

    def __init__(self, role: type[h11.CLIENT | h11.SERVER], reader: Reader, writer: Writer) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=_LARGEST_HEAD)
        self._reader = reader
        self._writer = writer

    async def receive(self, seconds: float) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        """The next event.

        :raises TimeoutError: where a read takes longer
        """
        while True:
            event = self.http.next_event()
            if isinstance(event, h11.Event) or event is h11.PAUSED:
                return event
            async with asyncio.timeout(seconds):
                data = await self._reader.read(_CHUNK)
            self.http.receive_data(data)

    async def send(self, event: h11.Event, seconds: float) -> None:
        """Send an event, and wait while the peer is behind."""
        pieces = self.http.send_with_data_passthrough(event)
        if pieces:
            self._writer.writelines(pieces)
            async with asyncio.timeout(seconds):
                await self._writer.drain()

    async def linger(self, seconds: float) -> None:
        """Say that nothing more comes, and read on for a while, so that the peer gets to see the response."""
        with contextlib.suppress(OSError, NotImplementedError, TimeoutError):
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(seconds):
                while await self._reader.read(_CHUNK):
                    pass

    def abort(self) -> None:
        """Break the connection off."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                await self._writer.wait_closed()


class ClientConnection:
    """Requests of one client, one after the other.

    :param transport: ``ssl``, ``tcp``, ``ws`` or ``wss``
    :param peer: address of the client
    """

    def __init__(self, client: Link, *, transport: str, peer: str, backends: Backends, health: Health, limits: Limits):
        self._client = client
        self._transport = transport
        self._peer = peer
        self._backends = backends
        self._health = health
        self._limits = limits

    async def serve(self) -> None:
        """Serve until the client has nothing more to ask or breaks a rule."""
        seconds = self._limits.head
        while True:
            try:
                async with asyncio.timeout(seconds):
                    event = await self._client.receive(seconds)
            except h11.RemoteProtocolError as error:
                await self._refuse(error.error_status_hint, "request-invalid", "the request is not valid HTTP/1.1")
                return
            except (TimeoutError, OSError):
                return
            if not isinstance(event, h11.Request):
                return
            self._health.count("requests")
            if not await self._answer(event):
                return
            self._client.http.start_next_cycle()
            seconds = self._limits.idle

    async def _answer(self, request: h11.Request) -> bool:
        """Answer one request.

        :return: whether the connection can go on
        """
        # h11 limits heads that come in pieces only.
        if sum(len(name) + len(value) for name, value in request.headers) + len(request.target) > _LARGEST_HEAD:
            await self._refuse(431, "request-invalid", "the head of the request is too large")
            return False
        if not request.target.startswith(b"/") or request.method == b"CONNECT":
            await self._refuse(400, "request-invalid", "the target must be a path")
            return False
        try:
            key = heads.session_key(request)
            opening = self._backends.connect_session(key) if key else self._backends.connect(self._peer)
            reader, writer = await opening
        except AdminError as error:
            await self._refuse(503, error.code, error.message)
            return False
        upstream = Link(h11.CLIENT, reader, writer)
        try:
            await self._exchange(request, upstream)
        except _ClientError:
            upstream.abort()
            self._client.abort()
            return False
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            _LOG.warning("Blitz broke off a request: %s", type(error).__name__)
            self._health.count("broken")
            upstream.abort()
            await self._refuse(503, "blitz-unavailable", "Blitz broke the request off; try again")
            return False
        finally:
            await upstream.close()
        http = self._client.http
        if http.our_state is h11.DONE and http.their_state is h11.DONE:
            return True
        await self._client.linger(2)
        return False

    async def _exchange(self, request: h11.Request, upstream: Link) -> None:
        await upstream.send(
            heads.upstream_request(request, transport=self._transport, peer=self._peer), self._limits.body
        )
        body = asyncio.create_task(self._pass_body(upstream))
        response = asyncio.create_task(self._pass_response(upstream))
        try:
            await asyncio.wait({body, response}, return_when=asyncio.FIRST_COMPLETED)
            if body.done():
                body.result()
            await response
            # The end of the body may still be on its way; with it, the connection can go on.
            await asyncio.wait({body}, timeout=0.05)
        finally:
            for task in (body, response):
                task.cancel()
            await asyncio.gather(body, response, return_exceptions=True)

    async def _pass_body(self, upstream: Link) -> None:
        """Client to Blitz. Blitz may stop reading and answer early: that isn't the client's fault."""
        while True:
            try:
                event = await self._client.receive(self._limits.body)
            except (OSError, TimeoutError, h11.RemoteProtocolError) as error:
                raise _ClientError from error
            if not isinstance(event, h11.Data | h11.EndOfMessage):
                raise _ClientError
            try:
                await upstream.send(event if isinstance(event, h11.Data) else h11.EndOfMessage(), self._limits.body)
            except (ConnectionError, h11.LocalProtocolError):
                return
            if isinstance(event, h11.EndOfMessage):
                return

    async def _pass_response(self, upstream: Link) -> None:
        """Blitz to client."""
        seconds = self._limits.response
        while True:
            event = await upstream.receive(seconds)
            if isinstance(event, h11.InformationalResponse):
                if event.status_code == 100 and self._client.http.they_are_waiting_for_100_continue:
                    await self._tell_client(h11.InformationalResponse(status_code=100, headers=[]))
                continue
            if isinstance(event, h11.Response):
                await self._tell_client(heads.downstream_response(event))
                seconds = self._limits.body
            elif isinstance(event, h11.Data):
                await self._tell_client(event)
            elif isinstance(event, h11.EndOfMessage):
                await self._tell_client(h11.EndOfMessage())
                return
            else:
                raise ConnectionResetError("Blitz closed the connection")

    async def _tell_client(self, event: h11.Event) -> None:
        try:
            await self._client.send(event, self._limits.body)
        except (OSError, TimeoutError) as error:
            raise _ClientError from error

    async def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer in Blitz's stead, if nothing was answered yet."""
        if self._client.http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self._client.abort()
            return
        content = json.dumps({"error": {"code": code, "message": message}}).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(content))),
            ("Connection", "close"),
        ]
        with contextlib.suppress(OSError, TimeoutError):
            await self._client.send(h11.Response(status_code=status, headers=headers), self._limits.body)
            await self._client.send(h11.Data(data=content), self._limits.body)
            await self._client.send(h11.EndOfMessage(), self._limits.body)
            await self._client.linger(2)
