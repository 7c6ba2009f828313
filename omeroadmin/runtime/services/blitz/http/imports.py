"""Routes of imports; the bytes of a file go from the socket to the disk in constant memory."""

from __future__ import annotations

import functools
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call, Stream, answer, nothing
from omeroadmin.runtime.services.blitz.http.forms import FLAG, ID, TEXT, WHOLE, default, maybe, named, one_of, words
from omeroadmin.runtime.services.blitz.http.operation import Bytes, Operation, Parameter
from omeroadmin.runtime.services.blitz.services.importoptions import Comment, ImportOptions, Skip, TargetId
from omeroadmin.runtime.services.blitz.services.imports import Announced
from omeroadmin.runtime.services.blitz.services.importtargets import Choice, Named
from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.runtime.services.blitz.services.uploads import Receiver
from omeroadmin.schema.forms import array, record
from omeroadmin.schema.transfers import Transfer

_PIECE = 1024 * 1024
"""Bytes that are written to the disk at once; what arrives in between is collected."""


def begin(call: Call) -> Response:
    """``POST /imports``: a place for the files of a fileset."""
    announced = [Announced(file["client_path"], file["size"]) for file in call.body["files"]]
    transfer = Transfer(call.body["transfer"])
    upload = call.blitz.imports.begin(call.actor, announced, call.body["checksum_algorithms"], transfer)
    places = [upload.directory.path / file.path for file in upload.files]
    document: dict[str, Any] = {
        "import_id": upload.id,
        "fileset_prefix": upload.directory.prefix,
        "checksum_algorithm": upload.algorithm,
        "files": [
            {"index": index, "path": f"{place.parent}/", "name": place.name} for index, place in enumerate(places)
        ],
    }
    if transfer.is_in_place:
        directory = call.blitz.imports.directory_of(upload)
        for file, described in zip(upload.files, document["files"], strict=True):
            described["place"] = str(directory / file.path)
    return answer(document, 201)


def verify(call: Call) -> Response:
    """``POST /imports/ID/files/INDEX/placed``: the client has put a file in its place."""
    index = call.path["index"]
    file = call.blitz.imports.verify_file(call.actor, call.path["id"], index)
    return answer({"index": index, "size": file.size, "hash": file.hash})


def complete(call: Call) -> Response:
    """``POST /imports/ID/complete``: all or nothing."""
    body = call.body
    options = ImportOptions(
        name=body["name"],
        description=body["description"],
        target=None if body["target"] is None else TargetId(body["target"]["type"], body["target"]["id"]),
        comments=tuple(Comment(item["namespace"] or "", item["text"]) for item in body["annotations"]),
        annotation_ids=tuple(dict.fromkeys(body["annotation_ids"])),
        skip=frozenset(map(Skip, body["skip"])),
    )
    imported = call.blitz.imports.complete(call.actor, call.path["id"], body["hashes"], options)
    return answer(
        {
            "fileset_id": imported.fileset_id,
            "images": [{"id": image.id, "name": image.name, "pixels_id": image.pixels_id} for image in imported.images],
            "plates": list(imported.plates),
        },
        201,
    )


def target(call: Call) -> Response:
    """``POST /imports/targets``: the container of a name or an id, made if need be."""
    project = call.body["project"]
    found = call.blitz.targets.resolve(call.actor, _wish(call.body), None if project is None else _wish(project))
    return answer({"type": found.kind, "id": found.id, "name": found.name, "created": found.created})


def cancel(call: Call) -> Response:
    """``DELETE /imports/ID``: its files are gone."""
    call.blitz.imports.cancel(call.actor, call.path["id"])
    return nothing()


async def upload(call: Call) -> Response:
    """``PUT /imports/ID/files/INDEX``: the bytes of one file."""
    imports, actor, import_id, index = call.blitz.imports, call.actor, call.path["id"], call.path["index"]
    receiver = await run_in_threadpool(imports.start_file, actor, import_id, index)
    whole = False
    try:
        await receive(call.stream, receiver)
        whole = True
    finally:
        end = functools.partial(imports.end_file, actor, import_id, index, receiver, whole=whole)
        file = await run_in_threadpool(end)
    return answer({"index": index, "size": file.size, "hash": file.hash})


