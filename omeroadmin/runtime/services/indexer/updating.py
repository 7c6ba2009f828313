"""Brings objects of the database into the index, each once however often it has changed."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from omeroadmin.runtime.kernel.eventlog import Batch
from omeroadmin.runtime.services.indexer.contents import Contents
from omeroadmin.runtime.services.indexer.documents import Document, key_of, load_documents, touched_objects
from omeroadmin.runtime.services.indexer.index import FullTextIndex
from omeroadmin.runtime.services.indexer.rules import Rules
from omeroadmin.schema.settings import Settings

_PART = 1000
"""Objects that are in memory at a time."""
_MOST_PENDING = 20_000
"""Objects between two commits, after which the position in the eventlog goes forward."""


class Updater:
    """Changes an index by what the database says of objects.

    What an object is at the time it is read includes all changes that had ended by then: further rows about it, up to
    that moment's last one, have nothing to add and are passed over.

    :param most_pending: objects after which :attr:`is_full` asks for a commit
    """

    def __init__(
        self, index: FullTextIndex, rules: Rules, settings: Settings, *, most_pending: int = _MOST_PENDING
    ) -> None:
        self._index = index
        self._rules = rules
        self._contents = Contents(settings.data_directory, settings.managed_repository, largest=rules.largest_file)
        self._known: dict[tuple[str, int], int] = {}
        # As long as this holds, what isn't known isn't in the index either.
        self._knows_all = rules.window > 0 and index.size() == 0
        self._most_pending = most_pending
        self.pending = 0

    @property
    def is_full(self) -> bool:
        """Whether it is time to put what has changed on the disk."""
        return self.pending >= self._most_pending

    def forget(self) -> None:
        """Somebody wants objects to be indexed again that are up to date."""
        self._known.clear()
        self._knows_all = False

    def apply(self, connection: psycopg.Connection[tuple[Any, ...]], batch: Batch) -> int:
        """Index the objects that a batch of rows is about.

        :return: how many were indexed, or taken out
        """
        self._contents.forget()
        count = 0
        for entity, ids in touched_objects(connection, batch.entries, self._rules.types).items():
            wanted = sorted(number for number in ids if self._known.get((entity, number), -1) < batch.end)
            self.index(connection, entity, wanted)
            self._remember(entity, wanted, batch.top)
            count += len(wanted)
        return count

    def index(self, connection: psycopg.Connection[tuple[Any, ...]], entity: str, ids: list[int]) -> None:
        """Index objects as they are now; those that are gone are taken out."""
        parts = [ids[start : start + _PART] for start in range(0, len(ids), _PART)]

        def load(part: list[int]) -> list[Document]:
            return load_documents(connection, entity, part, most_files=self._rules.most_files, contents=self._contents)

        # The database is at the next part while this one is indexed.
        with ThreadPoolExecutor(1, thread_name_prefix="documents") as pool:
            coming = pool.submit(load, parts[0]) if parts else None
            for number, part in enumerate(parts, start=1):
                documents = [] if coming is None else coming.result()
                coming = pool.submit(load, parts[number]) if number < len(parts) else None
                self._put(entity, part, documents)

    def _put(self, entity: str, part: list[int], documents: list[Document]) -> None:
        new = {one.id for one in documents if (entity, one.id) not in self._known} if self._knows_all else set()
        self._index.replace((one for one in documents if one.id in new), is_first=True)
        self._index.replace(one for one in documents if one.id not in new)
        for gone in set(part) - {document.id for document in documents}:
            self._index.remove(key_of(entity, gone))
        self.pending += len(part)

    def commit(self) -> None:
        """Put the changes on the disk, for searches to see."""
        if self.pending:
            self._index.commit()
            self.pending = 0

    def _remember(self, entity: str, ids: Iterable[int], top: int) -> None:
        for number in ids:
            self._known[entity, number] = top
        if len(self._known) > self._rules.window:
            self.forget()
