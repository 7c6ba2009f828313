"""Lists what a server holds: repositories, filesets, images, and what a search finds."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from omeroadmin.access.client import Client

REPOSITORY_COLUMNS = ("id", "uuid", "type", "path")
FILESET_COLUMNS = ("id", "prefix", "images", "files", "size")
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
HIT_COLUMNS = ("type", "id", "name", "score")
_RENAMED = {"fileset": "fileset_id"}
_LARGEST_PAGE = 500


@dataclass(frozen=True)
class Table:
    """Rows of a list.

    :param columns: names, also those of the fields of JSON
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def repositories(client: Client) -> Table:
    """The server's repositories.

    :raises AdminError: what :meth:`Client.get` raises
    """
    return _table(REPOSITORY_COLUMNS, client.items(client.get("/repositories"), "repositories"))


def filesets(client: Client, *, limit: int | None = None, offset: int = 0) -> Table:
    """Filesets, oldest first.

    :param limit: how many at most; all by default
    :param offset: how many to pass over
    :raises AdminError: what :meth:`Client.get` raises
    """
    return _table(FILESET_COLUMNS, _some(client, "filesets", limit, offset))


def images(client: Client, *, limit: int | None = None, offset: int = 0) -> Table:
    """Images, oldest first; ``size`` is the bytes of their files.

    :param limit: how many at most; all by default
    :param offset: how many to pass over
    :raises AdminError: what :meth:`Client.get` raises
    """
    return _table(IMAGE_COLUMNS, _some(client, "images", limit, offset))


def search(client: Client, query: str, *, limit: int) -> Table:
    """What the full-text index finds, best first.

    :raises AdminError: ``search-unavailable`` and what :meth:`Client.get` raises
    """
    return _table(HIT_COLUMNS, client.items(client.get("/search", query=query, limit=limit), "hits"))


def _some(client: Client, name: str, limit: int | None, offset: int) -> list[dict[str, Any]]:
    stop = None if limit is None else offset + limit
    page = _LARGEST_PAGE if stop is None else max(1, min(_LARGEST_PAGE, stop))
    return list(itertools.islice(client.pages(f"/{name}", name, page=page), offset, stop))


def _table(columns: tuple[str, ...], items: list[dict[str, Any]]) -> Table:
    return Table(columns, tuple(tuple(item.get(_RENAMED.get(name, name)) for name in columns) for item in items))
