"""Routes of filesets and images as lists, and of the files of a fileset."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call, answer
from omeroadmin.runtime.services.blitz.http.forms import (
    AFTER,
    FLAG,
    HIGHEST,
    ID,
    LIMIT,
    TEXT,
    TIME,
    WHOLE,
    default,
    few,
    maybe,
    named,
    one_of,
)
from omeroadmin.runtime.services.blitz.http.images import IMAGE
from omeroadmin.runtime.services.blitz.http.operation import Operation, Parameter
from omeroadmin.runtime.services.blitz.services.filestore.listing import (
    FILESET_ORDERS,
    IMAGE_ORDERS,
    Listed,
    Part,
)
from omeroadmin.runtime.services.blitz.services.times import milliseconds
from omeroadmin.schema.forms import Form, array, number, record
from omeroadmin.schema.transfers import Transfer


def filesets(call: Call) -> Response:
    """``GET /filesets``."""
    listed = call.blitz.filestore.listing.filesets(
        call.actor,
        _part(call),
        without_images=call.query["without_images"],
        transfers=call.query["transfer"] or (),
    )
    rows = [{**row, "imported": milliseconds(row["imported"])} for row in listed.rows]
    return _page("filesets", listed, rows)


def images(call: Call) -> Response:
    """``GET /images``."""
    archived, extended = call.query["archived"], call.query["extended"]
    listed = call.blitz.filestore.listing.images(call.actor, _part(call), archived=archived, extended=extended)
    return _page("images", listed, listed.rows)


def files(call: Call) -> Response:
    """``GET /filesets/ID/files``."""
    prefix, rows = call.blitz.filestore.checks.files(call.actor, call.path["id"])
    return answer({"prefix": prefix, "files": [{name: row[name] for name in _FILE["properties"]} for row in rows]})


def check(call: Call) -> Response:
    """``POST /filesets/ID/check``."""
    return answer(asdict(call.blitz.filestore.checks.check(call.actor, call.path["id"])))


def _part(call: Call) -> Part:
    query = call.query
    return Part(query["order"], query["after"] or None, query["offset"], query["limit"], query["count"])


def _page(name: str, listed: Listed, rows: list[Any]) -> Response:
    return answer({name: rows, "next": listed.next, "total": listed.total})


_FILESET = named(
    "Fileset",
    record(
        {
            "id": ID,
            "prefix": TEXT,
            "owner": TEXT,
            "group": TEXT,
            "imported": TIME,
            "images": WHOLE,
            "files": WHOLE,
            "size": WHOLE,
            "transfer": TEXT,
        }
    ),
)
_LISTED_IMAGE = named("ListedImage", record(IMAGE["properties"], {"pixels_size": WHOLE, "pyramid_size": WHOLE}))
_FILE = named(
    "FilesetFile",
    record(
        {
            "id": ID,
            "path": TEXT,
            "name": TEXT,
            "size": maybe(WHOLE),
            "hash": maybe(TEXT),
            "hasher": maybe(TEXT),
            "mimetype": maybe(TEXT),
            "client_path": TEXT,
        }
    ),
)
_FAULT = record({"file_id": ID, "path": TEXT, "problem": TEXT})
_OFFSET = Parameter("offset", default(number(0, HIGHEST), 0), "Rows to pass over.")
_COUNT = Parameter("count", default(FLAG, False), "Whether to count all rows of the list.")


def _order(*names: str) -> Parameter:
    return Parameter("order", default(one_of(*names), "oldest"), "Which come first.")


def _listed(name: str, items: Form) -> Form:
    return record({name: array(items), "next": maybe(ID), "total": maybe(WHOLE)})


OPERATIONS = (
    Operation(
        "listFilesets",
        "GET",
        "/filesets",
        filesets,
        "Filesets, by default in the order of their ids.",
        _listed("filesets", _FILESET),
        parameters=(
            AFTER,
            LIMIT,
            _OFFSET,
            _COUNT,
            _order(*FILESET_ORDERS),
            Parameter("without_images", default(FLAG, False), "Only filesets without images."),
            Parameter("transfer", few(one_of(*Transfer), len(Transfer)), "Only those whose files came so."),
        ),
    ),
    Operation(
        "listFilesetFiles",
        "GET",
        "/filesets/{id}/files",
        files,
        "The directory of a fileset below its repository, and its files.",
        record({"prefix": TEXT, "files": array(_FILE)}),
    ),
    Operation(
        "checkFileset",
        "POST",
        "/filesets/{id}/check",
        check,
        "Compute the checksums of a fileset's files and compare them with those of the import; for administrators.",
        record({"files": WHOLE, "faulty": WHOLE, "faults": array(_FAULT)}),
        writes=False,
    ),
    Operation(
        "listImages",
        "GET",
        "/images",
        images,
        "Images, by default in the order of their ids.",
        _listed("images", _LISTED_IMAGE),
        parameters=(
            AFTER,
            LIMIT,
            _OFFSET,
            _COUNT,
            _order(*IMAGE_ORDERS),
            Parameter("archived", default(FLAG, False), "Only images whose original files were archived (OMERO 4)."),
            Parameter("extended", default(FLAG, False), "Also sizes of planes and pyramids on the disk."),
        ),
    ),
)
