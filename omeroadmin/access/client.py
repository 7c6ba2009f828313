"""The client of the server's API: JSON and streams over one kept connection, with a deadline for every wait.

Only the standard library's HTTP, because each command pays for its imports.
"""

from __future__ import annotations

import json
import select
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ssl import SSLEOFError
from typing import Any, Self
from urllib.parse import quote, urlencode

from omeroadmin.access.address import Address
from omeroadmin.access.problems import (
    answer_error,
    connect_error,
    exchange_error,
    not_understood,
    password_needs_tls,
)
from omeroadmin.access.session import Session, checked_key, read_session
from omeroadmin.access.trust import Trust, tls_context
from omeroadmin.errors import AdminError

AGENT = "OMERO.cli"
CONNECT_TIMEOUT = 10.0
ANSWER_TIMEOUT = 60.0
_API = "/api/v0"
_PIECE = 1 << 20
_LARGEST_DOCUMENT = 64 << 20
# Servers close idle connections after a few seconds; what can't be repeated is never sent on one that may be closing.
_LONGEST_IDLE = 2.0
_REPEATABLE = frozenset({"GET", "DELETE"})


class Client:
    """One connection to a server, made at the first request and again when it was idle for too long.

    :param address: the server
    :param trust: whose certificates count; unused without TLS
    :param key: session key; empty: no session yet
    :param timeout: seconds to wait for each answer
    :param group: name or id of the group that these requests work in; empty: the session's own
    """

    def __init__(
        self,
        address: Address,
        *,
        trust: Trust | None = None,
        key: str = "",
        timeout: float = ANSWER_TIMEOUT,
        group: str = "",
    ) -> None:
        self.address = address
        self._trust = trust or Trust()
        self._key = checked_key(key) if key else ""
        self._timeout = timeout
        self._group = group
        self._connection: HTTPConnection | None = None
        self._used = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the session lives on."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def again(self) -> Client:
        """A second client of the same session, for use in another thread."""
        return Client(self.address, trust=self._trust, key=self._key, timeout=self._timeout, group=self._group)

    def open_session(self, user: str, password: str, **wanted: str | int) -> Session:
        """Log in; later requests are of this session.

        :param password: the user's, or that of the user named as ``sudo``
        :param wanted: what else the API takes: ``group``, ``sudo``, ``time_to_idle_ms``
        :raises AdminError: ``password-needs-tls``, ``authentication-failed`` and what :meth:`get` raises
        """
        if not self.address.tls:
            raise password_needs_tls(self.address)
        document = self.post("/sessions", {"user": user, "password": password, "agent": AGENT, **wanted})
        session = read_session(document, self.address)
        self._key = session.key
        return session

    def current_session(self) -> Session:
        """The session of this client's key.

        :raises AdminError: ``session-expired`` and what :meth:`get` raises
        """
        return read_session(self.get("/sessions/current"), self.address, key=self._key)

    def change_session(self, **wanted: str | int) -> Session:
        """Change the session of this client's key.

        :param wanted: what the API takes: ``group``, ``time_to_idle_ms``
        :raises AdminError: ``permission-denied``, ``session-expired`` and what :meth:`get` raises
        """
        return read_session(self.patch("/sessions/current", wanted), self.address, key=self._key)

    def close_session(self) -> None:
        """End the session on the server: the key is dead then.

        :raises AdminError: as :meth:`get`
        """
        self.delete("/sessions/current")

    def get(self, path: str, **query: str | int | Sequence[str | int]) -> Any:
        """Ask for a document.

        :param path: below ``/api/v0``
        :param query: parameters; a list is sent as one parameter for each of its items
        :raises AdminError: ``server-unreachable``, ``certificate-untrusted``, ``server-timeout``, ``connection-lost``,
            ``answer-invalid``, ``session-expired`` or the server's own code
        """
        return self._document("GET", f"{path}?{urlencode(query, doseq=True)}" if query else path)

    def post(self, path: str, document: Any = None, *, timeout: float | None = None) -> Any:
        """Send a document and get one back.

        :param timeout: seconds to wait for the answer instead of the client's own
        :raises AdminError: as :meth:`get`
        """
        body = b"" if document is None else json.dumps(document).encode()
        return self._document("POST", path, body, timeout=timeout)

    def put(self, path: str, document: Any) -> Any:
        """Have something replaced by a document.

        :raises AdminError: as :meth:`get`
        """
        return self._document("PUT", path, json.dumps(document).encode())

    def patch(self, path: str, document: Any) -> Any:
        """Have something changed.

        :return: what it is now
        :raises AdminError: as :meth:`get`
        """
        return self._document("PATCH", path, json.dumps(document).encode())

    def delete(self, path: str) -> None:
        """Have something removed.

        :raises AdminError: as :meth:`get`
        """
        self._document("DELETE", path)

    def upload(self, path: str, pieces: Iterable[bytes], size: int, *, timeout: float | None = None) -> Any:
        """Send a body of known size, piece by piece.

        :param pieces: bytes, ``size`` in all
        :param timeout: seconds for each piece and for the answer instead of the client's own
        :raises AdminError: as :meth:`get`, and whatever ``pieces`` raises; the connection is closed then
        """
        return self._document("PUT", path, pieces, size=size, timeout=timeout)

    def download(self, path: str, sink: Callable[[bytes], object]) -> int:
        """Receive bytes, piece by piece.

        :param sink: takes each piece; what it raises ends the download
        :return: number of bytes
        :raises AdminError: as :meth:`get`
        """
        response = self._send("GET", path, None, None, self._timeout)
        if response.status != 200:
            raise answer_error(self.address, response.status, self._read(response, self._timeout))
        received = 0
        whole = False
        try:
            while piece := self._piece(response):
                sink(piece)
                received += len(piece)
            whole = True
        finally:
            # What is left of an answer would be taken for the next one.
            if not whole:
                self.close()
        self._used = time.monotonic()
        return received

    def pages(self, path: str, name: str, *, page: int = 500, start: int = 0) -> Iterator[dict[str, Any]]:
        """All items of a list, fetched page by page.

        :param name: the list's name in the answer
        :param page: items to ask for at once
        :param start: the id to begin after
        :raises AdminError: as :meth:`get`
        """
        after: int | None = start
        while after is not None:
            document = self.get(path, after=after, limit=page)
            yield from self.items(document, name)
            following = document.get("next")
            if following is not None and (not isinstance(following, int) or following <= after):
                raise not_understood(self.address, f"{path} has the next page {following!r} after {after}")
            after = following

    def items(self, document: Any, name: str) -> list[dict[str, Any]]:
        """The list in an answer.

        :raises AdminError: ``answer-invalid``
        """
        found = document.get(name) if isinstance(document, dict) else None
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise not_understood(self.address, f"the answer has no list {name!r}")
        return found

    def _document(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        *,
        size: int | None = None,
        timeout: float | None = None,
    ) -> Any:
        wait = self._timeout if timeout is None else timeout
        response = self._send(method, path, body, size, wait)
        content = self._read(response, wait)
        if not 200 <= response.status < 300:
            raise answer_error(self.address, response.status, content)
        if not content:
            return None
        try:
            return json.loads(content)
        except ValueError as error:
            raise not_understood(self.address, "the answer is not JSON") from error

    def _send(
        self, method: str, path: str, body: bytes | Iterable[bytes] | None, size: int | None, timeout: float
    ) -> HTTPResponse:
        reused = self._connection is not None and time.monotonic() - self._used < _LONGEST_IDLE
        try:
            return self._exchange(method, path, body, size, timeout)
        except AdminError as error:
            if not (reused and method in _REPEATABLE and error.code == "connection-lost"):
                raise
        return self._exchange(method, path, body, size, timeout)

    def _exchange(
        self, method: str, path: str, body: bytes | Iterable[bytes] | None, size: int | None, timeout: float
    ) -> HTTPResponse:
        connection = self._connected(timeout)
        kind = "application/json" if isinstance(body, bytes) else "application/octet-stream"
        headers = {"Accept": "application/json", "User-Agent": AGENT}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if self._group:
            headers["OMERO-Group"] = quote(self._group)
        if body is not None:
            headers["Content-Type"] = kind
            headers["Content-Length"] = str(len(body) if isinstance(body, bytes) else size)
        answered = False
        try:
            # A server that refuses an upload answers and closes before it has read all: the answer tells more.
            cut_short = not _sent(connection, method, _API + path, body, headers)
            response = connection.getresponse()
            response.will_close = response.will_close or cut_short
            answered = True
        except (OSError, HTTPException) as error:
            raise exchange_error(self.address, error, timeout) from error
        finally:
            if not answered:
                self.close()
        return response

    def _connected(self, timeout: float) -> HTTPConnection:
        if self._connection is not None and (
            time.monotonic() - self._used >= _LONGEST_IDLE or _is_dropped(self._connection)
        ):
            self.close()
        if self._connection is None or self._connection.sock is None:
            self._connection = self._connect()
        self._connection.sock.settimeout(timeout)
        return self._connection

    def _connect(self) -> HTTPConnection:
        host, port = self.address.host, self.address.port
        limit = min(CONNECT_TIMEOUT, self._timeout)
        connection: HTTPConnection
        if self.address.path:
            from omeroadmin.access.websocket import WebSocketConnection

            context = tls_context(self._trust) if self.address.tls else None
            connection = WebSocketConnection(host, port, self.address.path, timeout=limit, context=context)
        elif self.address.tls:
            connection = HTTPSConnection(host, port, timeout=limit, context=tls_context(self._trust))
        else:
            connection = HTTPConnection(host, port, timeout=limit)
        try:
            connection.connect()
        except (OSError, ValueError) as error:
            connection.close()
            raise connect_error(self.address, error, limit) from error
        return connection

    def _piece(self, response: HTTPResponse) -> bytes:
        """The next bytes of a stream; none at its end."""
        try:
            piece = response.read(_PIECE)
            if not piece and response.length:
                raise ConnectionResetError
        except (OSError, HTTPException) as error:
            raise exchange_error(self.address, error, self._timeout) from error
        return piece

    def _read(self, response: HTTPResponse, timeout: float) -> bytes:
        """A whole document, unless it comes too slowly or is too large."""
        deadline = time.monotonic() + timeout
        content = bytearray()
        try:
            while piece := response.read1(_PIECE):
                content += piece
                if len(content) > _LARGEST_DOCUMENT:
                    raise HTTPException(f"a document of more than {_LARGEST_DOCUMENT} bytes")
                if time.monotonic() > deadline:
                    raise TimeoutError
            if response.length:
                raise ConnectionError
        except (OSError, HTTPException) as error:
            self.close()
            raise exchange_error(self.address, error, timeout) from error
        # read1() leaves the answer open after its last byte, and an open answer blocks the connection.
        response.close()
        self._used = time.monotonic()
        if response.will_close:
            self.close()
        return bytes(content)


def _is_dropped(connection: HTTPConnection) -> bool:
    """Whether the other side has closed: between two requests there is nothing to read but that."""
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _sent(
    connection: HTTPConnection, method: str, path: str, body: bytes | Iterable[bytes] | None, headers: dict[str, str]
) -> bool:
    """Send a request; whether all of it went out before the other side closed."""
    try:
        connection.request(method, path, body, headers)
    except (BrokenPipeError, ConnectionResetError, SSLEOFError):
        return False
    return True
