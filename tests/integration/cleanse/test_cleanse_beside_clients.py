"""``admin cleanse`` while clients import, rename and delete: what the database names is never moved."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from omeroadmin.database.connection import connect
from omeroadmin.repository.layout import original_file_path, thumbnail_path
from omeroadmin.system.clock import wait_until
from omeroadmin.workflows.cleanse import Outcome
from tests.support.graph import Person, person, picture
from tests.support.liveserver import LiveServer, live, start_all
from tests.support.orphans import clean, plant, settle, wish_of

ROUNDS = int(os.environ.get("OMERO_TEST_CLEANSE_ROUNDS", "4"))
_RENAME = """
WITH moved AS (UPDATE originalfile SET path = %(new)s || substr(path, length(%(old)s) + 1)
                WHERE starts_with(path, %(old)s) RETURNING id)
UPDATE pixels SET path = %(new)s || substr(path, length(%(old)s) + 1) WHERE starts_with(path, %(old)s)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with live(tmp_path) as server:
        yield start_all(server)


def imports(server: LiveServer, user: Person, chance: random.Random) -> None:
    """Several files at a time, some of them slowly, some given up."""
    if chance.random() < 0.2:
        begun = user.api.begin_import(("/a/b/one.bin", b"x" * 100), ("/a/two.bin", b"y"))
        number = begun.document["import_id"]
        user.api.call("PUT", f"/imports/{number}/files/0", b"x" * 100)
        user.api.call("DELETE", f"/imports/{number}")
    elif chance.random() < 0.3:
        # A slow client: all is there long before a row names it.
        content = picture()
        begun = user.api.begin_import(("/a/slow.png", content), checksum_algorithms=["SHA1-160"])
        number = begun.document["import_id"]
        assert user.api.call("PUT", f"/imports/{number}/files/0", content).status == 200
        time.sleep(chance.uniform(0.3, 1.0))
        digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        assert user.api.call("POST", f"/imports/{number}/complete", {"hashes": [digest]}).status == 201
    else:
        user.image(*(f"deep/er/{number}" for number in range(chance.randint(1, 6))))


def uploads(server: LiveServer, user: Person, chance: random.Random) -> None:
    """Files below ``Files``."""
    content = chance.randbytes(500)
    begun = user.api.call("POST", "/uploads", {"name": "a file", "size": len(content), "mimetype": "text/plain"})
    number = begun.document["id"]
    assert user.api.call("PUT", f"/uploads/{number}", content).status == 200
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    assert user.api.call("POST", f"/uploads/{number}/complete", {"hash": digest}).status == 201


def deletes(server: LiveServer, user: Person, chance: random.Random) -> None:
    """Some of what the user has."""
    images = user.image("short-lived", "too")
    user.ask("delete", f"Image:{min(images)}-{max(images)}")


def renames(server: LiveServer, user: Person, chance: random.Random) -> None:
    """As OMERO's ``fs rename``: the directory moves in the transaction that changes the rows."""
    [image] = user.image("renamed")
    [[prefix]] = server.sql(
        "SELECT f.templateprefix FROM image i JOIN fileset f ON f.id = i.fileset WHERE i.id = %s", image
    )
    old = str(prefix).strip("/")
    new = f"{old}_renamed_{chance.randrange(10**6)}"
    with connect(server.database.address) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        connection.execute("SELECT 1")
        (server.managed / old).rename(server.managed / new)
        connection.execute(_RENAME, {"old": f"{old}/", "new": f"{new}/"})
        connection.execute("UPDATE fileset SET templateprefix = %s WHERE templateprefix = %s", (f"{new}/", prefix))


ACTIONS: tuple[Callable[[LiveServer, Person, random.Random], None], ...] = (
    imports, imports, imports, uploads, uploads, deletes, deletes, renames,
)  # fmt: skip


@dataclass
class Work:
    """What clients have done.

    :param done: actions by client
    """

    done: list[int] = field(default_factory=lambda: [0] * len(ACTIONS))
    failures: list[Exception] = field(default_factory=list)

    def has_reached(self, number: int) -> bool:
        """Whether each client has done so much, or one has failed."""
        return min(self.done) >= number or bool(self.failures)


@contextlib.contextmanager
def busy_clients(server: LiveServer) -> Iterator[Work]:
    """Eight clients at work."""
    stop = threading.Event()
    done = Work()

    def work(number: int) -> None:
        chance = random.Random(number)
        try:
            user = person(server)
            while not stop.is_set():
                ACTIONS[number](server, user, chance)
                done.done[number] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, the test fails by it
            done.failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(ACTIONS))]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        stop.set()
        for thread in threads:
            thread.join(120)


def missing_files(server: LiveServer) -> list[str]:
    """Files of rows that aren't where they should be."""
    rows = server.sql(
        "SELECT o.id, o.path || o.name, o.repo, r.name FROM originalfile o"
        " LEFT JOIN originalfile r ON r.hash = o.repo AND r.mimetype = 'Repository'"
        " WHERE coalesce(o.mimetype, '') NOT IN ('Directory', 'Repository') AND coalesce(o.repo, '') <> 'ScriptRepo'"
    )
    places = [
        original_file_path(server.data, number) if repo is None else server.managed / place.lstrip("/")
        for number, place, repo, _ in rows
    ]
    return [str(place) for place in places if not place.is_file()]


def test_nothing_that_is_named_is_moved(server: LiveServer) -> None:
    done: list[Outcome] = []
    with busy_clients(server) as work:
        for number in range(ROUNDS):
            assert wait_until(lambda: work.has_reached(number), timeout=120)  # noqa: B023 - called at once
            plant(server.data, server.managed, 1 + number % 3)
            settle()
            done.append(clean(wish_of(server, delete=number % 4 == 3)))
            assert not work.failures, work.failures
    assert not work.failures, work.failures
    assert missing_files(server) == []
    [[count]] = server.sql("SELECT count(*) FROM originalfile WHERE repo IS NOT NULL")
    assert count > 20, "the clients did something"
    assert sum(one.count for outcome in done for one in outcome.sums.values()) > 0
    # What was too young while the clients were at work is found when they are gone.
    settle()
    clean(wish_of(server))
    assert missing_files(server) == []
    assert not any(thumbnail_path(server.data, number).exists() for number in range(900_000_000, 900_000_003))
    assert not list(server.managed.glob("gone_*"))
