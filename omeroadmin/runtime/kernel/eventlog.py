"""Follows the eventlog: what a server has dealt with is a number in the table ``configuration``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.database import connection_string

_WRITERS_SECONDS = 5.0
_WRITERS_PAUSE = 0.02


@dataclass(frozen=True)
class Entry:
    """A row of the eventlog.

    :param entity: OMERO's type without its package, e.g. ``Image``
    """

    id: int
    entity: str
    entity_id: int
    action: str


@dataclass(frozen=True)
class Batch:
    """Rows that are to be dealt with together.

    :param end: id up to which nothing else is missing; the position after the batch
    :param is_last: whether there was nothing more at the time
    :param top: id up to which all writers had ended when the rows were read
    """

    entries: tuple[Entry, ...]
    end: int
    is_last: bool
    top: int = field(default=0, compare=False)


class EventLog:
    """One follower's view; a lost connection is made again at the next call.

    :param key: name in ``configuration``, e.g. ``PersistentEventLogLoader.v2.current_id``
    """

    def __init__(self, context: ServiceContext, key: str) -> None:
        self._context = context
        self._key = key
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    @property
    def connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The connection, in autocommit mode.

        :raises psycopg.Error: if the database doesn't answer
        """
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                connection_string(self._context.settings, server_id=self._context.server_id), autocommit=True
            )
        return self._connection

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def position(self) -> int:
        """Id of the last row that was dealt with; 0 before the first."""
        row = self.connection.execute("SELECT value FROM configuration WHERE name = %s", (self._key,)).fetchone()
        return int(row[0]) if row is not None and str(row[0]).strip().lstrip("-").isdigit() else 0

    def store(self, position: int) -> None:
        """Remember that all rows up to this one are dealt with."""
        self.connection.execute(
            "INSERT INTO configuration (name, value) VALUES (%s, %s) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (self._key, str(position)),
        )

    def batch(self, after: int, limit: int, actions: Sequence[str], *, excluded: Sequence[str] = ()) -> Batch:
        """The next rows with one of these actions.

        Ids are given before transactions end, so a row may appear below one that was seen already. Rows are
        therefore taken only up to an id whose writers have all ended.

        :param after: position
        :param limit: rows at most
        :param excluded: OMERO's full names of types that don't count
        """
        top = self._settled_top(after)
        if top <= after:
            return Batch((), after, True, after)
        rows = self.connection.execute(
            "SELECT id, entitytype, entityid, action FROM eventlog "
            "WHERE id > %s AND id <= %s AND action = ANY(%s) AND entitytype <> ALL(%s) ORDER BY id LIMIT %s",
            (after, top, list(actions), list(excluded), limit),
        ).fetchall()
        entries = tuple(Entry(row[0], str(row[1]).rpartition(".")[2], row[2], str(row[3])) for row in rows)
        if len(entries) < limit:
            return Batch(entries, top, True, top)
        return Batch(entries, entries[-1].id, False, top)

    def _settled_top(self, after: int) -> int:
        """The highest id whose writers, and those of all lower ids, have ended; ``after`` if they take too long."""
        row = self.connection.execute("SELECT max(id) FROM eventlog WHERE id > %s", (after,)).fetchone()
        if row is None or row[0] is None:
            return after
        deadline = time.monotonic() + _WRITERS_SECONDS
        writers = self._writers()
        while writers:
            if time.monotonic() > deadline or self._context.stop.wait(_WRITERS_PAUSE):
                return after
            writers &= self._writers()
        return int(row[0])

    def _writers(self) -> set[tuple[int, str]]:
        """Transactions that may have written to the eventlog and have not ended: the event comes before its rows."""
        rows = self.connection.execute(
            "SELECT pid, virtualtransaction FROM pg_locks "
            "WHERE relation IN ('event'::regclass, 'eventlog'::regclass) "
            "AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()"
        ).fetchall()
        return {(row[0], row[1]) for row in rows}


def database_trouble(error: psycopg.Error) -> str:
    """One line for a database that doesn't answer."""
    lines = str(error).strip().splitlines()
    return f"the database doesn't answer: {lines[-1] if lines else type(error).__name__}"
