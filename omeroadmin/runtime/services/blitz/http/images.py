"""Routes of repositories, filesets, images, files and search."""

from __future__ import annotations

import os
from dataclasses import asdict

from starlette.responses import FileResponse, Response

from omeroadmin.runtime.services.blitz.http.calls import Call, answer
from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.runtime.services.blitz.services.query import Page

_HIGHEST_ID = 2**63 - 1
_MOST_ROWS = 1000
_MOST_PATHS = 1000
_MOST_HITS = 500


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


def filesets(call: Call) -> Response:
    """``GET /filesets?after=ID&limit=N``."""
    return _page("filesets", call.blitz.query.filesets(call.actor, **_range(call)))


def images(call: Call) -> Response:
    """``GET /images?after=ID&limit=N``."""
    return _page("images", call.blitz.query.images(call.actor, **_range(call)))


def image(call: Call) -> Response:
    """``GET /images/ID``."""
    return answer(call.blitz.query.image(call.actor, call.path["id"]))


def image_files(call: Call) -> Response:
    """``GET /images/ID/files``."""
    return answer({"files": call.blitz.query.image_files(call.actor, call.path["id"])})


def thumbnail(call: Call) -> Response:
    """``GET /images/ID/thumbnail?size=96``."""
    size = call.number("size", 96, lowest=1, highest=4096)
    path = call.blitz.query.thumbnail(call.actor, call.path["id"], size)
    return Response(path.read_bytes(), media_type="image/jpeg")


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
    known = call.blitz.query.known_client_paths(call.actor, _texts(call, "paths"))
    return answer({"known": [{"path": path, "fileset_id": fileset} for path, fileset in known]})


def file_names(call: Call) -> Response:
    """``POST /filesets/file-names``: which names files of imports have already."""
    known = call.blitz.query.known_file_names(call.actor, _texts(call, "names"))
    return answer({"known": [{"name": name, "fileset_id": fileset} for name, fileset in known]})


def _texts(call: Call, name: str) -> list[str]:
    texts: list[str] = call.member(name, list)
    if len(texts) > _MOST_PATHS or not all(isinstance(text, str) for text in texts):
        raise invalid(f"{name} is not a list of at most {_MOST_PATHS} texts")
    return texts


def search(call: Call) -> Response:
    """``GET /search?query=…&limit=N``."""
    limit = call.number("limit", 25, lowest=1, highest=_MOST_HITS)
    hits, indexed_to = call.blitz.search.find(call.actor, call.query.get("query", ""), limit)
    return answer({"hits": [asdict(hit) for hit in hits], "indexed_to": indexed_to})


def _range(call: Call) -> dict[str, int]:
    return {
        "after": call.number("after", 0, lowest=0, highest=_HIGHEST_ID),
        "limit": call.number("limit", 100, lowest=1, highest=_MOST_ROWS),
    }


def _page(name: str, page: Page) -> Response:
    return answer({name: page.rows, "next": page.next})
