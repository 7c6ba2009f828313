"""The parts of Indexer that read the database: each object once, and a foreground run that is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from omeroadmin.database.connection import connect
from omeroadmin.database.eventlog import indexed_position, last_entry, log_progress, store_position
from omeroadmin.repository.fulltext import inspect_index
from omeroadmin.runtime.kernel.eventlog import Batch, Entry
from omeroadmin.runtime.services.indexer.index import FullTextIndex, Wish
from omeroadmin.runtime.services.indexer.rules import Rules
from omeroadmin.runtime.services.indexer.updating import Updater
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import wait_until
from tests.support.database import DatabaseUnderTest, running_database

OBJECTS = 30_000


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseUnderTest]:
    """A database with many images, and two rows in the eventlog for each."""
    with running_database(tmp_path_factory.mktemp("indexing")) as made:
        with connect(made.address) as connection:
            connection.execute(
                "INSERT INTO image (id, name, series, permissions, creation_id, update_id, owner_id, group_id)"
                f" SELECT n, 'cell_' || n, 0, -120, 0, 0, 0, 0 FROM generate_series(1, {OBJECTS}) n"
            )
            connection.execute(
                "INSERT INTO eventlog (id, action, entitytype, entityid, event, permissions)"
                f" SELECT 1000 + k * {OBJECTS} + n, 'UPDATE', 'ome.model.core.Image', n, 0, -52"
                f" FROM generate_series(0, 1) k, generate_series(1, {OBJECTS}) n"
            )
        yield made


@pytest.fixture
def connection(database: DatabaseUnderTest) -> Iterator[psycopg.Connection[Any]]:
    with connect(database.address, autocommit=True) as made:
        yield made


def batch(first: int, last: int, top: int, *images: int) -> Batch:
    """Rows about images."""
    entries = tuple(Entry(first + number, "Image", image, "UPDATE") for number, image in enumerate(images))
    return Batch(entries, last, False, top)


def test_an_object_is_indexed_once(connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    index = FullTextIndex(tmp_path, buffer_bytes=15_000_000)
    settings = Settings({"omero.data.dir": str(tmp_path)})
    updater = Updater(index, Rules.from_settings(settings), settings)
    assert updater.apply(connection, batch(1, 10, 20, 1, 2, 1)) == 2
    # What was read when all up to 20 was there includes the rows 11 to 20.
    assert updater.apply(connection, batch(11, 20, 20, 1, 3)) == 1
    assert updater.apply(connection, batch(21, 30, 30, 1, 3)) == 2
    connection.execute("UPDATE image SET name = 'renamed' WHERE id = 2")
    updater.forget()
    assert updater.apply(connection, batch(1, 10, 30, 2)) == 1
    updater.commit()
    assert index.size() == 3
    assert [hit.id for hit in index.search("renamed", Wish(5))] == [2]
    connection.execute("UPDATE image SET name = 'cell_2' WHERE id = 2")


@pytest.mark.parametrize("window", [0, 2])
def test_what_is_not_remembered_is_indexed_again(
    connection: psycopg.Connection[Any], tmp_path: Path, window: int
) -> None:
    index = FullTextIndex(tmp_path, buffer_bytes=15_000_000)
    settings = Settings({"omero.data.dir": str(tmp_path), "omero.search.max_partition_size": str(window)})
    updater = Updater(index, Rules.from_settings(settings), settings)
    for first in (1, 11, 21):
        assert updater.apply(connection, batch(first, first + 9, 30, 1, 2, 3)) == 3
    updater.commit()
    assert index.size() == 3


def test_the_rules_are_those_of_the_properties() -> None:
    rules = Rules.from_settings(Settings({"omero.search.include_types": "ome.model.core.Image, ome.model.screen.Well"}))
    assert (rules.types, rules.rounds, rules.window, rules.batch) == (frozenset({"Image"}), None, 1_000_000, 5000)
    older = {
        "omero.search.event_log_loader": "persistentEventLogLoader",
        "omero.search.repetitions": "3",
        "omero.search.excludes": "a.B, c.D",
        "omero.search.include_actions": "INSERT",
    }
    rules = Rules.from_settings(Settings(older))
    assert (rules.rounds, rules.window, rules.excluded, rules.actions) == (3, 0, ("a.B", "c.D"), ("INSERT",))


def test_progress_of_the_log(database: DatabaseUnderTest) -> None:
    with connect(database.address) as connection:
        store_position(connection, 1000 + OBJECTS)
        progress = log_progress(connection)
        assert (progress.position, progress.last, progress.behind) == (1000 + OBJECTS, 1000 + 2 * OBJECTS, OBJECTS)
        assert 49 < progress.percent < 51


def foreground(database: DatabaseUnderTest, what: str) -> subprocess.Popen[bytes]:
    """The process of ``omero admin reindex --full`` and ``--events``."""
    orders = {"settings": database.settings.explicit(), "what": what, "classes": [], "dry_run": False}
    process = subprocess.Popen(
        [sys.executable, "-m", "omeroadmin.runtime.services.indexer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(orders).encode())
    process.stdin.close()
    return process


@pytest.mark.parametrize("what", ["full", "events"])
def test_a_killed_foreground_run_leaves_nothing_out(
    database: DatabaseUnderTest, connection: psycopg.Connection[Any], what: str
) -> None:
    directory = database.settings.data_directory / "FullText"
    for path in directory.glob("*"):
        path.unlink()
    store_position(connection, last_entry(connection))
    process = foreground(database, what)
    assert process.stdout is not None
    assert b'"progress"' in process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    # Either it was through, or Indexer finds its counter where it misses nothing.
    facts = inspect_index(directory)
    position = indexed_position(connection)
    assert position < last_entry(connection) or facts.documents == OBJECTS
    assert facts.documents >= min(OBJECTS, max(0, position - 1000))
    again = foreground(database, what)
    assert again.stdout is not None
    assert json.loads(again.stdout.read().splitlines()[-1]) == {"finished": {"objects": OBJECTS}}
    again.stdout.close()
    assert again.wait(10) == 0
    facts = inspect_index(directory)
    assert (facts.documents, facts.problems) == (OBJECTS, ())
    if what == "events":
        assert indexed_position(connection) == last_entry(connection)


def test_failures_are_answers(database: DatabaseUnderTest) -> None:
    directory = database.settings.data_directory / "FullText"
    held = FullTextIndex(directory, buffer_bytes=15_000_000)
    process = foreground(database, "full")
    assert process.stdout is not None
    answer = json.loads(process.stdout.read().splitlines()[-1])
    process.stdout.close()
    process.wait(10)
    assert answer["error"]["code"] == "index-unreadable"
    assert held.size() == OBJECTS
    assert wait_until(lambda: process.returncode == 0, timeout=1)
