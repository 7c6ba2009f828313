"""Routes of what is left to know of an import: its log, and how long it took."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call, answer
from omeroadmin.runtime.services.blitz.http.forms import AFTER, FLAG, ID, LIMIT, TEXT, WHOLE, maybe, named, page
from omeroadmin.runtime.services.blitz.http.operation import Operation
from omeroadmin.runtime.services.blitz.services.filestore.importtimes import Times
from omeroadmin.schema.forms import record, table


def log(call: Call) -> Response:
    """``GET /filesets/ID/log``: the file that the log is."""
    return answer(call.blitz.filestore.logs.find(call.actor, call.path["id"]))


def times(call: Call) -> Response:
    """``GET /filesets/ID/import-times``."""
    return answer(_document(call.blitz.filestore.times.of(call.actor, call.path["id"])))


def keep(call: Call) -> Response:
    """``POST /filesets/ID/import-times``."""
    return answer(_document(call.blitz.filestore.times.of(call.actor, call.path["id"], keep=True)))


def kept(call: Call) -> Response:
    """``GET /import-times``."""
    limit = call.query["limit"]
    found = call.blitz.filestore.times.kept(call.actor, call.query["after"], limit + 1)
    following = found[limit - 1].fileset_id if len(found) > limit else None
    return answer({"import_times": [_document(one) for one in found[:limit]], "next": following})


def _document(found: Times) -> dict[str, Any]:
    return {"id": found.fileset_id, "metrics": found.metrics, "kept": found.kept}


_LOG = named("ImportLog", record({"id": ID, "path": TEXT, "name": TEXT, "size": maybe(WHOLE)}))
_TIMES = named("ImportTimes", record({"id": ID, "metrics": table(WHOLE), "kept": FLAG}))

OPERATIONS = (
    Operation(
        "getImportLog",
        "GET",
        "/filesets/{id}/log",
        log,
        "The file that the log of a fileset's import is.",
        _LOG,
        errors=("log-missing",),
    ),
    Operation(
        "getImportTimes",
        "GET",
        "/filesets/{id}/import-times",
        times,
        "How long the phases of a fileset's import took, in milliseconds, with the numbers of what they made.",
        _TIMES,
        errors=("import-unfinished",),
    ),
    Operation(
        "keepImportTimes",
        "POST",
        "/filesets/{id}/import-times",
        keep,
        "The same, and kept as a map annotation of the fileset.",
        _TIMES,
        errors=("import-unfinished", "group-mismatch", "link-exists"),
    ),
    Operation(
        "listImportTimes",
        "GET",
        "/import-times",
        kept,
        "The times that were kept, in the order of the filesets' ids.",
        page("import_times", _TIMES),
        parameters=(AFTER, LIMIT),
    ),
)
