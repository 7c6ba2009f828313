"""What a handler is called with, and what it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from omeroadmin.runtime.services.blitz.application import Blitz
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.problems import session_dead


class Stream:
    """The body of a request in pieces, which knows where it ends."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._ended = False

    async def next(self) -> bytes:
        """The next piece; empty at the end.

        :raises ClientDisconnect: if the client broke off
        """
        while not self._ended:
            message = await self._request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._ended = not message.get("more_body", False)
            if message.get("body"):
                return bytes(message["body"])
        return b""

    async def drain(self) -> None:
        """Read the rest."""
        while await self.next():
            pass


@dataclass(frozen=True)
class Call:
    """A request for a service; path, query and body are of the forms that its operation declares.

    :param path: parameters of the path
    :param query: parameters of the query, defaults filled in; ``None`` where there is none
    :param ip: address of the client
    :param transport: ``ssl``, ``tcp``, ``ws`` or ``wss`` as OMERO.Glacier2 says; empty for a local client
    :param body: the JSON document, defaults filled in; ``None`` where there is none
    :param stream: the body of an operation that takes bytes
    """

    blitz: Blitz
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    ip: str
    transport: str
    stream: Stream
    body: Any = None
    user: Actor | None = field(default=None)

    @property
    def actor(self) -> Actor:
        """Who asks.

        :raises AdminError: ``session-expired`` without a session
        """
        if self.user is None:
            raise session_dead()
        return self.user


def answer(document: object, status: int = 200) -> Response:
    """A JSON document."""
    return JSONResponse(document, status)


def nothing() -> Response:
    """Done, and there is nothing to say."""
    return Response(status_code=204)
