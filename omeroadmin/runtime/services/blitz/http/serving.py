"""From operations to routes: reads a request, checks it, finds who asks, calls the handler."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterable
from typing import cast
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.runtime.services.blitz.application import Blitz
from omeroadmin.runtime.services.blitz.http.calls import Call, Stream
from omeroadmin.runtime.services.blitz.http.failures import guarded
from omeroadmin.runtime.services.blitz.http.operation import Bytes, Operation
from omeroadmin.runtime.services.blitz.http.validation import Validator
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.readonly import read_only_error

_LARGEST_BODY = 64 * 2**20


def routes(blitz: Blitz, operations: Iterable[Operation]) -> list[Route]:
    """A route for each path, in the order in which the paths are first declared."""
    by_path: dict[str, dict[str, Served]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = Served(blitz, operation)
    return [_route(path, methods) for path, methods in by_path.items()]


def _route(path: str, methods: dict[str, Served]) -> Route:
    async def serve(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await methods[method].serve(request)

    return Route(_pattern(path, next(iter(methods.values())).operation), serve, methods=list(methods))


def _pattern(path: str, operation: Operation) -> str:
    """A path as Starlette wants it; where a number belongs, a word is another path."""
    for name in operation.in_path:
        if operation.form_of(name).get("type") == "integer":
            path = path.replace(f"{{{name}}}", f"{{{name}:int}}")
    return path


class Served:
    """An operation that a Blitz serves.

    :param operation: its declaration
    """

    def __init__(self, blitz: Blitz, operation: Operation) -> None:
        self._blitz = blitz
        self.operation = operation
        self._validator = Validator(operation)
        self._is_async = inspect.iscoroutinefunction(operation.handler)

    async def serve(self, request: Request) -> Response:
        """Answer a request."""
        stream = Stream(request)
        return await guarded(self.operation, functools.partial(self._answer, request, stream))

    async def _answer(self, request: Request, stream: Stream) -> Response:
        try:
            return await self._call(request, stream)
        except AdminError:
            # A client that is still sending would see a broken connection instead of the answer.
            await stream.drain()
            raise

    async def _call(self, request: Request, stream: Stream) -> Response:
        form = self.operation.body
        content = bytearray()
        if not isinstance(form, Bytes):
            content = await _read(stream)
        find_call = functools.partial(self._checked, request, stream, content)
        if not self._is_async:
            # Everything in one thread's turn: each change of threads costs more than most requests.
            return await run_in_threadpool(lambda: cast("Response", self.operation.handler(find_call())))
        call = await run_in_threadpool(find_call)
        response = self.operation.handler(call)
        return await response if inspect.isawaitable(response) else response

    def _checked(self, request: Request, stream: Stream, content: bytearray) -> Call:
        """A call whose session, parameters and body are good."""
        user: Actor | None = None
        if self.operation.session:
            user = self._blitz.sessions.find(bearer(request), unquote(request.headers.get("omero-group", "")))
        read_only = self._blitz.read_only
        if self.operation.changes and (read_only.database or (read_only.repository and self.operation.stores)):
            raise read_only_error("database" if read_only.database else "repository")
        body = self._validator.body(content) if isinstance(self.operation.body, dict) else None
        return Call(
            blitz=self._blitz,
            path=self._validator.path(request.path_params),
            query=self._validator.query(request.query_params.multi_items()),
            ip=request.headers.get("x-forwarded-for", "127.0.0.1")[:64],
            transport=request.headers.get("x-omero-transport", ""),
            stream=stream,
            body=body,
            user=user,
        )


def bearer(request: Request) -> str:
    """The session key; empty where there is none."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def _read(stream: Stream) -> bytearray:
    """The whole body.

    :raises AdminError: ``body-too-large``
    """
    content = bytearray()
    while piece := await stream.next():
        if len(content) + len(piece) > _LARGEST_BODY:
            raise AdminError(
                "body-too-large", f"a document has at most {_LARGEST_BODY} bytes", exit_status=ExitStatus.USAGE
            )
        content += piece
    return content


async def drain(request: Request) -> None:
    """Read a body that nobody wants."""
    with contextlib.suppress(ClientDisconnect):
        await Stream(request).drain()
