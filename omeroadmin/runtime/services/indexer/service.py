"""Indexer: keeps the full-text index in step with the eventlog and answers searches."""

from __future__ import annotations

import time
from dataclasses import asdict
from http import HTTPStatus

import psycopg

from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.eventlog import Entry, EventLog, database_trouble
from omeroadmin.runtime.kernel.events import Events
from omeroadmin.runtime.kernel.localserver import Refusal, Request, serving
from omeroadmin.runtime.kernel.trouble import Trouble
from omeroadmin.runtime.services.indexer.documents import FIELDS, included, key_of, load_documents, touched_objects
from omeroadmin.runtime.services.indexer.index import FullTextIndex, Reader, Wish

POSITION_KEY = "PersistentEventLogLoader.v2.current_id"
"""Where OMERO's own tools look for the indexer's progress."""
MOST_HITS = 1000


def run(context: ServiceContext) -> int:
    """Index and answer until the server shall stop."""
    index = FullTextIndex(
        context.settings.data_directory / "FullText",
        buffer_bytes=context.settings.number("omero.search.ram_buffer_size") * 2**20,
    )
    indexer = Indexer(context, index)
    with serving(context.socket_path(), indexer.answer):
        for _ in Events(context.instance, context.stop):
            indexer.catch_up()
    indexer.close()
    return 0


class Indexer:
    """Follows the eventlog with an index."""

    def __init__(self, context: ServiceContext, index: FullTextIndex) -> None:
        self._context = context
        self._index = index
        self._log = EventLog(context, POSITION_KEY)
        self._trouble = Trouble(context)
        self._position = -1
        self._start_over = index.is_new
        settings = context.settings
        self._batch_size = max(1, settings.number("omero.search.batch"))
        self._most_files = max(0, settings.number("omero.search.max_fileset_size"))
        actions = settings.text("omero.search.include_actions").split(",")
        self._types = included(settings.text("omero.search.include_types").split(","))
        self._actions = [action.strip() for action in actions if action.strip()]

    def catch_up(self) -> None:
        """Deal with everything that is new; a database that doesn't answer is asked again later."""
        try:
            self._catch_up()
        except psycopg.Error as error:
            self._trouble.note(database_trouble(error))
            self._log.close()

    def _catch_up(self) -> None:
        if self._position < 0:
            self._position = self._first_position()
        # Searches are answered from now on, even while a long eventlog is being caught up with.
        self._trouble.clear()
        began = time.monotonic()
        objects = batches = 0
        while not self._context.stop.requested:
            batch = self._log.batch(self._position, self._batch_size, self._actions)
            if batch.entries:
                objects += self._apply(batch.entries)
                batches += 1
            if batch.end != self._position:
                # The index is on disk before the position is: rows may be dealt with twice, never not at all.
                self._log.store(batch.end)
                self._position = batch.end
            if batch.is_last:
                break
        if objects:
            milliseconds = int((time.monotonic() - began) * 1000)
            self._context.log.info("INDEXED %d objects in %d batch(es) [%d ms.]", objects, batches, milliseconds)
        self._context.health.note("position", self._position)
        self._context.health.note("documents", self._index.size())

    def _first_position(self) -> int:
        if not self._start_over:
            return self._log.position()
        self._context.log.info("The index is new: starting with the first entry of the eventlog")
        self._log.store(0)
        self._start_over = False
        return 0

    def _apply(self, entries: tuple[Entry, ...]) -> int:
        objects = 0
        for entity, ids in touched_objects(self._log.connection, entries, self._types).items():
            documents = load_documents(self._log.connection, entity, sorted(ids), most_files=self._most_files)
            self._index.replace(documents)
            for gone in ids - {document.id for document in documents}:
                self._index.remove(key_of(entity, gone))
            objects += len(ids)
        if objects:
            self._index.commit()
        return objects

    def answer(self, request: Request) -> tuple[int, object]:
        """``GET /search?query=&limit=`` with ``owner`` and ``groups`` of who asks; without them, all is searched.

        ``types``, ``of_owner``, ``of_group``, ``fields``, ``since``, ``until`` and ``date`` narrow it down.
        """
        if request.method != "GET" or request.path != "/search":
            raise Refusal(HTTPStatus.NOT_FOUND, "not-found", f"there is no {request.method} {request.path}")
        hits = self._index.search(request.query.get("query", ""), _wish(request))
        found = [{"type": hit.entity, **{k: v for k, v in asdict(hit).items() if k != "entity"}} for hit in hits]
        return HTTPStatus.OK, {"hits": found, "indexed_to": max(self._position, 0)}

    def close(self) -> None:
        """Give the connection back."""
        self._log.close()


def _wish(request: Request) -> Wish:
    fields = _list(request, "fields")
    date = request.query.get("date", "created")
    if not set(fields) <= set(FIELDS) or date not in ("created", "acquired"):
        raise Refusal(HTTPStatus.BAD_REQUEST, "parameter-invalid", f"fields are {', '.join(FIELDS)}")
    return Wish(
        limit=min(max(request.number("limit", 25), 1), MOST_HITS),
        reader=_reader(request),
        types=_list(request, "types"),
        owner=_maybe(request, "of_owner"),
        group=_maybe(request, "of_group"),
        fields=fields,
        since=_maybe(request, "since"),
        until=_maybe(request, "until"),
        date=date,
    )


def _list(request: Request, name: str) -> tuple[str, ...]:
    return tuple(part for part in request.query.get(name, "").split(",") if part)


def _maybe(request: Request, name: str) -> int | None:
    return request.number(name, 0) if name in request.query else None


def _reader(request: Request) -> Reader | None:
    if "owner" not in request.query and "groups" not in request.query:
        return None
    groups = _list(request, "groups")
    if not all(part.isascii() and part.isdigit() for part in groups):
        raise Refusal(HTTPStatus.BAD_REQUEST, "parameter-invalid", "groups is not a list of ids")
    return Reader(request.number("owner", 2**63 - 1), tuple(int(part) for part in groups))
