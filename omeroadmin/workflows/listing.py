"""Lists what a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omeroadmin.access.client import Client

HIT_COLUMNS = ("type", "id", "name", "score")


@dataclass(frozen=True)
class Table:
    """Rows of a list.

    :param columns: names, also those of the fields of JSON
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def search(client: Client, query: str, *, limit: int) -> Table:
    """What the full-text index finds, best first.

    :raises AdminError: ``search-unavailable`` and what :meth:`Client.get` raises
    """
    return _table(HIT_COLUMNS, client.items(client.get("/search", query=query, limit=limit), "hits"))


def _table(columns: tuple[str, ...], items: list[dict[str, Any]]) -> Table:
    return Table(columns, tuple(tuple(item.get(name) for name in columns) for item in items))
