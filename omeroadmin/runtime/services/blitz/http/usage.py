"""Routes of sizes and directories."""

from __future__ import annotations

from dataclasses import asdict

from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call, answer
from omeroadmin.runtime.services.blitz.http.forms import FLAG, ID, TEXT, WHOLE, default, few, named, one_of, words
from omeroadmin.runtime.services.blitz.http.operation import Operation
from omeroadmin.runtime.services.blitz.services.filestore.usage import COMPONENTS, TYPES
from omeroadmin.schema.forms import array, record


def usage(call: Call) -> Response:
    """``POST /usage``: what the files of objects take."""
    objects: dict[str, list[int]] = {}
    for target in call.body["objects"]:
        objects.setdefault(target["type"], []).extend(target["ids"])
    found = call.blitz.filestore.usage.of(call.actor, objects, call.body["types"])
    return answer({"parts": [asdict(part) for part in found]})


def make_directory(call: Call) -> Response:
    """``POST /directories``: a directory of the managed repository."""
    found = call.blitz.filestore.directories.make(call.actor, call.body["path"], parents=call.body["parents"])
    return answer({"id": found.id, "path": found.path, "name": found.name, "created": found.created}, 201)


_PART = named(
    "UsagePart",
    record(
        {
            "component": one_of(*COMPONENTS),
            "user_id": ID,
            "user": TEXT,
            "group_id": ID,
            "group": TEXT,
            "size": WHOLE,
            "files": WHOLE,
        }
    ),
)

OPERATIONS = (
    Operation(
        "getUsage",
        "POST",
        "/usage",
        usage,
        "What the files of objects take in bytes, each file counted once, by what it is, owner and group.",
        record({"parts": array(_PART)}),
        body=record(
            {},
            {
                "objects": default(array(record({"type": one_of(*TYPES), "ids": few(ID, 100_000)})), []),
                "types": default(few(one_of(*TYPES), len(TYPES)), []),
            },
        ),
        writes=False,
    ),
    Operation(
        "makeDirectory",
        "POST",
        "/directories",
        make_directory,
        "A directory of the managed repository, which belongs to root; for administrators.",
        record({"id": ID, "path": TEXT, "name": TEXT, "created": FLAG}),
        body=record({"path": words(4000, fewest=1)}, {"parents": default(FLAG, False)}),
        status=201,
        errors=("file-exists", "file-name-invalid", "path-escapes", "directory-not-created"),
        stores=True,
    ),
)
