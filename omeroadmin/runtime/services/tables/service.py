"""Tables: tabular results in HDF5, in the file of an original file's id."""

from __future__ import annotations

import importlib.util
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from omeroadmin.errors import AdminError
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.failure import not_installed
from omeroadmin.runtime.kernel.localserver import Refusal, Request, serving

if TYPE_CHECKING:
    from omeroadmin.runtime.services.tables.store import TableStore

_STATUSES = {
    "table-missing": HTTPStatus.NOT_FOUND,
    "table-exists": HTTPStatus.CONFLICT,
    "table-invalid": HTTPStatus.BAD_REQUEST,
    "file-not-written": HTTPStatus.INSUFFICIENT_STORAGE,
}


def run(context: ServiceContext) -> int:
    """Answer until the server shall stop.

    :raises ServiceFailure: with status 69 where PyTables isn't installed
    """
    if importlib.util.find_spec("tables") is None:
        raise not_installed("PyTables is not installed: pip install 'omeroadmin[tables]'")
    with serving(context.socket_path(), Tables(context).answer):
        context.health.ready()
        context.stop.wait()
    return 0


class Tables:
    """Answers requests for tables, one at a time: HDF5 isn't safe in several threads."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._opened: TableStore | None = None

    def answer(self, request: Request) -> tuple[int, object]:
        """``PUT /tables/ID`` makes one, ``POST /tables/ID/rows`` adds rows, ``GET /tables/ID?start=&stop=`` reads."""
        parts = request.path.strip("/").split("/")
        if parts[0] != "tables" or len(parts) not in (2, 3) or not parts[1].isascii() or not parts[1].isdigit():
            raise Refusal(HTTPStatus.NOT_FOUND, "not-found", f"there is no {request.path}")
        table_id, what = int(parts[1]), "/".join([request.method, *parts[2:]])
        try:
            with self._lock:
                return self._do(what, table_id, request)
        except AdminError as error:
            status = _STATUSES.get(error.code, HTTPStatus.UNPROCESSABLE_ENTITY)
            raise Refusal(status, error.code, error.message) from error

    def _do(self, what: str, table_id: int, request: Request) -> tuple[int, object]:
        if what == "GET":
            stop = request.number("stop", -1)
            found = self._store().read(table_id, request.number("start", 0), None if stop < 0 else stop)
            return HTTPStatus.OK, found
        body = request.body if isinstance(request.body, dict) else {}
        rows = body.get("rows", [])
        if not isinstance(rows, list):
            raise Refusal(HTTPStatus.BAD_REQUEST, "table-invalid", "rows is not a list")
        if what == "PUT":
            total = self._store().create(table_id, _columns(body.get("columns")), rows)
            self._context.health.count("tables")
            return HTTPStatus.CREATED, {"id": table_id, "rows": total}
        if what == "POST/rows":
            return HTTPStatus.OK, {"id": table_id, "rows": self._store().append(table_id, rows)}
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "not-allowed", f"{request.method} {request.path} is not possible")

    def _store(self) -> TableStore:
        """PyTables costs half a second at import: the first table pays for it, not each start."""
        if self._opened is None:
            from omeroadmin.runtime.services.tables.store import TableStore

            self._opened = TableStore(self._context.settings.data_directory)
        return self._opened


def _columns(document: Any) -> list[Any]:
    from omeroadmin.runtime.services.tables.store import Column

    if not isinstance(document, list) or not all(isinstance(column, dict) for column in document):
        raise Refusal(HTTPStatus.BAD_REQUEST, "table-invalid", "columns is not a list of names and types")
    return [Column(str(column.get("name", "")), str(column.get("type", ""))) for column in document]
