"""Which request goes where: the API for clients, and that for the other servers."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from omeroadmin.runtime.services.blitz.application import Blitz
from omeroadmin.runtime.services.blitz.http import images, imports, jobs, sessions
from omeroadmin.runtime.services.blitz.http.calls import Handler, drain, endpoint, problem


def public_application(blitz: Blitz) -> Starlette:
    """What OMERO.Glacier2 passes on."""
    return _application([Mount("/api/v0", routes=_api(blitz))])


def internal_application(blitz: Blitz) -> Starlette:
    """For the other servers: the same API, and what needs no session."""
    return _application([Mount("/api/v0", routes=_api(blitz)), Mount("/internal", routes=_internal(blitz))])


def _application(routes: list[BaseRoute]) -> Starlette:
    return Starlette(routes=routes, exception_handlers={404: _missing, 405: _not_allowed})


async def _missing(request: Request, _: Exception) -> Response:
    await drain(request)
    return problem(404, "not-found", f"there is no {request.method} {request.url.path[:200]}")


async def _not_allowed(request: Request, _: Exception) -> Response:
    await drain(request)
    return problem(405, "not-allowed", f"{request.method} {request.url.path[:200]} is not possible")


def _api(blitz: Blitz) -> list[BaseRoute]:
    def route(method: str, path: str, handler: Handler, *, session: bool = True) -> Route:
        return Route(path, endpoint(blitz, handler, session=session), methods=[method])

    return [
        route("GET", "/status", sessions.status, session=False),
        Route("/sessions", sessions.login_endpoint(blitz), methods=["POST"]),
        route("GET", "/sessions", sessions.listing),
        route("GET", "/sessions/current", sessions.current),
        route("DELETE", "/sessions/current", sessions.close),
        route("POST", "/sessions/current/keepalive", sessions.keep_alive),
        route("GET", "/repositories", images.repositories),
        route("GET", "/filesets", images.filesets),
        route("POST", "/filesets/client-paths", images.client_paths),
        route("POST", "/filesets/file-names", images.file_names),
        route("GET", "/images", images.images),
        route("GET", "/images/{id:int}", images.image),
        route("GET", "/images/{id:int}/thumbnail", images.thumbnail),
        route("GET", "/images/{id:int}/files", images.image_files),
        route("GET", "/files/{id:int}/content", images.content),
        route("POST", "/imports", imports.begin),
        Route("/imports/{id:int}/files/{index:int}", imports.upload_endpoint(blitz), methods=["PUT"]),
        route("POST", "/imports/targets", imports.target),
        route("POST", "/imports/{id:int}/files/{index:int}/placed", imports.verify),
        route("POST", "/imports/{id:int}/complete", imports.complete),
        route("DELETE", "/imports/{id:int}", imports.cancel),
        route("GET", "/search", images.search),
        route("GET", "/scripts", jobs.scripts),
        route("POST", "/scripts/{id:int}/jobs", jobs.submit),
        route("GET", "/jobs/{id:int}", jobs.job),
        route("POST", "/tables", jobs.create_table),
        route("GET", "/tables/{id:int}", jobs.table),
    ]


def _internal(blitz: Blitz) -> list[BaseRoute]:
    def route(path: str, handler: Handler) -> Route:
        return Route(path, endpoint(blitz, handler, session=False), methods=["POST"])

    return [
        route("/sessions", sessions.open_for_server),
        route("/jobs/claim", jobs.claim),
        route("/jobs/{id:int}/lease", jobs.lease),
        route("/jobs/{id:int}/result", jobs.result),
        route("/pixels/{id:int}/statistics", jobs.statistics),
        route("/thumbnails", jobs.thumbnail),
    ]