async def receive(body: Stream, receiver: Receiver) -> None:
    """Write a body to the disk while it comes."""
    piece = bytearray()
    while chunk := await body.next():
        piece += chunk
        if len(piece) >= _PIECE:
            await run_in_threadpool(receiver.write, bytes(piece))
            piece.clear()
    if piece:
        await run_in_threadpool(receiver.write, bytes(piece))


def _wish(document: dict[str, Any]) -> Named | TargetId:
    if "id" in document:
        return TargetId(document["type"], document["id"])
    if "name" not in document:
        raise invalid("a target has an id or a name")
    return Named(document["type"], document["name"], Choice(document["choose"]))


_PLACE = record({"index": WHOLE, "path": TEXT, "name": TEXT}, {"place": TEXT})
_STORED = named("StoredFile", record({"index": WHOLE, "size": WHOLE, "hash": TEXT}))
_INDEX = Parameter("index", WHOLE, "Which of the files that were announced.")
_TARGET = record({"type": one_of("Dataset", "Screen", "Project"), "id": ID})
_COMMENT = record({"text": TEXT}, {"namespace": default(maybe(words(255)), "")})
_WISH = {"id": ID, "name": words(255, fewest=1), "choose": default(one_of(*Choice), Choice.NEWEST.value)}
_KIND = {"type": one_of("Dataset", "Screen", "Project")}
_OPTIONS = {
    "name": default(maybe(TEXT), None),
    "description": default(maybe(TEXT), None),
    "target": default(maybe(_TARGET), None),
    "annotations": default(array(_COMMENT), []),
    "annotation_ids": default(array(ID), []),
    "skip": default(array(one_of(*Skip)), []),
}

OPERATIONS = (
    Operation(
        "beginImport",
        "POST",
        "/imports",
        begin,
        "A place for the files of a fileset.",
        record({"import_id": ID, "fileset_prefix": TEXT, "checksum_algorithm": TEXT, "files": array(_PLACE)}),
        body=record(
            {"files": array(record({"client_path": TEXT, "size": WHOLE}))},
            {
                "checksum_algorithms": default(array(TEXT), []),
                "transfer": default(one_of(*Transfer), Transfer.UPLOAD.value),
                "agent": default(TEXT, ""),
            },
        ),
        status=201,
        errors=(
            "file-name-invalid",
            "checksum-not-agreed",
            "checksum-unknown",
            "path-escapes",
            "directory-name-too-long",
            "directory-not-created",
            "file-not-written",
        ),
        stores=True,
    ),
    Operation(
        "uploadFile",
        "PUT",
        "/imports/{id}/files/{index}",
        upload,
        "The bytes of one file of an import; what the server stored comes back.",
        _STORED,
        parameters=(_INDEX,),
        body=Bytes(),
        errors=("size-mismatch", "import-busy", "file-not-written", "directory-not-created"),
        stores=True,
    ),
    Operation(
        "verifyFile",
        "POST",
        "/imports/{id}/files/{index}/placed",
        verify,
        "Look at a file that the client has put in its place.",
        _STORED,
        parameters=(_INDEX,),
        errors=("file-not-placed", "size-mismatch", "import-busy", "path-escapes"),
        stores=True,
    ),
    Operation(
        "findTarget",
        "POST",
        "/imports/targets",
        target,
        "The container of a name or an id, made if need be; of a Dataset also the Project that it shall be in.",
        record({"type": TEXT, "id": ID, "name": TEXT, "created": FLAG}),
        body=record(_KIND, {**_WISH, "project": default(maybe(record(_KIND, _WISH)), None)}),
        errors=("target-not-found", "target-ambiguous"),
    ),
    Operation(
        "completeImport",
        "POST",
        "/imports/{id}/complete",
        complete,
        "Make images of an import's files: all or nothing.",
        record(
            {"fileset_id": ID, "images": array(record({"id": ID, "name": TEXT, "pixels_id": ID})), "plates": array(ID)}
        ),
        body=record({"hashes": array(TEXT)}, _OPTIONS),
        status=201,
        errors=(
            "checksum-mismatch",
            "import-busy",
            "import-incomplete",
            "unreadable-image",
            "target-not-found",
            "target-unsuitable",
            "group-mismatch",
        ),
        stores=True,
    ),
    Operation("cancelImport", "DELETE", "/imports/{id}", cancel, "Give an import up; its files are gone."),
)
