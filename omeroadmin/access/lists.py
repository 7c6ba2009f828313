"""Long lists of a server: a page at a time, so that they need no more memory than one page."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from omeroadmin.access.client import Client
from omeroadmin.access.problems import not_understood

LARGEST_PAGE = 500


@dataclass(frozen=True)
class Listing:
    """A part of a list; its items are fetched while they are read.

    :param offset: how many the list has before
    :param total: how many the whole list has; ``None`` where the server doesn't say
    """

    items: Iterator[dict[str, Any]]
    offset: int = 0
    total: int | None = None


def listing(
    client: Client, name: str, *, limit: int | None, offset: int, **query: str | int | Sequence[str | int]
) -> Listing:
    """Fetch the first page of a list; the others follow when they are needed.

    :param name: of the list in the answer, and below the API
    :param limit: how many at most; ``None``: all
    :param offset: how many to pass over
    :param query: other parameters
    :raises AdminError: what :meth:`Client.get` raises, also while the items are read
    """
    page = LARGEST_PAGE if limit is None else max(1, min(LARGEST_PAGE, limit))
    first = client.get(f"/{name}", **query, offset=offset, limit=page, count="true")
    total = first.get("total") if isinstance(first, dict) else None
    items = _all(client, name, first, {**query, "limit": page})
    return Listing(itertools.islice(items, limit), offset, total if isinstance(total, int) else None)


def _all(client: Client, name: str, document: Any, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    after: int | None = None
    while True:
        items = client.items(document, name)
        yield from items
        following = document.get("next")
        if following is None:
            return
        if not isinstance(following, int) or not items or following in (after, 0):
            raise not_understood(client.address, f"/{name} has the next page {following!r} after {after}")
        after = following
        document = client.get(f"/{name}", **query, after=after)
