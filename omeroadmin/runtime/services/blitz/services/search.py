"""Searches: Indexer finds, the database has the last word on what exists and who may see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from omeroadmin.runtime.kernel.client import local_request
from omeroadmin.runtime.services.blitz.database import Database, Row
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES, SEARCHED
from omeroadmin.runtime.services.blitz.services.model.lookup import entities_named
from omeroadmin.runtime.services.blitz.services.objects.reading import read, select
from omeroadmin.runtime.services.blitz.services.problems import invalid, unavailable
from omeroadmin.schema.instance import Instance

MOST_HITS = 1000
"""Hits of one search at most, those that are passed over among them."""
DATES = {"import": "created", "acquisitionDate": "acquired"}
"""Moments that a search may ask for, and the index's names for them."""
_SECONDS = 30.0
_LONGEST_QUERY = 2000
_NAMES = ("name", "textvalue", "termvalue")


@dataclass(frozen=True)
class Hit:
    """Something found.

    :param type: OMERO's type, e.g. ``Image``
    :param owner: name of the user it belongs to
    :param group: name of the group
    """

    type: str
    id: int
    name: str
    score: float
    owner: str
    group: str


@dataclass(frozen=True)
class SearchWish:
    """What is searched for.

    :param text: words, all of which must be found
    :param types: OMERO's types, abstract ones among them; none: all
    :param fields: parts of objects in which the words must be; none: all together
    :param owner: id or name of a user
    :param group: id or name of a group
    :param since: milliseconds since 1970 UTC
    :param until: the same; it is not wanted itself
    :param date: which moment that is, of :data:`DATES`
    """

    text: str
    types: Sequence[str] = ()
    fields: Sequence[str] = ()
    owner: str = ""
    group: str = ""
    since: int | None = None
    until: int | None = None
    date: str = "import"
    offset: int = 0
    limit: int = 25


class Search:
    """Asks the Indexer that answers first."""

    def __init__(self, instance: Instance, database: Database) -> None:
        self._instance = instance
        self._database = database

    def find(self, actor: Actor, wish: SearchWish) -> tuple[list[Hit], int]:
        """What matches.

        The index may lag behind: whose an object is and who may see it is asked of the database. Where that takes
        hits away, more are fetched.

        :return: hits, best first, and the id in the eventlog up to which the index knows
        :raises AdminError: ``search-unavailable``, ``request-invalid``
        """
        wanted = wish.offset + wish.limit
        if wanted > MOST_HITS:
            raise invalid(f"a search gives {MOST_HITS} hits at most")
        parameters = self._parameters(actor, wish)
        fetched = wanted
        while True:
            answer = self._ask(f"/search?{urlencode({**parameters, 'limit': fetched})}")
            hits = self._confirmed(actor, answer["hits"], parameters)
            if len(hits) >= wanted or len(answer["hits"]) < fetched or fetched == MOST_HITS:
                return hits[wish.offset : wanted], int(answer["indexed_to"])
            fetched = min(MOST_HITS, 4 * fetched)

    def _parameters(self, actor: Actor, wish: SearchWish) -> dict[str, str | int]:
        if not wish.text.strip() or len(wish.text) > _LONGEST_QUERY:
            raise invalid(f"a query has 1 to {_LONGEST_QUERY} characters")
        parameters: dict[str, str | int] = {"query": wish.text, "date": DATES[wish.date]}
        if not actor.is_admin:
            parameters["owner"] = actor.user_id
            parameters["groups"] = ",".join(map(str, actor.readable_groups))
        if wish.types:
            parameters["types"] = ",".join(_types(wish.types))
        if wish.fields:
            parameters["fields"] = ",".join(wish.fields)
        if wish.owner:
            parameters["of_owner"] = self._id_of("experimenter", "omename", wish.owner, "user")
        if wish.group:
            parameters["of_group"] = self._id_of("experimentergroup", "name", wish.group, "group")
        for name, moment in (("since", wish.since), ("until", wish.until)):
            if moment is not None:
                parameters[name] = max(0, moment)
        return parameters

    def _id_of(self, table: str, column: str, text: str, what: str) -> int:
        """The id of a name; where none has it and it is a number, that is the id."""
        row = self._database.row(f"SELECT id FROM {table} WHERE {column} = %(name)s", {"name": text})  # noqa: S608
        if row is not None:
            return int(row["id"])
        if text.isascii() and text.isdigit() and len(text) < 19:
            return int(text)
        raise invalid(f"there is no {what} {text[:80]!r}")

    def _confirmed(self, actor: Actor, found: list[dict[str, Any]], parameters: dict[str, str | int]) -> list[Hit]:
        """Hits that exist and that the actor may see, by what the database says now."""
        ids: dict[str, list[int]] = defaultdict(list)
        for hit in found:
            ids[hit["type"]].append(int(hit["id"]))
        rows: dict[tuple[str, int], Row] = {}
        with self._database.transaction() as connection:
            for name, numbers in ids.items():
                entity = ENTITIES.get(name)
                if entity is not None:
                    statement = select((entity,), "o.id = ANY(%(ids)s)")
                    for row in read(connection, actor, statement, {"ids": numbers}, (entity,)):
                        rows[name, row["id"]] = row
        hits = []
        for hit in found:
            present = rows.get((hit["type"], int(hit["id"])))
            if present is not None and _is_of(present, parameters):
                title = next((str(present[name]) for name in _NAMES if present.get(name)), hit["name"])
                score = float(hit["score"])
                hits.append(Hit(hit["type"], present["id"], title, score, present["owner"], present["group_name"]))
        return hits

    def _ask(self, target: str) -> Any:
        for path in sorted(self._instance.run_directory.glob("Indexer-*.sock")):
            try:
                status, answer = local_request(path, "GET", target, timeout=_SECONDS)
            except (OSError, ValueError):
                continue
            if status == 200:
                return answer
            if status == 400 and isinstance(answer, dict):
                raise invalid(str(answer.get("error", {}).get("message", "the query can't be understood")))
        raise unavailable("search-unavailable", "no Indexer answers; it may be starting")


def _types(names: Sequence[str]) -> list[str]:
    found = []
    for name in names:
        for entity in entities_named(name):
            if entity.name not in SEARCHED and not entity.is_a("Annotation"):
                raise invalid(f"{entity.one} is not searched for; {', '.join(SEARCHED)} and annotations are")
            found.append(entity.name)
    return found


def _is_of(row: Row, parameters: dict[str, str | int]) -> bool:
    """Whether an object belongs to who is asked for, by what the database says now."""
    wanted = {"owner_id": parameters.get("of_owner"), "group_id": parameters.get("of_group")}
    return all(value is None or row[name] == value for name, value in wanted.items())
