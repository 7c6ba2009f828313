"""Lists where a server keeps files, and what it keeps: repositories, filesets and images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from omeroadmin.access.client import Client
from omeroadmin.access.lists import Listing, listing
from omeroadmin.errors import usage_error
from omeroadmin.system.clock import utc_stamp
from omeroadmin.workflows.objects import Named, parse_object

REPOSITORY_COLUMNS = ("id", "uuid", "type", "path")
FILESET_COLUMNS = ("id", "prefix", "images", "files", "size", "transfer")
FILESET_DETAILS = ("owner", "group", "imported")
"""Further columns of filesets, of an extended list."""
IMAGE_COLUMNS = (
    "id",
    "name",
    "fileset",
    "owner",
    "group",
    "files",
    "size",
    "size_x",
    "size_y",
    "size_z",
    "size_c",
    "size_t",
    "pixel_type",
)
IMAGE_DETAILS = ("pixels_size", "pyramid_size")
"""Further columns of images, of an extended list: bytes on the server's disk."""
_RENAMED = {"fileset": "fileset_id"}
_CHECK_SECONDS = 86_400.0


@dataclass(frozen=True)
class Part:
    """Which part of a list.

    :param limit: how many rows at most
    :param offset: how many to pass over
    :param order: ``newest``, ``oldest``, ``prefix``, and for images ``largest``
    :param extended: whether to tell more of each
    """

    limit: int | None = None
    offset: int = 0
    order: str = "newest"
    extended: bool = False


@dataclass(frozen=True)
class Check:
    """What a check of a fileset's files found.

    :param faults: of the first files that aren't what was imported: ``file_id``, ``path``, ``problem``
    """

    files: int
    faulty: int
    faults: tuple[dict[str, Any], ...]

    @property
    def word(self) -> str:
        """OMERO's word for it."""
        return "ERROR!" if self.faulty else "OK" if self.files else "Empty"


def repositories(client: Client, *, managed: bool = False) -> list[dict[str, Any]]:
    """The server's repositories.

    :param managed: only those that imports go to
    :raises AdminError: what :meth:`Client.get` raises
    """
    items = client.items(client.get("/repositories"), "repositories")
    return [_item(REPOSITORY_COLUMNS, item) for item in items if not managed or item.get("type") == "Managed"]


def filesets(
    client: Client, part: Part, *, without_images: bool = False, transfers: Sequence[str] = (), check: bool = False
) -> Listing:
    """Filesets.

    :param without_images: only those that have none
    :param transfers: only those whose files came in one of these ways
    :param check: have the server compute the checksums of their files; items then have ``check`` and ``faults``
    :raises AdminError: ``permission-denied`` for a check by others than administrators, and what :meth:`Client.get`
        raises
    """
    query: dict[str, Any] = {"order": part.order}
    if without_images:
        query["without_images"] = "true"
    if transfers:
        query["transfer"] = list(transfers)
    found = listing(client, "filesets", limit=part.limit, offset=part.offset, **query)
    fields = FILESET_COLUMNS + (FILESET_DETAILS if part.extended else ())
    return Listing(_filesets(client, found, fields, check), found.offset, found.total)


def images(client: Client, part: Part, *, archived: bool = False) -> Listing:
    """Images; ``size`` is the bytes of the files that they came from.

    :param archived: only those of OMERO 4, whose original files were archived with them
    :raises AdminError: what :meth:`Client.get` raises
    """
    query: dict[str, Any] = {"order": part.order}
    if archived:
        query["archived"] = "true"
    if part.extended:
        query["extended"] = "true"
    found = listing(client, "images", limit=part.limit, offset=part.offset, **query)
    fields = IMAGE_COLUMNS + (IMAGE_DETAILS if part.extended else ())
    return Listing((_item(fields, item) for item in found.items), found.offset, found.total)


def check_fileset(client: Client, fileset_id: int) -> Check:
    """Have the server compute the checksums of a fileset's files and compare them with those of the import.

    :raises AdminError: ``permission-denied``, ``not-found`` and what :meth:`Client.post` raises
    """
    found = client.post(f"/filesets/{fileset_id}/check", timeout=_CHECK_SECONDS)
    return Check(int(found["files"]), int(found["faulty"]), tuple(found["faults"]))


def make_directory(client: Client, path: str, *, parents: bool = False) -> bool:
    """Make a directory in the managed repository.

    :param path: below the repository
    :param parents: also make those above; one that is there is no error
    :return: whether anything had to be made
    :raises AdminError: ``permission-denied``, ``file-exists``, ``path-escapes`` and what :meth:`Client.post` raises
    """
    return bool(client.post("/directories", {"path": path, "parents": parents})["created"])


def _filesets(client: Client, found: Listing, fields: Sequence[str], check: bool) -> Iterator[dict[str, Any]]:
    for raw in found.items:
        item = _item(fields, raw)
        if "imported" in item and item["imported"] is not None:
            item["imported"] = utc_stamp(datetime.fromtimestamp(item["imported"] / 1000, UTC))
        if check:
            checked = check_fileset(client, raw["id"])
            item |= {"check": checked.word, "faults": list(checked.faults)}
        yield item


def _item(fields: Sequence[str], item: dict[str, Any]) -> dict[str, Any]:
    return {name: item.get(_RENAMED.get(name, name)) for name in fields}


def parse_fileset(text: str, *, images: bool = False) -> Named:
    """A fileset: ``Fileset:51`` or ``51``.

    :param images: whether an image may stand for its fileset
    :raises AdminError: ``object-invalid``
    """
    named = parse_object(f"Fileset:{text}" if text.isascii() and text.isdigit() else text)
    kinds = ("Fileset", "Image") if images else ("Fileset",)
    for kind in kinds:
        if named.type.lower() == kind.lower():
            return Named(kind, named.id)
    raise usage_error("object-invalid", f"{text[:80]} is no fileset", f"name it as {' or '.join(kinds)}:ID")
