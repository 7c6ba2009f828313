"""The other servers' way into Blitz: HTTP over its internal socket, no password, same user only.

Servers on another host get to the same socket by way of the grid's endpoint.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from omeroadmin.errors import AdminError, failed_error, unreachable_error
from omeroadmin.runtime.kernel.endpoint import EndpointError, GridEndpoint, Service
from omeroadmin.schema.instance import Instance
from omeroadmin.system import sockets

_CHUNK = 1024 * 1024


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket.

    :param timeout: seconds for connecting, and for each later read or write
    """

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path
        self._seconds = timeout

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = sockets.connect_unix(self._path, timeout=self._seconds)


class EndpointConnection(http.client.HTTPConnection):
    """HTTP through the grid's endpoint.

    :param timeout: seconds for each read or write
    """

    def __init__(self, endpoint: GridEndpoint, service: Service, timeout: float) -> None:
        super().__init__(endpoint.host, timeout=timeout)
        self._endpoint = endpoint
        self._service = service
        self._seconds = timeout

    def connect(self) -> None:
        """Connect, and be let in."""
        self.sock: socket.socket = self._endpoint.connect(self._service, timeout=self._seconds)


def local_request(path: Path, method: str, target: str, body: object = None, *, timeout: float) -> tuple[int, Any]:
    """One JSON request to another server's socket.

    :param path: the socket
    :param target: path and query
    :param timeout: seconds for connecting, and for each later read or write
    :return: status and JSON document; ``None`` where the answer has no body
    :raises OSError: as the system says
    :raises ValueError: if the answer isn't JSON over HTTP
    """
    connection = UnixConnection(path, timeout)
    content = None if body is None else json.dumps(body).encode()
    try:
        connection.request(method, target, body=content, headers={"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None
    except http.client.HTTPException as error:
        raise ValueError(f"{path.name} gave no valid answer: {error}") from error
    finally:
        connection.close()


class InternalClient:
    """Requests to the first Blitz that answers: by a socket of this host, else through the grid's endpoint.

    ``path`` is the whole path, ``/api/v0/images/1`` or ``/internal/jobs/claim``: the internal socket serves both.

    :param endpoint: of the grid, where it has one
    :param timeout: seconds for connecting, and for each later read or write
    """

    def __init__(self, instance: Instance, endpoint: GridEndpoint | None = None, *, timeout: float = 60.0) -> None:
        self._instance = instance
        self._endpoint = endpoint
        self._timeout = timeout
        self._key = ""

    def open_session(self, user: str, agent: str) -> dict[str, Any]:
        """Act as a user from now on; the session lives until :meth:`close_session`.

        :return: the session as the API describes it
        :raises AdminError: as :meth:`request`
        """
        session = self.request("POST", "/internal/sessions", {"user": user, "agent": agent})
        self._key = str(session["key"])
        return dict(session)

    def close_session(self) -> None:
        """End the session of :meth:`open_session`."""
        if self._key:
            self.request("DELETE", "/api/v0/sessions/current")
            self._key = ""

    def request(self, method: str, path: str, body: object = None) -> Any:
        """One request with a JSON body.

        :return: the JSON answer; ``None`` for 204
        :raises AdminError: ``blitz-unavailable``, or the code that Blitz gave
        """
        content = None if body is None else json.dumps(body).encode()
        return self._exchange(method, path, content, {"Content-Type": "application/json"})

    def upload(self, path: str, content: IO[bytes], size: int) -> Any:
        """``PUT`` the bytes of a file, streamed.

        :param size: bytes
        :return: the JSON answer
        :raises AdminError: as :meth:`request`
        """
        chunks = iter(lambda: content.read(_CHUNK), b"")
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        return self._exchange("PUT", path, chunks, headers)

    def download(self, path: str, target: IO[bytes], limit: int) -> None:
        """``GET`` bytes into a file.

        :param limit: bytes at most
        :raises AdminError: as :meth:`request`, and ``file-too-large``
        """
        connection = self._connect()
        try:
            response = self._send(connection, "GET", path, None, {})
            if response.status >= 400:
                raise _error_of(response.status, response.read(), f"GET {path}")
            while chunk := response.read(_CHUNK):
                limit -= len(chunk)
                if limit < 0:
                    raise failed_error("file-too-large", f"{path} is larger than it may be")
                target.write(chunk)
        except (OSError, http.client.HTTPException) as error:
            raise _broken_off("GET", path, error) from error
        finally:
            connection.close()

    def _exchange(
        self, method: str, path: str, content: bytes | Iterable[bytes] | None, headers: dict[str, str]
    ) -> Any:
        connection = self._connect()
        try:
            response = self._send(connection, method, path, content, headers)
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise _broken_off(method, path, error) from error
        finally:
            connection.close()
        if response.status >= 400:
            raise _error_of(response.status, text, f"{method} {path}")
        return json.loads(text) if text else None

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        content: bytes | Iterable[bytes] | None,
        headers: dict[str, str],
    ) -> http.client.HTTPResponse:
        if self._key:
            headers = {**headers, "Authorization": f"Bearer {self._key}"}
        connection.request(method, path, body=content, headers=headers)
        return connection.getresponse()

    def _connect(self) -> http.client.HTTPConnection:
        for path in sorted(self._instance.run_directory.glob("Blitz-*-internal.sock")):
            connection = UnixConnection(path, self._timeout)
            try:
                connection.connect()
            except OSError:
                connection.close()
                continue
            return connection
        if self._endpoint is not None:
            return self._connect_elsewhere(self._endpoint)
        raise unreachable_error(
            "blitz-unavailable", f"no Blitz answers below {self._instance.run_directory}", "omero admin status"
        )

    def _connect_elsewhere(self, endpoint: GridEndpoint) -> EndpointConnection:
        connection = EndpointConnection(endpoint, Service.INTERNAL, self._timeout)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            why = str(error) if isinstance(error, EndpointError) else f"{endpoint}: {error}"
            raise unreachable_error("blitz-unavailable", f"Blitz can't be reached: {why}") from error
        return connection


def _broken_off(method: str, path: str, error: Exception) -> AdminError:
    return unreachable_error("blitz-unavailable", f"Blitz broke off {method} {path}: {error}")


def _error_of(status: int, text: bytes, what: str) -> AdminError:
    try:
        error = json.loads(text)["error"]
        made = unreachable_error if status == 503 else failed_error
        return made(str(error["code"]), str(error["message"]))
    except (ValueError, KeyError, TypeError):
        return failed_error("blitz-failed", f"{what}: Blitz answered with status {status}")
