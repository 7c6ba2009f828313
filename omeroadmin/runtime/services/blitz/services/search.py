"""Searches: Indexer finds, the database has the last word on what exists and who may see it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from omeroadmin.runtime.kernel.client import local_request
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.problems import invalid, unavailable
from omeroadmin.runtime.services.blitz.services.query import Query
from omeroadmin.schema.instance import Instance

_SECONDS = 30.0
_LONGEST_QUERY = 2000


@dataclass(frozen=True)
class Hit:
    """Something found.

    :param type: OMERO's type, e.g. ``Image``
    """

    type: str
    id: int
    name: str
    score: float


class Search:
    """Asks the Indexer that answers first."""

    def __init__(self, instance: Instance, query: Query) -> None:
        self._instance = instance
        self._query = query

    def find(self, actor: Actor, text: str, limit: int) -> tuple[list[Hit], int]:
        """What matches a query.

        :return: hits, best first, and the id in the eventlog up to which the index knows
        :raises AdminError: ``search-unavailable``, ``request-invalid``
        """
        if not text.strip() or len(text) > _LONGEST_QUERY:
            raise invalid(f"a query has 1 to {_LONGEST_QUERY} characters")
        parameters: dict[str, str | int] = {"query": text, "limit": limit}
        if not actor.is_admin:
            parameters["owner"] = actor.user_id
            parameters["groups"] = ",".join(map(str, actor.readable_groups))
        answer = self._ask(f"/search?{urlencode(parameters)}")
        found = answer["hits"]
        ids: dict[str, list[int]] = defaultdict(list)
        for hit in found:
            ids[hit["type"]].append(int(hit["id"]))
        names = {entity: self._query.names(actor, entity, numbers) for entity, numbers in ids.items()}
        hits = [
            Hit(hit["type"], int(hit["id"]), names[hit["type"]][int(hit["id"])], float(hit["score"]))
            for hit in found
            if int(hit["id"]) in names[hit["type"]]
        ]
        return hits, int(answer["indexed_to"])

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
