"""The eventlog's followers against a real PostgreSQL with transactions that overlap."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from omeroadmin.database.connection import connect
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.eventlog import Batch, EventLog
from omeroadmin.system.clock import wait_until
from tests.support.database import DatabaseUnderTest, shared_instance  # noqa: F401 - a fixture
from tests.support.servicecontext import service_context

ACTION = "TESTED"


@pytest.fixture
def context(shared_instance: DatabaseUnderTest, tmp_path: Path) -> Iterator[ServiceContext]:  # noqa: F811
    with service_context(tmp_path, shared_instance.settings.explicit()) as made:
        yield made


@pytest.fixture
def eventlog(context: ServiceContext) -> Iterator[EventLog]:
    made = EventLog(context, "tests.current_id")
    yield made
    made.close()


def write(connection: psycopg.Connection[Any], entity: str, entity_id: int, action: str = ACTION) -> int:
    """An event and a row, as Blitz writes them."""
    row = connection.execute(
        "INSERT INTO event (id, permissions, time, status, type, experimenter, experimentergroup, session)"
        " SELECT ome_nextval('seq_event'), -52, now(), 'OK', id, 0, 0, 0 FROM eventtype WHERE value = 'Internal'"
        " RETURNING id"
    ).fetchone()
    assert row is not None
    row = connection.execute(
        "INSERT INTO eventlog (id, permissions, action, entitytype, entityid, event)"
        " VALUES (ome_nextval('seq_eventlog'), -52, %s, %s, %s, %s) RETURNING id",
        (action, f"ome.model.core.{entity}", entity_id, row[0]),
    ).fetchone()
    assert row is not None
    return int(row[0])


def start_of(eventlog: EventLog) -> int:
    """The present end of the eventlog."""
    row = eventlog.connection.execute("SELECT coalesce(max(id), 0) FROM eventlog").fetchone()
    assert row is not None
    return int(row[0])


def test_batches_in_order(shared_instance: DatabaseUnderTest, eventlog: EventLog) -> None:  # noqa: F811
    start = start_of(eventlog)
    with connect(shared_instance.address) as connection:
        ids = [write(connection, "Image", number) for number in (11, 12, 13)]
        other = write(connection, "Image", 14, "OTHER")
    first = eventlog.batch(start, 2, (ACTION,))
    assert [entry.id for entry in first.entries] == ids[:2]
    assert (first.end, first.is_last) == (ids[1], False)
    assert (first.entries[0].entity, first.entries[0].entity_id) == ("Image", 11)
    second = eventlog.batch(first.end, 2, (ACTION,))
    assert [entry.id for entry in second.entries] == ids[2:]
    assert (second.end, second.is_last) == (other, True)
    assert eventlog.batch(other, 2, (ACTION,)) == Batch((), other, True)


def test_the_position_is_kept(eventlog: EventLog) -> None:
    assert eventlog.position() == 0
    eventlog.store(41)
    eventlog.store(42)
    eventlog.close()
    assert eventlog.position() == 42


def test_a_row_that_appears_late_is_not_missed(
    shared_instance: DatabaseUnderTest,  # noqa: F811
    eventlog: EventLog,
    context: ServiceContext,
) -> None:
    start = start_of(eventlog)
    batches: list[Batch] = []
    with connect(shared_instance.address) as slow, connect(shared_instance.address) as quick:
        early = write(slow, "Image", 1)
        late = write(quick, "Image", 2)
        quick.commit()
        follower = threading.Thread(target=lambda: batches.append(eventlog.batch(start, 10, (ACTION,))))
        follower.start()
        probe = EventLog(context, "tests.current_id")
        assert wait_until(lambda: len(waiting(probe)) >= 1, timeout=5)
        assert not batches
        slow.commit()
        follower.join(10)
        probe.close()
    assert [entry.id for entry in batches[0].entries] == [early, late]


def waiting(eventlog: EventLog) -> set[tuple[int, str]]:
    """Writers that a follower waits for."""
    return eventlog._writers()


def test_rows_of_a_transaction_without_end_are_held_back(
    shared_instance: DatabaseUnderTest,  # noqa: F811
    eventlog: EventLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("omeroadmin.runtime.kernel.eventlog._WRITERS_SECONDS", 0.3)
    start = start_of(eventlog)
    with connect(shared_instance.address) as stuck, connect(shared_instance.address) as quick:
        write(stuck, "Image", 1)
        write(quick, "Image", 2)
        quick.commit()
        assert eventlog.batch(start, 10, (ACTION,)) == Batch((), start, True)
        stuck.rollback()
        assert [entry.entity_id for entry in eventlog.batch(start, 10, (ACTION,)).entries] == [2]
