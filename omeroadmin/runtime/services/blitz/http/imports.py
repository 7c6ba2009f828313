"""Routes of imports; the bytes of a file go from the socket to the disk in constant memory."""

from __future__ import annotations

import functools
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.application import Blitz
from omeroadmin.runtime.services.blitz.http.calls import Call, Endpoint, answer, bearer, guarded, nothing
from omeroadmin.runtime.services.blitz.services.imports import Announced
from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.runtime.services.blitz.services.uploads import Receiver

_PIECE = 1024 * 1024
"""Bytes that are written to the disk at once; what arrives in between is collected."""


def begin(call: Call) -> Response:
    """``POST /imports``: a place for the files of a fileset."""
    announced = [_announced(file) for file in call.member("files", list)]
    algorithms = call.member("checksum_algorithms", list, [])
    if not all(isinstance(name, str) for name in algorithms):
        raise invalid("checksum_algorithms is not a list of names")
    upload = call.blitz.imports.begin(call.actor, announced, algorithms)
    places = [upload.directory.path / file.path for file in upload.files]
    return answer(
        {
            "import_id": upload.id,
            "fileset_prefix": upload.directory.prefix,
            "checksum_algorithm": upload.algorithm,
            "files": [
                {"index": index, "path": f"{place.parent}/", "name": place.name} for index, place in enumerate(places)
            ],
        },
        201,
    )


def complete(call: Call) -> Response:
    """``POST /imports/ID/complete``: all or nothing."""
    hashes = call.member("hashes", list)
    if not all(isinstance(item, str) for item in hashes):
        raise invalid("hashes is not a list of checksums")
    name = call.body.get("name")
    if name is not None and not isinstance(name, str):
        raise invalid("name is not a text")
    imported = call.blitz.imports.complete(call.actor, call.path["id"], hashes, name)
    return answer(
        {
            "fileset_id": imported.fileset_id,
            "images": [{"id": image.id, "name": image.name} for image in imported.images],
        },
        201,
    )


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


def _announced(file: Any) -> Announced:
    if (
        not isinstance(file, dict)
        or not isinstance(file.get("client_path"), str)
        or not isinstance(file.get("size"), int)
        or isinstance(file["size"], bool)
    ):
        raise invalid("files is not a list of objects with client_path and size")
    return Announced(file["client_path"], file["size"])
