"""Routes of deletes, moves between groups and changes of ownership."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call, answer
from omeroadmin.runtime.services.blitz.http.forms import FLAG, ID, TEXT, WHOLE, default, few, named, one_of, words
from omeroadmin.runtime.services.blitz.http.operation import Operation as Route
from omeroadmin.runtime.services.blitz.services.graph.plan import GraphPlan
from omeroadmin.runtime.services.blitz.services.graph.ranges import parse_ranges, ranges_text
from omeroadmin.runtime.services.blitz.services.graph.service import GraphRequest
from omeroadmin.runtime.services.blitz.services.graph.targets import Target
from omeroadmin.runtime.services.blitz.services.graph.wish import Operation, chosen_types
from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.schema.forms import Form, array, record, text


def delete(call: Call) -> Response:
    """``POST /delete``: objects and what hangs on them."""
    return _run(call, Operation.DELETE, 0)


def chgrp(call: Call) -> Response:
    """``POST /chgrp``: objects and what hangs on them go to another group."""
    return _run(call, Operation.CHGRP, call.body["group_id"])


def chown(call: Call) -> Response:
    """``POST /chown``: objects and what hangs on them get another owner."""
    return _run(call, Operation.CHOWN, call.body["user_id"])


def _run(call: Call, operation: Operation, destination_id: int) -> Response:
    body = call.body
    request = GraphRequest(
        operation,
        tuple(Target(tuple(one["type"].split("/")), parse_ranges(one["ids"])) for one in body["targets"]),
        chosen_types(body["include"]),
        chosen_types(body["exclude"]),
        ordered=body["ordered"],
        dry_run=body["dry_run"],
        destination_id=destination_id,
    )
    both = sorted(request.include & request.exclude)
    if both:
        raise invalid(f"{both[0]} is included and excluded")
    result = call.blitz.graph.run(call.actor, request)
    return answer(
        {
            "operation": operation.value,
            "dry_run": request.dry_run,
            "plans": [_document(plan) for plan in result.plans],
            "files_removed": result.files_removed,
            "elapsed_ms": round(result.seconds * 1000),
        }
    )


def _document(plan: GraphPlan) -> dict[str, Any]:
    return {
        "deleted": _objects(plan.deleted),
        "included": _objects(plan.changed),
        "kept": [
            {"type": one.type, "ids": ranges_text(one.ids), "count": len(one.ids), "reason": one.reason}
            for one in plan.kept
        ],
        "warnings": list(plan.warnings),
        "steps": plan.steps,
    }


def _objects(objects: Mapping[str, tuple[int, ...]]) -> list[dict[str, Any]]:
    return [{"type": name, "ids": ranges_text(ids), "count": len(ids)} for name, ids in objects.items()]


_TYPES = text(r"[A-Za-z]{1,60}(/[A-Za-z]{1,60}){0,9}")
_IDS = text(r"\d{1,18}(-\d{1,18})?(,\d{1,18}(-\d{1,18})?)*")
_OBJECTS = array(named("ObjectsOfType", record({"type": TEXT, "ids": TEXT, "count": WHOLE})))
_ANSWER = named(
    "GraphResult",
    record(
        {
            "operation": one_of(*Operation),
            "dry_run": FLAG,
            "plans": array(
                record(
                    {
                        "deleted": _OBJECTS,
                        "included": _OBJECTS,
                        "kept": array(record({"type": TEXT, "ids": TEXT, "count": WHOLE, "reason": TEXT})),
                        "warnings": array(TEXT),
                        "steps": WHOLE,
                    }
                )
            ),
            "files_removed": WHOLE,
            "elapsed_ms": WHOLE,
        }
    ),
)
_ERRORS = ("not-found", "fileset-split", "file-in-use", "request-too-large", "changed-meanwhile")


def _body(**destination: Form) -> Form:
    kinds = default(few(words(60, fewest=1), 50), [])
    return record(
        {"targets": few(record({"type": _TYPES, "ids": _IDS}), 10_000, fewest=1), **destination},
        {"include": kinds, "exclude": kinds, "ordered": default(FLAG, False), "dry_run": default(FLAG, False)},
    )


OPERATIONS = (
    Route(
        "deleteObjects",
        "POST",
        "/delete",
        delete,
        "Delete objects with what hangs on them, all or nothing.",
        _ANSWER,
        body=_body(),
        errors=_ERRORS,
    ),
    Route(
        "moveObjects",
        "POST",
        "/chgrp",
        chgrp,
        "Move objects with what hangs on them to another group, all or nothing.",
        _ANSWER,
        body=_body(group_id=ID),
        errors=_ERRORS,
    ),
    Route(
        "giveObjects",
        "POST",
        "/chown",
        chown,
        "Give objects with what hangs on them to another user, all or nothing.",
        _ANSWER,
        body=_body(user_id=ID),
        errors=_ERRORS,
    ),
)
