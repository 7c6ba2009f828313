"""Routes of scripts, jobs and tables, and those that only the other servers of the instance may use."""

from __future__ import annotations

from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call, answer, nothing
from omeroadmin.runtime.services.blitz.http.forms import FLAG, ID, OBJECT, REAL, TEXT, default, few, named, one_of
from omeroadmin.runtime.services.blitz.http.operation import Operation
from omeroadmin.schema.forms import ANYTHING, array, number, record


def scripts(call: Call) -> Response:
    """``GET /scripts``."""
    _ = call.actor
    return answer({"scripts": [{"id": number, "path": path} for number, path in call.blitz.scripts.listing()]})


def submit(call: Call) -> Response:
    """``POST /scripts/ID/jobs``: have a script run."""
    return answer({"job_id": call.blitz.scripts.submit(call.actor, call.path["id"], call.body["inputs"])}, 202)


def job(call: Call) -> Response:
    """``GET /jobs/ID``."""
    found = call.blitz.scripts.job(call.actor, call.path["id"])
    return answer(
        {
            "id": found.id,
            "status": found.status,
            "message": found.message,
            "outputs": found.outputs,
            "stdout": found.output,
            "stderr": found.error_output,
        }
    )


def create_table(call: Call) -> Response:
    """``POST /tables``."""
    table = call.blitz.tables.create(call.actor, call.body["columns"], call.body["rows"])
    return answer({"id": table}, 201)


def table(call: Call) -> Response:
    """``GET /tables/ID``."""
    return answer(call.blitz.tables.read(call.actor, call.path["id"]))


def claim(call: Call) -> Response:
    """``POST /internal/jobs/claim``: a job for a Processor, or nothing."""
    found = call.blitz.scripts.claim(call.body["processor"])
    return nothing() if found is None else answer(found)


def lease(call: Call) -> Response:
    """``POST /internal/jobs/ID/lease``: a sign of life from the Processor that runs it."""
    call.blitz.scripts.renew(call.path["id"], call.body["processor"])
    return nothing()


def result(call: Call) -> Response:
    """``POST /internal/jobs/ID/result``."""
    call.blitz.scripts.finish(
        call.path["id"],
        status=call.body["status"],
        message=call.body["message"],
        outputs=call.body["outputs"],
        output=call.body["stdout"],
        error_output=call.body["stderr"],
    )
    return nothing()


def statistics(call: Call) -> Response:
    """``POST /internal/pixels/ID/statistics``."""
    channels = [(float(low), float(high)) for low, high in call.body["channels"]]
    call.blitz.pixels.set_statistics(call.path["id"], channels)
    return nothing()


def thumbnail(call: Call) -> Response:
    """``POST /internal/thumbnails``."""
    made = call.blitz.pixels.add_thumbnail(call.body["pixels_id"], call.body["size_x"], call.body["size_y"])
    return answer({"id": made}, 201)


_COLUMN = named("Column", record({"name": TEXT, "type": TEXT}))
_JOB = named(
    "Job",
    record(
        {
            "id": ID,
            "status": TEXT,
            "message": TEXT,
            "outputs": ANYTHING,
            "stdout": TEXT,
            "stderr": TEXT,
        }
    ),
)
_PROCESSOR = record({"processor": TEXT})
_RESULT = {"message": default(TEXT, ""), "outputs": default(OBJECT, {})}
_RESULT |= {"stdout": default(TEXT, ""), "stderr": default(TEXT, ""), "exhausted": FLAG}

OPERATIONS = (
    Operation(
        "listScripts",
        "GET",
        "/scripts",
        scripts,
        "The scripts that exist.",
        record({"scripts": array(named("Script", record({"id": ID, "path": TEXT})))}),
    ),
    Operation(
        "submitJob",
        "POST",
        "/scripts/{id}/jobs",
        submit,
        "Have a script run.",
        record({"job_id": ID}),
        body=record({}, {"inputs": default(OBJECT, {})}),
        status=202,
        stores=True,
    ),
    Operation(
        "getJob",
        "GET",
        "/jobs/{id}",
        job,
        "How a job stands; its status is OMERO's: Submitted, Running, Finished, Error, …",
        _JOB,
    ),
    Operation(
        "createTable",
        "POST",
        "/tables",
        create_table,
        "Store a table.",
        record({"id": ID}),
        body=record({"columns": array(_COLUMN)}, {"rows": default(array(array(ANYTHING)), [])}),
        status=201,
        errors=("tables-unavailable",),
        stores=True,
    ),
    Operation(
        "getTable",
        "GET",
        "/tables/{id}",
        table,
        "Columns and rows of a table.",
        record({"columns": array(_COLUMN), "rows": array(array(ANYTHING))}),
        errors=("tables-unavailable",),
    ),
)

INTERNAL = (
    Operation(
        "claimJob",
        "POST",
        "/jobs/claim",
        claim,
        "A job for a Processor, or nothing.",
        OBJECT,
        body=_PROCESSOR,
        session=False,
    ),
    Operation(
        "renewLease",
        "POST",
        "/jobs/{id}/lease",
        lease,
        "A sign of life from the Processor that runs a job.",
        body=_PROCESSOR,
        errors=("job-ended",),
        session=False,
    ),
    Operation(
        "endJob",
        "POST",
        "/jobs/{id}/result",
        result,
        "How a job ended.",
        body=record({"status": one_of("Finished", "Error", "Cancelled")}, _RESULT),
        errors=("job-ended",),
        session=False,
        stores=True,
    ),
    Operation(
        "setStatistics",
        "POST",
        "/pixels/{id}/statistics",
        statistics,
        "Minimum and maximum of each channel.",
        body=record({"channels": array(few(REAL, 2, fewest=2))}),
        session=False,
    ),
    Operation(
        "addThumbnail",
        "POST",
        "/thumbnails",
        thumbnail,
        "A row for a thumbnail whose file will be written.",
        record({"id": ID}),
        body=record({"pixels_id": ID, "size_x": number(1, 4096), "size_y": number(1, 4096)}),
        status=201,
        session=False,
        stores=True,
    ),
)
