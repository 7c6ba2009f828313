"""Routes of repositories, filesets, images, files and search."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict

import psycopg
from starlette.responses import FileResponse, Response

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.http.calls import Call, answer
from omeroadmin.runtime.services.blitz.http.forms import (
    ID,
    REAL,
    TEXT,
    TIME,
    WHOLE,
    default,
    few,
    maybe,
    named,
    one_of,
    words,
)
from omeroadmin.runtime.services.blitz.http.operation import Bytes, Operation, Parameter
from omeroadmin.runtime.services.blitz.services.search import DATES, MOST_HITS, SearchWish
from omeroadmin.runtime.services.indexer.documents import FIELDS
from omeroadmin.schema.forms import array, number, record


class _LargeFile(FileResponse):
    chunk_size = 1024 * 1024


def repositories(call: Call) -> Response:
    """``GET /repositories``."""
    return answer(
        {
            "repositories": [
                {"id": found.id, "uuid": found.uuid, "type": found.kind, "path": str(found.path)}
                for found in call.blitz.repositories.all
            ]
        }
    )


def image(call: Call) -> Response:
    """``GET /images/ID``."""
    return answer(call.blitz.query.image(call.actor, call.path["id"]))


def image_files(call: Call) -> Response:
    """``GET /images/ID/files``."""
    return answer({"files": call.blitz.query.image_files(call.actor, call.path["id"])})


def thumbnail(call: Call) -> Response:
    """``GET /images/ID/thumbnail?size=96``."""
    try:
        jpeg = call.blitz.query.thumbnail(call.actor, call.path["id"], call.query["size"])
    except AdminError as error:
        if error.code == "thumbnail-missing":
            # A server that only reads can't ask for it.
            with contextlib.suppress(AdminError, psycopg.Error):
                call.blitz.pixels.want_thumbnails(call.path["id"])
        raise
    return Response(jpeg, media_type="image/jpeg")


def content(call: Call) -> Response:
    """``GET /files/ID/content``: the bytes, streamed."""
    found = call.blitz.query.file(call.actor, call.path["id"])
    return _LargeFile(
        found.path,
        media_type="application/octet-stream",
        filename=found.name,
        stat_result=os.stat(found.path),  # noqa: PTH116 - the type that Starlette asks for
    )


def client_paths(call: Call) -> Response:
    """``POST /filesets/client-paths``: which paths were imported already."""
    known = call.blitz.query.known_client_paths(call.actor, call.body["paths"])
    return answer({"known": [{"path": path, "fileset_id": fileset} for path, fileset in known]})


def file_names(call: Call) -> Response:
    """``POST /filesets/file-names``: which names files of imports have already."""
    known = call.blitz.query.known_file_names(call.actor, call.body["names"])
    return answer({"known": [{"name": name, "fileset_id": fileset} for name, fileset in known]})


def search(call: Call) -> Response:
    """``GET /search?query=…&type=…&field=…&owner=…&group=…&since=…&until=…&date=…&offset=N&limit=N``."""
    query = call.query
    wish = SearchWish(
        query["query"],
        tuple(query["type"]),
        tuple(query["field"]),
        query["owner"] or "",
        query["group"] or "",
        query["since"],
        query["until"],
        query["date"],
        query["offset"],
        query["limit"],
    )
    hits, indexed_to = call.blitz.search.find(call.actor, wish)
    return answer({"hits": [asdict(hit) for hit in hits], "indexed_to": indexed_to})


IMAGE = named(
    "Image",
    record(
        {
            "id": ID,
            "name": TEXT,
            "fileset_id": maybe(ID),
            "owner": TEXT,
            "group": TEXT,
            **{name: maybe(WHOLE) for name in ("size_x", "size_y", "size_z", "size_c", "size_t")},
            "pixel_type": maybe(TEXT),
            "channels": array(TEXT),
            "files": WHOLE,
            "size": WHOLE,
        }
    ),
)
_REPOSITORY = named("Repository", record({"id": ID, "uuid": TEXT, "type": TEXT, "path": TEXT}))
_FILE = named(
    "File",
    record({"id": ID, "path": TEXT, "name": TEXT, "size": maybe(WHOLE), "hash": maybe(TEXT), "hasher": maybe(TEXT)}),
)
_HIT = named("Hit", record({"type": TEXT, "id": ID, "name": TEXT, "score": REAL, "owner": TEXT, "group": TEXT}))

OPERATIONS = (
    Operation(
        "listRepositories",
        "GET",
        "/repositories",
        repositories,
        "Where the server keeps files; types are Managed, Public and Script.",
        record({"repositories": array(_REPOSITORY)}),
    ),
    Operation(
        "findClientPaths",
        "POST",
        "/filesets/client-paths",
        client_paths,
        "Those of some paths that were sent as client_path of an import that is complete.",
        record({"known": array(record({"path": TEXT, "fileset_id": ID}))}),
        body=record({"paths": few(TEXT, 1000)}),
        writes=False,
    ),
    Operation(
        "findFileNames",
        "POST",
        "/filesets/file-names",
        file_names,
        "Those of some names that files of complete imports have.",
        record({"known": array(record({"name": TEXT, "fileset_id": ID}))}),
        body=record({"names": few(TEXT, 1000)}),
        writes=False,
    ),
    Operation("getImage", "GET", "/images/{id}", image, "One image.", IMAGE),
    Operation(
        "getThumbnail",
        "GET",
        "/images/{id}/thumbnail",
        thumbnail,
        "The thumbnail of an image that is nearest in size.",
        Bytes("image/jpeg"),
        parameters=(Parameter("size", default(number(1, 4096), 96), "Pixels of the longer side."),),
        errors=("thumbnail-missing",),
    ),
    Operation(
        "listImageFiles",
        "GET",
        "/images/{id}/files",
        image_files,
        "The files that an image was imported from.",
        record({"files": array(_FILE)}),
    ),
    Operation(
        "getFileContent",
        "GET",
        "/files/{id}/content",
        content,
        "The bytes of a file.",
        Bytes(parts=True),
        errors=("path-escapes",),
    ),
    Operation(
        "search",
        "GET",
        "/search",
        search,
        "What matches a query, best first, and the id in the eventlog up to which the index knows.",
        record({"hits": array(_HIT), "indexed_to": WHOLE}),
        parameters=(
            Parameter("query", words(2000, fewest=1), "In the words of the index.", needed=True),
            Parameter("type", default(few(words(60, fewest=1), 20), []), "Types of objects; all by default."),
            Parameter("field", default(few(one_of(*FIELDS), len(FIELDS)), []), "Parts in which the words must be."),
            Parameter("owner", words(255), "Only what belongs to this user: id or name."),
            Parameter("group", words(255), "Only what is in this group: id or name."),
            Parameter("since", TIME, "Only what has this date or a later one."),
            Parameter("until", TIME, "Only what has an earlier date."),
            Parameter("date", default(one_of(*DATES), "import"), "Which date that is."),
            Parameter("offset", default(number(0, MOST_HITS), 0), "How many to pass over."),
            Parameter("limit", default(number(1, 500), 25), "How many at most."),
        ),
        errors=("search-unavailable",),
    ),
)
