"""Two hundred sessions import at once through OMERO.Glacier2 and two Blitz instances, one of which is killed."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from omeroadmin.access.address import Address
from omeroadmin.access.client import Client
from omeroadmin.access.trust import Trust
from omeroadmin.workflows.import_options import ImportOptions
from omeroadmin.workflows.importing import ImportResult, Watcher, import_files, prepare
from tests.support.liveserver import LiveServer, live, start_all

SESSIONS = 200
USERS = 20
FILES = 2


@dataclass(frozen=True)
class Person:
    """A session and the files that it imports."""

    user: str
    key: str
    folder: Path


class Progress:
    """Counts what is imported, in all threads; says when enough is there."""

    def __init__(self, enough: int) -> None:
        self.far_enough = threading.Event()
        self._left = enough
        self._lock = threading.Lock()

    def watcher(self) -> Watcher:
        return Watcher(self._nothing, self._nothing, self._nothing, self._done, self._nothing)

    def _nothing(self, *_: object) -> None:
        pass

    def _done(self, *_: object) -> None:
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                self.far_enough.set()


def people(server: LiveServer, directory: Path) -> list[Person]:
    """Two hundred sessions of twenty users; each has images that nobody else has."""
    import pyvips

    internal = server.local(internal=True)
    users = [server.add_user(permissions=-56) for _ in range(USERS)]
    found = []
    for number in range(SESSIONS):
        user = users[number % USERS]
        opened = internal.call("POST", "/internal/sessions", {"user": user, "agent": "tests"})
        folder = directory / str(number)
        folder.mkdir()
        for file in range(FILES):
            noise = pyvips.Image.gaussnoise(16, 16, seed=number * FILES + file + 1).cast("uchar")
            noise.write_to_file(str(folder / f"{number}-{file}.png"))
        found.append(Person(user, opened.document["key"], folder))
    return found


def import_all(
    server: LiveServer, persons: Sequence[Person], progress: Progress, *, exclude: str = ""
) -> list[ImportResult]:
    """All sessions import at once."""
    address, trust = Address("localhost", server.ssl_port), Trust(server.certificate, system=False)
    together = threading.Barrier(len(persons))

    def run(person: Person) -> ImportResult:
        prepared = prepare([([person.folder], ImportOptions(exclude=exclude))])
        with Client(address, trust=trust, key=person.key) as client:
            together.wait(60)
            return import_files(client, prepared, progress.watcher(), idle_seconds=0, filesets=1, keep_going=True)

    with ThreadPoolExecutor(len(persons)) as pool:
        return list(pool.map(run, persons))


def assert_consistent(server: LiveServer) -> dict[str, int]:
    """Every row of a file has its file, size and checksum; every image and fileset is whole.

    :return: how often each file name is there
    """
    files = server.sql(
        "SELECT o.path, o.name, o.size, o.hash, h.value, e.fileset FROM originalfile o"
        " JOIN filesetentry e ON e.originalfile = o.id JOIN checksumalgorithm h ON h.id = o.hasher"
    )
    names: dict[str, int] = {}
    for path, name, size, digest, algorithm, _ in files:
        content = (server.managed / path / name).read_bytes()
        assert algorithm == "SHA1-160"
        assert (len(content), hashlib.sha1(content, usedforsecurity=False).hexdigest()) == (size, digest), name
        names[name] = names.get(name, 0) + 1
    filesets = {fileset for *_, fileset in files}
    assert server.sql(
        "SELECT count(*) FROM image i WHERE NOT EXISTS (SELECT FROM filesetentry e WHERE e.fileset = i.fileset)"
    ) == [(0,)]
    assert server.sql(
        "SELECT count(*) FROM image i WHERE NOT EXISTS (SELECT FROM pixels p JOIN channel c ON c.pixels = p.id"
        " WHERE p.image = i.id)"
    ) == [(0,)]
    assert {row[0] for row in server.sql("SELECT id FROM fileset")} == filesets
    assert server.sql("SELECT count(*) FROM image") == [(len(filesets),)]
    return names


def stored(server: LiveServer) -> list[str]:
    """Names of all files of the repository, finished or not."""
    return sorted(path.name for path in server.imported_files())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with live(tmp_path / "server") as running:
        start_all(running)
        running.runtime.start("Blitz", "Blitz-1", "-Xmx512m")
        yield running


def test_two_hundred_sessions_lose_nothing_though_a_blitz_is_killed(server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    persons = people(server, tmp_path / "images")
    progress = Progress(SESSIONS * FILES // 3)
    blitz = next(process for process in server.runtime.servers if process.server_id == "Blitz-0")
    with ThreadPoolExecutor(1) as beside:
        killed = beside.submit(kill, progress, blitz.kill)
        results = import_all(server, persons, progress)
        assert killed.result(60)
    failed = [failure for result in results for failure in result.failed]
    assert failed, "the server was killed in the middle and nothing failed"
    assert all(failure.message and failure.path.is_file() for failure in failed)
    names = assert_consistent(server)
    told = [done.path.name for result in results for done in result.imported]
    assert set(told) <= set(names)
    # What failed for the client may have been complete when the answer was lost; nothing is there twice.
    assert set(names) - set(told) <= {failure.path.name for failure in failed}
    assert set(names.values()) == {1}
    server.runtime.start("Blitz", "Blitz-0", "-Xmx512m")
    assert stored(server) == sorted(names), "the next start removes what the killed one had not ended"
    again = import_all(server, persons, Progress(1), exclude="clientpath")
    assert not [failure for result in again for failure in result.failed]
    assert sum(len(result.skipped) for result in again) == len(names)
    names = assert_consistent(server)
    assert (len(names), set(names.values())) == (SESSIONS * FILES, {1})
    assert stored(server) == sorted(names)
    assert not list((server.managed / ".omero" / "imports").rglob("*.json"))


def kill(progress: Progress, end: Callable[[], object]) -> bool:
    """Kill when a third is there."""
    came = progress.far_enough.wait(60)
    end()
    return came
