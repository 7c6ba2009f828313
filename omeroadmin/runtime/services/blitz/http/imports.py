"""Routes of imports; the bytes of a file go from the socket to the disk in constant memory."""

from __future__ import annotations

import functools
from enum import StrEnum
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.application import Blitz
from omeroadmin.runtime.services.blitz.http.calls import Call, Endpoint, answer, bearer, guarded, nothing
from omeroadmin.runtime.services.blitz.services.importoptions import Comment, ImportOptions, Skip, TargetId, Transfer
from omeroadmin.runtime.services.blitz.services.imports import Announced
from omeroadmin.runtime.services.blitz.services.importtargets import Choice, Named
from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.runtime.services.blitz.services.uploads import Receiver

_PIECE = 1024 * 1024
"""Bytes that are written to the disk at once; what arrives in between is collected."""
_LONGEST_NAMESPACE = 255


def begin(call: Call) -> Response:
    """``POST /imports``: a place for the files of a fileset."""
    announced = [_announced(file) for file in call.member("files", list)]
    algorithms = call.member("checksum_algorithms", list, [])
    if not all(isinstance(name, str) for name in algorithms):
        raise invalid("checksum_algorithms is not a list of names")
    transfer = _word(Transfer, call.member("transfer", str, Transfer.UPLOAD.value), "transfer")
    upload = call.blitz.imports.begin(call.actor, announced, algorithms, transfer)
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
    hashes = call.member("hashes", list)
    if not all(isinstance(item, str) for item in hashes):
        raise invalid("hashes is not a list of checksums")
    options = ImportOptions(
        name=_text(call, "name"),
        description=_text(call, "description"),
        target=_target_id(call.body["target"]) if call.body.get("target") is not None else None,
        comments=tuple(_comment(item) for item in call.member("annotations", list, [])),
        skip=frozenset(_word(Skip, item, "skip") for item in call.member("skip", list, [])),
    )
    imported = call.blitz.imports.complete(call.actor, call.path["id"], hashes, options)
    return answer(
        {
            "fileset_id": imported.fileset_id,
            "images": [{"id": image.id, "name": image.name} for image in imported.images],
            "plates": list(imported.plates),
        },
        201,
    )


def target(call: Call) -> Response:
    """``POST /imports/targets``: the container of a name or an id, made if need be."""
    project = call.body.get("project") if isinstance(call.body, dict) else None
    found = call.blitz.targets.resolve(call.actor, _wish(call.body), None if project is None else _wish(project))
    return answer({"type": found.kind, "id": found.id, "name": found.name, "created": found.created})


def cancel(call: Call) -> Response:
    """``DELETE /imports/ID``: its files are gone."""
    call.blitz.imports.cancel(call.actor, call.path["id"])
    return nothing()


def upload_endpoint(blitz: Blitz) -> Endpoint:
    """``PUT /imports/ID/files/INDEX``: the bytes of one file."""

    async def upload(request: Request) -> Response:
        return await guarded(request, functools.partial(_upload, blitz, request))

    return upload


async def _upload(blitz: Blitz, request: Request) -> Response:
    import_id, index = request.path_params["id"], request.path_params["index"]
    body = _Body(request)
    try:
        actor = await run_in_threadpool(blitz.sessions.find, bearer(request))
        receiver = await run_in_threadpool(blitz.imports.start_file, actor, import_id, index)
        whole = False
        try:
            await _receive(body, receiver)
            whole = True
        finally:
            end = functools.partial(blitz.imports.end_file, actor, import_id, index, receiver, whole=whole)
            file = await run_in_threadpool(end)
    except AdminError:
        # A client that is still sending would see a broken connection instead of the answer.
        await body.drain()
        raise
    return answer({"index": index, "size": file.size, "hash": file.hash})


class _Body:
    """The body of a request in pieces, which knows where it ends."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._ended = False

    async def next(self) -> bytes:
        """The next piece; empty at the end.

        :raises ClientDisconnect: if the client broke off
        """
        while not self._ended:
            message = await self._request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._ended = not message.get("more_body", False)
            if message.get("body"):
                return bytes(message["body"])
        return b""

    async def drain(self) -> None:
        """Read the rest."""
        while await self.next():
            pass


async def _receive(body: _Body, receiver: Receiver) -> None:
    piece = bytearray()
    while chunk := await body.next():
        piece += chunk
        if len(piece) >= _PIECE:
            await run_in_threadpool(receiver.write, bytes(piece))
            piece.clear()
    if piece:
        await run_in_threadpool(receiver.write, bytes(piece))


_Word = TypeVar("_Word", bound=StrEnum)


def _word(kind: type[_Word], value: Any, name: str) -> _Word:
    if not isinstance(value, str) or value not in list(kind):
        raise invalid(f"{name} is one of {', '.join(kind)}")
    return kind(value)


def _text(call: Call, name: str) -> str | None:
    value = call.body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"{name} is not a text")
    return value


def _wish(document: Any) -> Named | TargetId:
    if isinstance(document, dict) and "id" in document:
        return _target_id(document)
    if not isinstance(document, dict) or not all(isinstance(document.get(name), str) for name in ("type", "name")):
        raise invalid("a target is an object with type, and id or name")
    choice = _word(Choice, document.get("choose", Choice.NEWEST.value), "choose")
    return Named(document["type"], document["name"], choice)


def _target_id(document: Any) -> TargetId:
    if (
        not isinstance(document, dict)
        or not isinstance(document.get("type"), str)
        or not isinstance(document.get("id"), int)
        or isinstance(document["id"], bool)
        or not 0 <= document["id"] < 2**63
    ):
        raise invalid("a target is an object with type and id")
    return TargetId(document["type"], document["id"])


def _comment(document: Any) -> Comment:
    if not isinstance(document, dict) or not isinstance(document.get("text"), str):
        raise invalid("annotations is not a list of objects with text and perhaps namespace")
    namespace = document.get("namespace") or ""
    if not isinstance(namespace, str) or len(namespace) > _LONGEST_NAMESPACE:
        raise invalid(f"the namespace of an annotation has {_LONGEST_NAMESPACE} characters at most")
    return Comment(namespace, document["text"])


def _announced(file: Any) -> Announced:
    if (
        not isinstance(file, dict)
        or not isinstance(file.get("client_path"), str)
        or not isinstance(file.get("size"), int)
        or isinstance(file["size"], bool)
    ):
        raise invalid("files is not a list of objects with client_path and size")
    return Announced(file["client_path"], file["size"])
