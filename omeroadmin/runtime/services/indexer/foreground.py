"""Indexes everything at once, without Indexer: all rows of the eventlog, or all objects of some types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from omeroadmin.database.eventlog import last_entry, store_position
from omeroadmin.errors import usage_error
from omeroadmin.runtime.kernel.eventlog import Batch, Entry
from omeroadmin.runtime.services.indexer.documents import INDEXABLE
from omeroadmin.runtime.services.indexer.index import FullTextIndex
from omeroadmin.runtime.services.indexer.rules import Rules
from omeroadmin.runtime.services.indexer.updating import Updater
from omeroadmin.schema.settings import Settings

Tell = Callable[[str, int, int], None]
"""Is told what is being indexed, how many rows or objects are done, and of how many."""

_MOST_PENDING = 200_000
_MOST_IDS = 50_000
_IDS = "SELECT id FROM {table} WHERE id > %s AND {condition} ORDER BY id LIMIT %s"
_COUNT = "SELECT count(*) FROM {table} WHERE {condition}"
_ROWS = """
SELECT id, entitytype, entityid, action FROM eventlog
 WHERE id > %s AND id <= %s AND action = ANY(%s) AND entitytype <> ALL(%s) ORDER BY id LIMIT %s
"""
_ROW_COUNTS = """
SELECT entitytype, count(*) FROM eventlog
 WHERE action = ANY(%s) AND entitytype <> ALL(%s) GROUP BY entitytype ORDER BY entitytype
"""


class Foreground:
    """One indexing of everything.

    :param connection: in autocommit mode
    :param tell: hears how far it is
    """

    def __init__(
        self, settings: Settings, rules: Rules, connection: psycopg.Connection[tuple[Any, ...]], tell: Tell
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._connection = connection
        self._tell = tell

    def counts(self, what: str, classes: Sequence[str] = ()) -> dict[str, int]:
        """How many objects of each type, or rows about it, :meth:`run` would deal with."""
        if what == "events":
            rows = self._connection.execute(_ROW_COUNTS, (list(self._rules.actions), list(self._rules.excluded)))
            return {str(name).rpartition(".")[2]: int(count) for name, count in rows}
        return {name: self._count(name) for name in self._types(classes)}

    def run(self, what: str, classes: Sequence[str] = ()) -> int:
        """Index all.

        The position in the eventlog is only put forward when nothing before it is missing, and is put back where the
        index is new: a run that is killed leaves nothing out for Indexer.

        :param what: ``events``, ``full`` or ``class``
        :return: how many objects were indexed
        :raises AdminError: ``index-unreadable``, ``class-unknown``
        """
        types = () if what == "events" else self._types(classes)
        index = FullTextIndex(self._settings.data_directory / "FullText", buffer_bytes=self._rules.buffer_bytes)
        end = last_entry(self._connection)
        is_new = index.is_new or index.size() == 0
        if is_new or what == "events":
            store_position(self._connection, 0)
        if what == "events":
            return self._events(Updater(index, self._rules, self._settings), end)
        # Nothing counts before all of it is there, so there is no hurry to put any of it on the disk.
        updater = Updater(index, self._rules, self._settings, most_pending=_MOST_PENDING)
        count = sum(self._objects(updater, name) for name in types)
        updater.commit()
        if is_new and what == "full":
            store_position(self._connection, end)
        return count

    def _types(self, classes: Sequence[str]) -> list[str]:
        if not classes:
            return sorted(self._rules.types)
        known = {key: name for name, entity in INDEXABLE.items() for key in (name, entity.class_name)}
        for name in classes:
            if known.get(name) not in self._rules.types:
                raise usage_error(
                    "class-unknown", f"{name!r} isn't indexed", f"those are: {', '.join(sorted(self._rules.types))}"
                )
        return list(dict.fromkeys(known[name] for name in classes))

    def _events(self, updater: Updater, end: int) -> int:
        position = count = 0
        while position < end:
            parameters = (position, end, list(self._rules.actions), list(self._rules.excluded), self._rules.batch)
            rows = self._connection.execute(_ROWS, parameters).fetchall()
            entries = tuple(Entry(row[0], str(row[1]).rpartition(".")[2], row[2], str(row[3])) for row in rows)
            position = entries[-1].id if len(entries) == self._rules.batch else end
            count += updater.apply(self._connection, Batch(entries, position, position == end, end))
            if updater.is_full or position == end:
                updater.commit()
                store_position(self._connection, position)
            self._tell("events", position, end)
        return count

    def _objects(self, updater: Updater, name: str) -> int:
        entity, total = INDEXABLE[name], self._count(name)
        statement = _IDS.format(table=entity.table, condition=entity.condition).encode()
        done = after = 0
        while ids := [row[0] for row in self._connection.execute(statement, (after, _MOST_IDS))]:
            updater.index(self._connection, name, ids)
            if updater.is_full:
                updater.commit()
            after, done = ids[-1], done + len(ids)
            self._tell(name, done, max(total, done))
        return done

    def _count(self, name: str) -> int:
        entity = INDEXABLE[name]
        statement = _COUNT.format(table=entity.table, condition=entity.condition)
        row = self._connection.execute(statement.encode()).fetchone()
        return 0 if row is None else int(row[0])
