"""HTTP through a WebSocket: messages put together are the bytes of a connection, see the router's side."""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Iterable
from http.client import HTTPConnection
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

SUBPROTOCOL = "http.omero"
_CHUNK = 256 * 1024


class WebSocketConnection(HTTPConnection):
    """A connection to a WebSocket endpoint that is used as one to a port that speaks HTTP.

    :param path: of the endpoint, which a web server may have given it
    :param timeout: seconds for the connection and for each wait on it
    :param context: of TLS; ``None``: without
    """

    def __init__(
        self, host: str, port: int, path: str, *, timeout: float, context: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(host, port, timeout=timeout)
        self._path = path
        self._context = context

    def connect(self) -> None:
        """Connect, and shake hands.

        :raises OSError: also where the endpoint is no WebSocket
        """
        below = socket.create_connection((self.host, self.port), self.timeout)
        try:
            below.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                below = self._context.wrap_socket(below, server_hostname=self.host)
            tunnel = _Tunnel(below)
            tunnel.shake_hands(self.host, self.port, self._path)
        except BaseException:
            below.close()
            raise
        # http.client uses no more of a socket than this class has.
        self.sock: Any = tunnel


class _Tunnel:
    """A socket on top of a WebSocket, as far as ``http.client`` needs one."""

    def __init__(self, below: socket.socket) -> None:
        self._below = below
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._received = bytearray()
        self._ended = False
        self._files = 0
        self._closed = False

    def shake_hands(self, host: str, port: int, path: str) -> None:
        """Open the WebSocket.

        :raises OSError: ``ConnectionRefusedError`` where the other side isn't one
        """
        name = f"[{host}]" if ":" in host else host
        self._send(Request(host=f"{name}:{port}", target=path, subprotocols=[SUBPROTOCOL]))
        while True:
            try:
                data = self._below.recv(_CHUNK)
                self._protocol.receive_data(data or None)
                events = list(self._protocol.events())
            except RemoteProtocolError as error:
                raise ConnectionRefusedError("what listens there is no WebSocket endpoint") from error
            for event in events:
                if isinstance(event, AcceptConnection):
                    return
                if isinstance(event, RejectConnection):
                    raise ConnectionRefusedError(f"the WebSocket is refused with status {event.status_code}")
            if not data:
                raise ConnectionResetError("it closed the connection during the WebSocket's handshake")

    def sendall(self, data: bytes) -> None:
        """Send bytes as messages."""
        view = memoryview(data)
        while view:
            try:
                self._send(BytesMessage(data=bytes(view[:_CHUNK])))
            except LocalProtocolError as error:
                raise BrokenPipeError from error
            view = view[_CHUNK:]

    def recv_into(self, target: memoryview) -> int:
        """Receive some bytes; 0 at the end."""
        while not self._received and not self._ended:
            data = self._below.recv(_CHUNK)
            try:
                self._protocol.receive_data(data or None)
                self._take(self._protocol.events())
            except (RemoteProtocolError, LocalProtocolError) as error:
                raise ConnectionResetError from error
            self._ended = self._ended or not data
        size = min(len(target), len(self._received))
        target[:size] = self._received[:size]
        del self._received[:size]
        return size

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002 - http.client reads only
        """A file to read from; the connection stays open until it is closed as well."""
        self._files += 1
        return io.BufferedReader(_Raw(self), _CHUNK)

    def settimeout(self, seconds: float | None) -> None:
        """Seconds for each wait."""
        self._below.settimeout(seconds)

    def fileno(self) -> int:
        """Of the socket below."""
        return self._below.fileno()

    def close(self) -> None:
        """Close, once all files are closed."""
        self._closed = True
        self._close_below()

    def file_closed(self) -> None:
        """A file isn't used any more."""
        self._files -= 1
        if self._closed:
            self._close_below()

    def _close_below(self) -> None:
        if self._files > 0:
            return
        try:
            self._send(CloseConnection(code=1000))
        except (OSError, LocalProtocolError):
            pass
        finally:
            self._below.close()

    def _take(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, BytesMessage):
                self._received += event.data
            elif isinstance(event, Ping):
                self._send(event.response())
            elif isinstance(event, CloseConnection):
                self._ended = True

    def _send(self, event: Event) -> None:
        self._below.sendall(self._protocol.send(event))


class _Raw(io.RawIOBase):
    def __init__(self, tunnel: _Tunnel) -> None:
        super().__init__()
        self._tunnel = tunnel

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        with memoryview(target) as view:
            return self._tunnel.recv_into(view.cast("B"))

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._tunnel.file_closed()
