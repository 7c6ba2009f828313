"""Indexer: keeps the full-text index in step with the eventlog and answers searches."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from http import HTTPStatus

import psycopg

from omeroadmin.database.eventlog import POSITION_KEY, percent_indexed
from omeroadmin.errors import AdminError, ExitStatus, configuration_error
from omeroadmin.repository.fulltext import inspect_index
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.eventlog import Batch, EventLog, database_trouble
from omeroadmin.runtime.kernel.localserver import Refusal, Request, serving
from omeroadmin.runtime.kernel.schedule import Schedule, ticks
from omeroadmin.runtime.kernel.trouble import Trouble
from omeroadmin.runtime.services.indexer.documents import FIELDS
from omeroadmin.runtime.services.indexer.index import MEND, FullTextIndex, Reader, Wish
from omeroadmin.runtime.services.indexer.rules import Rules
from omeroadmin.runtime.services.indexer.updating import Updater

MOST_HITS = 1000


def run(context: ServiceContext) -> int:
    """Index and answer until the server shall stop."""
    rules = Rules.from_settings(context.settings)
    schedule = Schedule(context.settings.text("omero.search.cron"))
    index = FullTextIndex(context.settings.data_directory / "FullText", buffer_bytes=rules.buffer_bytes)
    indexer = Indexer(context, index, rules)
    with serving(context.socket_path(), indexer.answer), indexer.guarded():
        for is_due in ticks(schedule, context.stop):
            indexer.look(is_due=is_due)
    indexer.close()
    return 0


class Indexer:
    """Follows the eventlog with an index."""

    def __init__(self, context: ServiceContext, index: FullTextIndex, rules: Rules) -> None:
        self._context = context
        self._index = index
        self._rules = rules
        self._log = EventLog(context, POSITION_KEY)
        self._trouble = Trouble(context)
        self._updater = Updater(index, rules, context.settings)
        self._position = -1
        self._start_over = index.is_new
        self._batches = 0
        self._damage: AdminError | None = None

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Read the whole index once meanwhile: what it holds is known to be what was written, or the server ends."""
        reader = threading.Thread(target=self._check, name="check", daemon=True)
        reader.start()
        yield
        reader.join()
        self._raise_damage()

    def _check(self) -> None:
        directory = self._context.settings.data_directory / "FullText"
        facts = inspect_index(directory, is_cancelled=lambda: self._context.stop.requested)
        if facts.problems:
            self._note_damage(
                configuration_error("index-damaged", f"the index in {directory} is damaged: {facts.problems[0]}", MEND)
            )

    def _note_damage(self, error: AdminError) -> None:
        self._damage = error
        if error.exit_status is ExitStatus.CONFIGURATION:
            self._context.stop.request()

    def _raise_damage(self) -> None:
        if self._damage is not None:
            raise self._damage

    def look(self, *, is_due: bool) -> None:
        """See whether all is well and, if it is time, deal with everything that is new.

        A database that doesn't answer is asked again later.
        """
        try:
            if self._position < 0:
                self._position = self._first_position()
            if is_due:
                self._follow_position()
            # Searches are answered from now on, even while a long eventlog is being caught up with.
            self._trouble.clear()
            if is_due:
                self._catch_up()
        except psycopg.Error as error:
            self._trouble.note(database_trouble(error))
            self._log.close()

    def _follow_position(self) -> None:
        """Somebody may have set the position back in the database, so that objects are indexed again."""
        position = self._log.position()
        if position < self._position:
            self._updater.forget()
        self._position = position

    def _catch_up(self) -> None:
        began = time.monotonic()
        objects = batches = 0
        end = self._position
        while not self._context.stop.requested:
            batch = self._log.batch(end, self._rules.batch, self._rules.actions, excluded=self._rules.excluded)
            if batch.entries:
                objects += self._updater.apply(self._log.connection, batch)
                batches += 1
            end = batch.end
            is_last = batch.is_last or batches == self._rules.rounds
            if is_last or self._updater.is_full:
                self._keep(end)
            self._report(batch)
            if is_last:
                break
        self._keep(end)
        if objects:
            milliseconds = int((time.monotonic() - began) * 1000)
            self._context.log.info("INDEXED %d objects in %d batch(es) [%d ms.]", objects, batches, milliseconds)
        self._context.health.note("position", self._position)
        self._context.health.note("documents", self._index.size())

    def _keep(self, end: int) -> None:
        """Put the index on the disk, and only then the position: rows may be dealt with twice, never not at all."""
        self._updater.commit()
        if end != self._position:
            self._log.store(end)
            self._position = end

    def _report(self, batch: Batch) -> None:
        """Now and then, how far a long eventlog has been caught up with; the count of its rows is slow."""
        self._batches += bool(batch.entries)
        if batch.entries and self._batches % self._rules.report_every == 0:
            self._context.log.info("Percent indexed: %.2f%%", percent_indexed(self._log.connection, self._position))

    def _first_position(self) -> int:
        if not self._start_over:
            return self._log.position()
        self._context.log.info("The index is new: starting with the first entry of the eventlog")
        self._log.store(0)
        self._start_over = False
        return 0

    def answer(self, request: Request) -> tuple[int, object]:
        """``GET /search?query=&limit=`` with ``owner`` and ``groups`` of who asks; without them, all is searched.

        ``types``, ``of_owner``, ``of_group``, ``fields``, ``since``, ``until`` and ``date`` narrow it down.
        """
        if request.method != "GET" or request.path != "/search":
            raise Refusal(HTTPStatus.NOT_FOUND, "not-found", f"there is no {request.method} {request.path}")
        wish = _wish(request)
        try:
            hits = self._index.search(request.query.get("query", ""), wish)
        except AdminError as error:
            self._note_damage(error)
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, error.code, error.message) from error
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
