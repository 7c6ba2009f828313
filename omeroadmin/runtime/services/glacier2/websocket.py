"""WebSocket endpoints: the bytes of an HTTP connection as binary messages, in both directions.

Where a message ends means nothing: the messages of one direction, put together, are what a ``tcp`` endpoint would see.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

SUBPROTOCOL = "http.omero"
"""What a client may offer, and the server then chooses."""
_CHUNK = 256 * 1024
_NO_TEXT = 1003
_UPGRADE = b"This port speaks WebSocket (RFC 6455); plain HTTP is on another.\n"


class WebSocket:
    """A WebSocket connection that reads and writes as a pair of streams does.

    :param reader: below it
    :param writer: below it
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._received = bytearray()
        self._ended = False

    @property
    def transport(self) -> asyncio.WriteTransport:
        """Of the connection below."""
        return self._writer.transport

    async def accept(self, seconds: float) -> bool:
        """Answer the client's opening handshake.

        :param seconds: that it may take
        :return: whether the connection is open; else the client got an answer that says why
        """
        try:
            async with asyncio.timeout(seconds):
                while data := await self._reader.read(_CHUNK):
                    self._protocol.receive_data(data)
                    for event in self._protocol.events():
                        if isinstance(event, Request):
                            chosen = SUBPROTOCOL if SUBPROTOCOL in event.subprotocols else None
                            self._send(AcceptConnection(subprotocol=chosen))
                            await self._writer.drain()
                            return True
        except RemoteProtocolError as error:
            with contextlib.suppress(OSError, LocalProtocolError):
                await self._refuse(error)
        except (OSError, TimeoutError):
            pass
        return False

    async def read(self, size: int) -> bytes:
        """The next bytes of the messages; none at the end."""
        while not self._received and not self._ended:
            self._take(await self._reader.read(_CHUNK))
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def writelines(self, pieces: Iterable[bytes]) -> None:
        """Send bytes as a message."""
        try:
            self._send(BytesMessage(data=b"".join(pieces)))
        except LocalProtocolError as error:
            raise BrokenPipeError("the WebSocket is closed") from error

    async def drain(self) -> None:
        """Wait while the peer is behind."""
        await self._writer.drain()

    def can_write_eof(self) -> bool:
        """A closing handshake says that nothing more comes."""
        return True

    def write_eof(self) -> None:
        """Say that nothing more comes."""
        with contextlib.suppress(LocalProtocolError):
            self._send(CloseConnection(code=1000))

    def close(self) -> None:
        """Close the connection below."""
        with contextlib.suppress(OSError):
            self.write_eof()
        self._writer.close()

    async def wait_closed(self) -> None:
        """Until it is closed."""
        await self._writer.wait_closed()

    def _take(self, data: bytes) -> None:
        try:
            self._protocol.receive_data(data or None)
            for event in self._protocol.events():
                if isinstance(event, BytesMessage):
                    self._received += event.data
                elif isinstance(event, Ping):
                    self._send(event.response())
                elif isinstance(event, TextMessage):
                    self._ended = True
                    self._send(CloseConnection(code=_NO_TEXT, reason="binary messages only"))
                elif isinstance(event, CloseConnection):
                    self._ended = True
                    with contextlib.suppress(LocalProtocolError):
                        self._send(event.response())
        except (RemoteProtocolError, LocalProtocolError):
            self._ended = True
        self._ended = self._ended or not data

    def _send(self, event: Event) -> None:
        self._writer.write(self._protocol.send(event))

    async def _refuse(self, error: RemoteProtocolError) -> None:
        """Say what this port is to who speaks HTTP, and nothing to others."""
        if isinstance(error.event_hint, RejectConnection):
            headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
            headers.append((b"content-length", str(len(_UPGRADE)).encode()))
            status = 426 if error.event_hint.status_code < 500 else error.event_hint.status_code
            self._send(RejectConnection(status_code=status, headers=headers, has_body=True))
            self._send(RejectData(data=_UPGRADE))
            await self._writer.drain()
