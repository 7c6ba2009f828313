"""Between HTTP and the services: reads a request, finds who asks, calls a service, writes the answer or the failure."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.runtime.kernel.memory import notice
from omeroadmin.runtime.services.blitz.application import Blitz
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.problems import invalid, session_dead

_LOG = logging.getLogger("omero.blitz.http")
_LARGEST_BODY = 64 * 2**20

_STATUSES = {
    "authentication-failed": 401,
    "session-expired": 401,
    "password-needs-tls": 403,
    "permission-denied": 403,
    "not-found": 404,
    "thumbnail-missing": 404,
    "checksum-mismatch": 409,
    "import-busy": 409,
    "import-incomplete": 409,
    "job-ended": 409,
    "body-too-large": 413,
    "size-mismatch": 400,
    "file-name-invalid": 400,
    "checksum-not-agreed": 400,
    "checksum-unknown": 400,
    "path-escapes": 400,
    "file-not-placed": 400,
    "target-not-found": 404,
    "target-ambiguous": 409,
    "target-unsuitable": 409,
    "unreadable-image": 422,
    "login-throttled": 429,
    "file-not-written": 507,
    "directory-not-created": 507,
}
_BY_EXIT_STATUS = {ExitStatus.USAGE: 400, ExitStatus.UNREACHABLE: 503, ExitStatus.LOCKED: 409}


@dataclass(frozen=True)
class Call:
    """A request for a service.

    :param body: the JSON document; ``None`` where there is none
    :param path: parameters of the path
    :param ip: address of the client
    :param transport: ``ssl`` or ``tcp`` as OMERO.Glacier2 says; empty for a local client
    """

    blitz: Blitz
    path: Mapping[str, Any]
    query: Mapping[str, str]
    ip: str
    transport: str
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

    def member(self, name: str, kind: type, default: Any = None) -> Any:
        """A member of the JSON document.

        :param kind: type that it must have
        :param default: where it is missing; ``None``: it must be there
        :raises AdminError: ``request-invalid``
        """
        if not isinstance(self.body, dict):
            raise invalid("the body is not a JSON object")
        value = self.body.get(name, default)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise invalid(f"{name} is not {_KINDS.get(kind, 'what it should be')}")
        return value

    def number(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        """A whole number of the query.

        :raises AdminError: ``request-invalid``
        """
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise invalid(f"{name} is not a whole number from {lowest} to {highest}")
        return int(text)


_KINDS: dict[type, str] = {str: "a text", int: "a whole number", list: "a list", dict: "an object"}

Handler = Callable[[Call], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def answer(document: object, status: int = 200) -> Response:
    """A JSON document."""
    return JSONResponse(document, status)


def nothing() -> Response:
    """Done, and there is nothing to say."""
    return Response(status_code=204)


def endpoint(blitz: Blitz, handler: Handler, *, session: bool = True) -> Endpoint:
    """A handler that runs in a thread, with the body read and the session found.

    :param session: whether the request needs a session
    """

    @functools.wraps(handler)
    async def serve(request: Request) -> Response:
        return await guarded(request, functools.partial(_serve, blitz, request, handler, session))

    return serve


async def _serve(blitz: Blitz, request: Request, handler: Handler, session: bool) -> Response:
    body = await read_json(request)

    def run() -> Response:
        user = blitz.sessions.find(bearer(request)) if session else None
        return handler(call_of(blitz, request, body, user))

    return await run_in_threadpool(run)


def call_of(blitz: Blitz, request: Request, body: Any = None, user: Actor | None = None) -> Call:
    """A request without its transport's details."""
    return Call(
        blitz=blitz,
        path=request.path_params,
        query=request.query_params,
        ip=request.headers.get("x-forwarded-for", "127.0.0.1")[:64],
        transport=request.headers.get("x-omero-transport", ""),
        body=body,
        user=user,
    )


def bearer(request: Request) -> str:
    """The session key; empty where there is none."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def read_json(request: Request) -> Any:
    """The JSON document of a request; ``None`` where it has no body.

    :raises AdminError: ``body-too-large``, ``request-invalid``
    """
    content = bytearray()
    too_large = False
    async for chunk in request.stream():
        too_large = too_large or len(content) + len(chunk) > _LARGEST_BODY
        if not too_large:
            content += chunk
    if too_large:
        raise AdminError(
            "body-too-large", f"a document has at most {_LARGEST_BODY} bytes", exit_status=ExitStatus.USAGE
        )
    if not content:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise invalid("the body is not JSON") from None


async def drain(request: Request) -> None:
    """Read a body that nobody wants: a client that is still sending would see a broken connection, not the answer."""
    with contextlib.suppress(ClientDisconnect):
        async for _ in request.stream():
            pass


async def guarded(request: Request, serve: Callable[[], Awaitable[Response]]) -> Response:
    """Turn every failure into an answer; nothing of what the client sent is logged."""
    what = f"{request.method} {request.scope['route'].path}" if "route" in request.scope else request.method
    try:
        return await serve()
    except AdminError as error:
        return failure(error)
    except ClientDisconnect:
        return Response(status_code=400)
    except psycopg.DataError:
        return failure(invalid("a value of the request can't be stored"))
    except psycopg.OperationalError as error:
        if notice(error):
            return _exhausted()
        _LOG.warning("%s: the database failed: %s", what, type(error).__name__)
        return problem(503, "database-unavailable", "the database doesn't answer; try again")
    except Exception as error:  # noqa: BLE001 - the boundary of a request
        if notice(error):
            return _exhausted()
        _LOG.exception("%s ended by an unexpected error", what)
        return problem(500, "internal-error", "the server met an unexpected error; its log says more")


def _exhausted() -> Response:
    return problem(503, "out-of-memory", "the server has not enough memory for this request and starts anew")


def failure(error: AdminError) -> Response:
    """The answer for an expected failure."""
    status = _STATUSES.get(error.code) or _BY_EXIT_STATUS.get(error.exit_status, 500)
    return problem(status, error.code, error.message)


def problem(status: int, code: str, message: str) -> Response:
    """An answer that isn't what was asked for."""
    return JSONResponse({"error": {"code": code, "message": message}}, status)
