"""Which request goes where: the API for clients, and that for the other servers."""

from __future__ import annotations

import functools
import json

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from omeroadmin.runtime.services.blitz.application import Blitz
from omeroadmin.runtime.services.blitz.http import (
    files,
    filesets,
    graph,
    groups,
    images,
    importlogs,
    imports,
    jobs,
    objects,
    sessions,
    usage,
    users,
)
from omeroadmin.runtime.services.blitz.http.calls import Call
from omeroadmin.runtime.services.blitz.http.description import describe
from omeroadmin.runtime.services.blitz.http.failures import problem
from omeroadmin.runtime.services.blitz.http.forms import OBJECT
from omeroadmin.runtime.services.blitz.http.operation import Operation
from omeroadmin.runtime.services.blitz.http.serving import drain, routes
from omeroadmin.version import VERSION


def description(_: Call) -> Response:
    """``GET /openapi.json``: this API's description."""
    return Response(_description(), media_type="application/json")


PUBLIC = (
    Operation(
        "getDescription",
        "GET",
        "/openapi.json",
        description,
        "The description of this API in OpenAPI 3.1.",
        OBJECT,
        session=False,
    ),
    *sessions.OPERATIONS,
    *images.OPERATIONS,
    *filesets.OPERATIONS,
    *files.OPERATIONS,
    *importlogs.OPERATIONS,
    *usage.OPERATIONS,
    *imports.OPERATIONS,
    *objects.OPERATIONS,
    *graph.OPERATIONS,
    *jobs.OPERATIONS,
    *users.OPERATIONS,
    *groups.OPERATIONS,
)
"""All operations for clients."""

INTERNAL = (*sessions.INTERNAL, *jobs.INTERNAL)
"""Operations for the other servers of the instance alone."""


def description_text() -> str:
    """The description as a JSON document for people."""
    return json.dumps(describe(PUBLIC, VERSION), indent=2, ensure_ascii=False) + "\n"


@functools.cache
def _description() -> bytes:
    return json.dumps(describe(PUBLIC, VERSION)).encode()


def public_application(blitz: Blitz) -> Starlette:
    """What OMERO.Glacier2 passes on."""
    return _application([Mount("/api/v0", routes=routes(blitz, PUBLIC))])


def internal_application(blitz: Blitz) -> Starlette:
    """For the other servers: the same API, and what needs no session."""
    return _application(
        [Mount("/api/v0", routes=routes(blitz, PUBLIC)), Mount("/internal", routes=routes(blitz, INTERNAL))]
    )


def _application(mounts: list[BaseRoute]) -> Starlette:
    return Starlette(routes=mounts, exception_handlers={404: _missing, 405: _not_allowed})


async def _missing(request: Request, _: Exception) -> Response:
    await drain(request)
    return problem(404, "not-found", f"there is no {request.method} {request.url.path[:200]}")


async def _not_allowed(request: Request, error: Exception) -> Response:
    await drain(request)
    response = problem(405, "not-allowed", f"{request.method} {request.url.path[:200]} is not possible")
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response
