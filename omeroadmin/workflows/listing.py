"""Lists what a search finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from omeroadmin.access.client import Client
from omeroadmin.errors import usage_error

HIT_COLUMNS = ("type", "id", "name", "score", "owner", "group")
_FIRST_YEAR, _LAST_YEAR = 1970, 9998


@dataclass(frozen=True)
class Table:
    """Rows of a list.

    :param columns: names, also those of the fields of JSON
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class SearchWish:
    """What is searched for.

    :param query: words, all of which must be found
    :param kind: OMERO's type, e.g. ``Image``; empty: all
    :param fields: parts of objects in which the words must be; none: all together
    :param owner: id or name of a user
    :param group: id or name of a group
    :param since: first day, UTC
    :param until: last day, UTC
    :param which_date: which date that is: ``import`` or ``acquisitionDate``
    """

    query: str
    kind: str = ""
    fields: tuple[str, ...] = ()
    owner: str = ""
    group: str = ""
    since: date | None = None
    until: date | None = None
    which_date: str = "import"
    offset: int = 0
    limit: int = 25


def search_wish(words: Sequence[str], *, since: str | None, until: str | None, **options: Any) -> SearchWish:
    """What was typed as a wish.

    :param words: the query, perhaps after a type
    :param since: a day as ``2026-11-28``
    :param until: the same
    :param options: other fields of :class:`SearchWish`
    :raises AdminError: ``query-invalid``, ``date-invalid``
    """
    if len(words) > 2:
        raise usage_error("query-invalid", f"{len(words)} words are more than a type and a query", "quote the query")
    kind = words[0] if len(words) == 2 else ""
    return SearchWish(words[-1], kind, since=_day(since), until=_day(until), **options)


def search(client: Client, wish: SearchWish) -> Table:
    """What the full-text index finds, best first.

    :raises AdminError: ``search-unavailable`` and what :meth:`Client.get` raises
    """
    query: dict[str, Any] = {"type": wish.kind, "field": wish.fields, "owner": wish.owner, "group": wish.group}
    if wish.since is not None:
        query["since"] = _milliseconds(wish.since)
    if wish.until is not None:
        query["until"] = _milliseconds(wish.until + timedelta(days=1))
    if wish.which_date != "import":
        query["date"] = wish.which_date
    given = {name: value for name, value in query.items() if value not in ("", ())}
    answer = client.get("/search", query=wish.query, offset=wish.offset, limit=wish.limit, **given)
    return _table(HIT_COLUMNS, client.items(answer, "hits"))


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        years = f"from {_FIRST_YEAR} to {_LAST_YEAR}"
        raise usage_error("date-invalid", f"{text[:40]!r} is no day {years}", "write it as 2026-11-28")
    return day


def _milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _table(columns: tuple[str, ...], items: list[dict[str, Any]]) -> Table:
    return Table(columns, tuple(tuple(item.get(name) for name in columns) for item in items))
