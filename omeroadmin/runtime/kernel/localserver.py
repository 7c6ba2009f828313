"""A small HTTP/1.1 server on a Unix socket that speaks JSON, for servers with a handful of requests to answer.

An ASGI stack costs each of these processes a quarter of a second and 20 MB at its start; this costs a fraction.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import logging
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from omeroadmin.errors import AdminError
from omeroadmin.runtime.kernel import memory
from omeroadmin.system import sockets

_IDLE_SECONDS = 60
_LARGEST_BODY = 256 * 2**20


@dataclass(frozen=True)
class Request:
    """One request.

    :param path: without the query, percent-decoded
    :param query: first value of each parameter
    :param body: the JSON document; ``None`` where there is none
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def number(self, name: str, default: int) -> int:
        """A whole number of the query.

        :raises Refusal: 400 ``parameter-invalid``
        """
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit():
            raise Refusal(HTTPStatus.BAD_REQUEST, "parameter-invalid", f"{name}={text!r} is not a whole number")
        return int(text)


class Refusal(Exception):  # noqa: N818 - an answer, not always an error
    """An answer that isn't what was asked for."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


Handler = Callable[[Request], tuple[int, object]]
"""Answers a request with a status and a JSON document (``None``: no body)."""


class _Connection(http.server.BaseHTTPRequestHandler):
    """One connection, which may carry several requests."""

    protocol_version = "HTTP/1.1"
    server_version = "omeroadmin"
    sys_version = ""
    timeout = _IDLE_SECONDS
    server: _Server

    def handle_one_request(self) -> None:
        """A peer that goes in the middle is no error."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_arguments: object) -> None:
        """Requests are not logged."""

    def address_string(self) -> str:
        """Unix sockets have no address."""
        return "local"

    def _answer(self) -> None:
        try:
            status, document = self.server.handler(self._request())
        except Refusal as refusal:
            status, document = refusal.status, {"error": {"code": refusal.code, "message": refusal.message}}
        except AdminError as error:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            document = {"error": {"code": error.code, "message": error.message}}
        except Exception:  # the boundary between one request and the server
            logging.getLogger("omero.local").exception("%s %s failed", self.command, self.path)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            document = {"error": {"code": "internal", "message": "the server met an unexpected error; see its log"}}
        content = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        if content:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > _LARGEST_BODY:
            self.close_connection = True
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-invalid", f"a body of {length} bytes is refused")
        content = self.rfile.read(int(length))
        try:
            body = json.loads(content) if content else None
        except ValueError:
            raise Refusal(HTTPStatus.BAD_REQUEST, "body-invalid", "the body is not JSON") from None
        return Request(self.command, unquote(parts.path), query, body)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names are http.server's


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket, handler: Handler) -> None:
        super().__init__("", _Connection, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.handler = handler

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's signature
        """Broken connections belong in the log, not on stderr."""
        memory.notice(sys.exc_info()[1])
        logging.getLogger("omero.local").debug("A connection broke: %r", sys.exc_info()[1])


@contextlib.contextmanager
def serving(path: Path, handler: Handler) -> Iterator[None]:
    """Answer requests in threads as long as the block lasts.

    :param path: the Unix socket, mode 0600
    :param handler: called from several threads
    :raises OSError: if the socket can't be made
    """
    server = _Server(sockets.listen_unix(path), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        path.unlink(missing_ok=True)
