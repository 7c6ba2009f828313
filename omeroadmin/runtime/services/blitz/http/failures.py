"""The API's failures: the status of each code, and how a failure of a handler becomes an answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import psycopg
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.runtime.kernel.memory import notice
from omeroadmin.runtime.services.blitz.http.operation import Operation
from omeroadmin.runtime.services.blitz.services.problems import conflict, invalid
from omeroadmin.runtime.services.blitz.services.readonly import read_only_error

_LOG = logging.getLogger("omero.blitz.http")

STATUSES = {
    "request-invalid": 400,
    "authentication-failed": 401,
    "session-expired": 401,
    "password-needs-tls": 403,
    "permission-denied": 403,
    "read-only": 403,
    "not-found": 404,
    "thumbnail-missing": 404,
    "not-allowed": 405,
    "user-exists": 409,
    "group-exists": 409,
    "group-not-joined": 409,
    "last-group": 409,
    "role-protected": 409,
    "data-inseparable": 409,
    "password-elsewhere": 409,
    "password-empty": 400,
    "checksum-mismatch": 409,
    "import-busy": 409,
    "upload-busy": 409,
    "upload-incomplete": 409,
    "file-exists": 409,
    "log-missing": 404,
    "import-unfinished": 409,
    "import-incomplete": 409,
    "job-ended": 409,
    "fileset-split": 409,
    "file-in-use": 409,
    "changed-meanwhile": 409,
    "request-too-large": 413,
    "body-too-large": 413,
    "size-mismatch": 400,
    "file-name-invalid": 400,
    "checksum-not-agreed": 400,
    "checksum-unknown": 400,
    "path-escapes": 400,
    "directory-name-too-long": 409,
    "file-not-placed": 400,
    "group-mismatch": 409,
    "link-exists": 409,
    "name-taken": 409,
    "version-conflict": 409,
    "target-not-found": 404,
    "target-ambiguous": 409,
    "target-unsuitable": 409,
    "unreadable-image": 422,
    "login-throttled": 429,
    "database-unavailable": 503,
    "out-of-memory": 503,
    "search-unavailable": 503,
    "tables-unavailable": 503,
    "file-not-written": 507,
    "directory-not-created": 507,
}
"""HTTP status of each code."""
_BY_EXIT_STATUS = {ExitStatus.USAGE: 400, ExitStatus.UNREACHABLE: 503, ExitStatus.LOCKED: 409}


async def guarded(operation: Operation, serve: Callable[[], Awaitable[Response]]) -> Response:
    """Turn every failure into an answer; nothing of what the client sent is logged."""
    what = f"{operation.method} {operation.path}"
    try:
        return await serve()
    except AdminError as error:
        if error.code not in operation.codes:
            _LOG.warning("%s failed with %s, which it doesn't declare", what, error.code)
        return failure(error)
    except ClientDisconnect:
        return Response(status_code=400)
    except psycopg.Error as error:
        return _of_database(error, what)
    except Exception as error:  # noqa: BLE001 - the boundary of a request
        return _unexpected(error, what)


def _of_database(error: psycopg.Error, what: str) -> Response:
    """The answer where a statement failed; only a bug lets one fail for another reason than these."""
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return failure(read_only_error("database"))
    if isinstance(error, psycopg.DataError):
        return failure(invalid("a value of the request can't be stored"))
    if isinstance(error, (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)):
        _LOG.info("%s was given up for another change: %s", what, type(error).__name__)
        return failure(conflict("changed-meanwhile", "another change of the same data was in the way; try again"))
    if isinstance(error, psycopg.OperationalError) and not notice(error):
        _LOG.warning("%s: the database failed: %s", what, type(error).__name__)
        return problem(503, "database-unavailable", "the database doesn't answer; try again")
    return _unexpected(error, what)


def _unexpected(error: Exception, what: str) -> Response:
    if notice(error):
        return _exhausted()
    _LOG.error("%s ended by an unexpected error", what, exc_info=error)
    return problem(500, "internal-error", "the server met an unexpected error; its log says more")


def _exhausted() -> Response:
    return problem(503, "out-of-memory", "the server has not enough memory for this request and starts anew")


def failure(error: AdminError) -> Response:
    """The answer for an expected failure."""
    status = STATUSES.get(error.code) or _BY_EXIT_STATUS.get(error.exit_status, 500)
    return problem(status, error.code, error.message)


def problem(status: int, code: str, message: str) -> Response:
    """An answer that isn't what was asked for."""
    return JSONResponse({"error": {"code": code, "message": message}}, status)
