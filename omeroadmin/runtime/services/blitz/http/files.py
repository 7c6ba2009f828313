"""Routes of single files: uploads, and what is recorded of a file."""

from __future__ import annotations

import functools

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call, answer, nothing
from omeroadmin.runtime.services.blitz.http.forms import ID, TEXT, WHOLE, default, maybe, named, words
from omeroadmin.runtime.services.blitz.http.imports import receive
from omeroadmin.runtime.services.blitz.http.operation import Bytes, Operation
from omeroadmin.runtime.services.blitz.services.filestore.received import ALGORITHM
from omeroadmin.schema.forms import record


def begin(call: Call) -> Response:
    """``POST /uploads``: an id for a new file."""
    body = call.body
    pending = call.blitz.filestore.received.begin(call.actor, body["name"], body["mimetype"], body["size"])
    return answer({"id": pending.id, "checksum_algorithm": ALGORITHM}, 201)


async def upload(call: Call) -> Response:
    """``PUT /uploads/ID``: the bytes."""
    received, file_id = call.blitz.filestore.received, call.path["id"]
    receiver = await run_in_threadpool(received.start, call.actor, file_id)
    whole = False
    try:
        await receive(call.stream, receiver)
        whole = True
    finally:
        pending = await run_in_threadpool(functools.partial(received.end, file_id, receiver, whole=whole))
    return answer({"id": file_id, "size": pending.size, "hash": pending.hash})


def complete(call: Call) -> Response:
    """``POST /uploads/ID/complete``: the file is there from now on."""
    call.blitz.filestore.received.complete(call.actor, call.path["id"], call.body["hash"])
    return answer(_document(call), 201)


def cancel(call: Call) -> Response:
    """``DELETE /uploads/ID``."""
    call.blitz.filestore.received.cancel(call.actor, call.path["id"])
    return nothing()


def file(call: Call) -> Response:
    """``GET /files/ID``: what is recorded of a file."""
    return answer(_document(call))


def _document(call: Call) -> dict[str, object]:
    row = call.blitz.query.file_row(call.actor, call.path["id"])
    return {name: row[name] for name in _FILE["properties"]}


_FILE = named(
    "OriginalFile",
    record(
        {
            "id": ID,
            "path": TEXT,
            "name": TEXT,
            "mimetype": maybe(TEXT),
            "size": maybe(WHOLE),
            "hash": maybe(TEXT),
            "hasher": maybe(TEXT),
        }
    ),
)

OPERATIONS = (
    Operation(
        "beginUpload",
        "POST",
        "/uploads",
        begin,
        "An id for a new file, which is there when its upload is complete.",
        record({"id": ID, "checksum_algorithm": TEXT}),
        body=record(
            {"name": words(255, fewest=1), "size": WHOLE},
            {"mimetype": default(words(255, fewest=1), "application/octet-stream")},
        ),
        status=201,
        stores=True,
    ),
    Operation(
        "uploadContent",
        "PUT",
        "/uploads/{id}",
        upload,
        "The bytes of a new file; what the server received comes back.",
        record({"id": ID, "size": WHOLE, "hash": TEXT}),
        body=Bytes(),
        errors=("size-mismatch", "upload-busy", "file-not-written", "directory-not-created"),
        stores=True,
    ),
    Operation(
        "completeUpload",
        "POST",
        "/uploads/{id}/complete",
        complete,
        "Keep a new file whose checksum is this one.",
        _FILE,
        body=record({"hash": words(64)}),
        status=201,
        errors=("checksum-mismatch", "upload-busy", "upload-incomplete", "file-not-written"),
        stores=True,
    ),
    Operation(
        "cancelUpload", "DELETE", "/uploads/{id}", cancel, "Give an upload up; its bytes are gone.",
        errors=("upload-busy",),
    ),
    Operation("getFile", "GET", "/files/{id}", file, "What is recorded of a file.", _FILE),
)  # fmt: skip
