"""Shows repositories, filesets and images with OMERO's columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omeroadmin.access.lists import Listing
from omeroadmin.cli.output import Style, say
from omeroadmin.cli.views.rows import Column, print_rows
from omeroadmin.errors import failed_error

_UNITS = ("KB", "MB", "GB", "TB", "PB")
_STEP = 1024


def size_text(size: int) -> str:
    """A size as OMERO prints it: ``235 B``, ``435.1 KB``, in steps of 1024.

    :param size: bytes
    """
    if size < _STEP:
        return f"{size} B"
    exponent = 1
    while size >= _STEP ** (exponent + 1) and exponent < len(_UNITS):
        exponent += 1
    return f"{round(size / _STEP**exponent, 1)} {_UNITS[exponent - 1]}"


def _field(name: str) -> Any:
    return lambda item: item[name]


def _size(name: str) -> Any:
    return lambda item: size_text(item[name] or 0)


def _transfer(item: dict[str, Any]) -> str:
    """Files that came the usual way need no word."""
    return "" if item["transfer"] in (None, "upload") else str(item["transfer"])


_REPOSITORIES = (
    Column("Id", _field("id")),
    Column("UUID", _field("uuid")),
    Column("Type", _field("type")),
    Column("Path", _field("path")),
)
_FILESETS = (
    Column("Id", _field("id")),
    Column("Prefix", _field("prefix")),
    Column("Images", _field("images")),
    Column("Files", _field("files")),
    Column("Transfer", _transfer),
)
_FILESET_DETAILS = (
    Column("Size", _size("size")),
    Column("Owner", _field("owner")),
    Column("Group", _field("group")),
    Column("Imported", _field("imported")),
)
_IMAGES = (
    Column("Image", _field("id")),
    Column("Name", _field("name")),
    Column("FS", _field("fileset")),
    Column("# Files", _field("files")),
    Column("Size", _size("size")),
)
_IMAGE_DETAILS = (Column("Pixels", _size("pixels_size")), Column("Pyramid", _size("pyramid_size")))


def print_repositories(items: Iterable[dict[str, Any]], style: Style) -> None:
    """Repositories."""
    print_rows("repositories", _REPOSITORIES, items, style)


def print_filesets(found: Listing, style: Style, *, extended: bool, check: bool) -> None:
    """Filesets; of a check also what is wrong, on stderr.

    :raises AdminError: ``files-damaged`` at the end, if a file isn't what was imported
    """
    damaged: list[int] = []

    def watched() -> Iterable[dict[str, Any]]:
        for item in found.items:
            for fault in item.get("faults", ()):
                say(f"omero: Fileset:{item['id']}: {fault['path']}: {fault['problem']}")
            if item.get("faults"):
                damaged.append(item["id"])
            yield item

    columns = (
        *_FILESETS,
        *(_FILESET_DETAILS if extended else ()),
        *((Column("Check", _field("check")),) if check else ()),
    )
    print_rows("filesets", columns, watched(), style, place=_place(found))
    if damaged:
        raise failed_error(
            "files-damaged",
            f"{len(damaged)} fileset{'' if len(damaged) == 1 else 's'} with files that aren't what was imported",
            "restore the files from a backup: omero backup restore -h",
        )


def print_images(found: Listing, style: Style, *, extended: bool) -> None:
    """Images."""
    print_rows("images", (*_IMAGES, *(_IMAGE_DETAILS if extended else ())), found.items, style, place=_place(found))


def _place(found: Listing) -> str:
    return "" if found.total is None else f", starting at {found.offset} of approx. {found.total}"
