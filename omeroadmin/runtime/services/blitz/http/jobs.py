"""Routes of scripts, jobs and tables, and those that only the other servers of the instance may use."""

from __future__ import annotations

from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call, answer, nothing
from omeroadmin.runtime.services.blitz.services.problems import invalid


def scripts(call: Call) -> Response:
    """``GET /scripts``."""
    _ = call.actor
    return answer({"scripts": [{"id": number, "path": path} for number, path in call.blitz.scripts.listing()]})


def submit(call: Call) -> Response:
    """``POST /scripts/ID/jobs``: have a script run."""
    inputs = call.member("inputs", dict, {})
    return answer({"job_id": call.blitz.scripts.submit(call.actor, call.path["id"], inputs)}, 202)


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
    table = call.blitz.tables.create(call.actor, call.member("columns", list), call.member("rows", list, []))
    return answer({"id": table}, 201)


def table(call: Call) -> Response:
    """``GET /tables/ID``."""
    return answer(call.blitz.tables.read(call.actor, call.path["id"]))


def claim(call: Call) -> Response:
    """``POST /internal/jobs/claim``: a job for a Processor, or nothing."""
    found = call.blitz.scripts.claim(call.member("processor", str))
    return nothing() if found is None else answer(found)


def lease(call: Call) -> Response:
    """``POST /internal/jobs/ID/lease``: a sign of life from the Processor that runs it."""
    call.blitz.scripts.renew(call.path["id"], call.member("processor", str))
    return nothing()


def result(call: Call) -> Response:
    """``POST /internal/jobs/ID/result``."""
    call.blitz.scripts.finish(
        call.path["id"],
        status=call.member("status", str),
        message=call.member("message", str, ""),
        outputs=call.member("outputs", dict, {}),
        output=call.member("stdout", str, ""),
        error_output=call.member("stderr", str, ""),
    )
    return nothing()


def statistics(call: Call) -> Response:
    """``POST /internal/pixels/ID/statistics``."""
    channels = call.member("channels", list)
    for pair in channels:
        if not isinstance(pair, list) or len(pair) != 2 or not all(_is_number(value) for value in pair):
            raise invalid("channels is not a list of pairs of numbers")
    call.blitz.pixels.set_statistics(call.path["id"], [(float(low), float(high)) for low, high in channels])
    return nothing()


def thumbnail(call: Call) -> Response:
    """``POST /internal/thumbnails``."""
    made = call.blitz.pixels.add_thumbnail(
        call.member("pixels_id", int), call.member("size_x", int), call.member("size_y", int)
    )
    return answer({"id": made}, 201)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
