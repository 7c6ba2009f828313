"""How Blitz starts and ends: what stops it at once, what it tries again, what it leaves."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.repository.layout import encode_java_text, marker_directory, repository_lock
from omeroadmin.system.clock import wait_until
from tests.support.liveserver import LiveServer, live
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def stopped_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A database without any server."""
    with live(tmp_path_factory.mktemp("start")) as server:
        yield server


def test_a_clean_start_and_stop(stopped_server: LiveServer) -> None:
    server = stopped_server.runtime.start("Blitz", "Blitz-0", "-Xmx512m", "-Djava.awt.headless=true")
    instance = stopped_server.runtime.instance
    uuid = str(stopped_server.sql("SELECT value FROM configuration WHERE name = 'omero.db.uuid'")[0][0])
    locks = [
        marker_directory(root, uuid) / ".lock"
        for root in (stopped_server.data, stopped_server.managed, instance.scripts_directory)
    ]
    assert all(lock.exists() for lock in locks)
    for name in ("Blitz-0.sock", "Blitz-0-internal.sock", "Blitz-0.health"):
        assert (instance.run_directory / name).stat().st_mode & 0o777 == 0o600
    assert "OMERO Version:" in server.tail()
    assert "Verified database patch: OMERO5.4__0" in server.tail()
    assert stopped_server.sql("SELECT count(*) FROM node WHERE down IS NULL") == [(1,)]
    assert server.stop() == 0
    assert "Stopping OMERO..." in server.tail()
    assert not any(lock.exists() for lock in locks)
    assert not list(instance.run_directory.iterdir())
    assert stopped_server.sql("SELECT count(*) FROM node WHERE down IS NULL") == [(0,)]


def test_the_repositories_stay_the_same(stopped_server: LiveServer) -> None:
    def registered() -> list[tuple[int, str]]:
        rows = stopped_server.sql("SELECT id, hash FROM originalfile WHERE mimetype = 'Repository' ORDER BY id")
        return [(row[0], row[1]) for row in rows]

    stopped_server.runtime.start("Blitz", "Blitz-0").stop()
    before = registered()
    assert len(before) == 3
    moved = stopped_server.data.with_name("moved")
    stopped_server.managed.rename(moved)
    stopped_server.runtime.start("Blitz", "Blitz-0", properties={"omero.managed.dir": str(moved)}).stop()
    assert registered() == before
    assert stopped_server.sql("SELECT count(*) FROM originalfile WHERE name = 'moved'") == [(1,)]
    moved.rename(stopped_server.managed)
    stopped_server.runtime.start("Blitz", "Blitz-0").stop()
    assert registered() == before


def test_a_session_survives_a_restart(stopped_server: LiveServer) -> None:
    server = stopped_server.runtime.start("Blitz", "Blitz-0")
    api = stopped_server.local().login()
    server.stop()
    [(message,)] = stopped_server.sql("SELECT message FROM session WHERE uuid = %s", api.key)
    assert message.startswith("last used 20")
    server = stopped_server.runtime.start("Blitz", "Blitz-0")
    again = stopped_server.local()
    again.key = api.key
    assert again.call("GET", "/sessions/current").status == 200
    server.kill()
    assert stopped_server.sql("SELECT count(*) FROM node WHERE down IS NULL") == [(1,)]
    server = stopped_server.runtime.start("Blitz", "Blitz-0")
    assert stopped_server.sql("SELECT count(*) FROM node WHERE down IS NULL") == [(1,)]
    server.stop()


def test_a_database_that_does_not_answer_is_a_crash(stopped_server: LiveServer) -> None:
    port = free_port()
    server = stopped_server.runtime.start("Blitz", "Blitz-0", properties={"omero.db.port": str(port)}, wait=False)
    assert server.process.wait(30) == 1
    assert server.failure == ""
    assert f"127.0.0.1:{port} does not answer" in server.tail()


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"omero.db.pass": "wrong"}, "refuses the password"),
        ({"omero.db.name": "nothing"}, "no database nothing"),
        ({"omero.db.patch": "1"}, "DB version (OMERO5.4__0) does not match the configured value (OMERO5.4__1)"),
        ({"omero.checksum.supported": "SHA-9"}, "SHA-9"),
        ({"omero.db.poolsize": "many"}, "omero.db.poolsize"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_what_is_wrong_is_said_once(stopped_server: LiveServer, properties: dict[str, str], words: str) -> None:
    server = stopped_server.runtime.start("Blitz", "Blitz-0", properties=properties, wait=False)
    assert server.process.wait(30) == 78
    assert words in server.failure
    assert words in server.tail()
    assert not list(stopped_server.runtime.instance.run_directory.glob("*.health"))


def test_an_earlier_failure_is_forgotten(stopped_server: LiveServer) -> None:
    instance = stopped_server.runtime.instance
    (instance.run_directory / "Blitz-0.failure").write_text("old\n")
    server = stopped_server.runtime.start("Blitz", "Blitz-0")
    assert server.failure == ""
    server.stop()


def test_a_repository_of_another_server_is_not_touched(stopped_server: LiveServer) -> None:
    uuid = str(stopped_server.sql("SELECT value FROM configuration WHERE name = 'omero.db.uuid'")[0][0])
    with repository_lock(stopped_server.managed, uuid):
        server = stopped_server.runtime.start("Blitz", "Blitz-0", wait=False)
        assert server.process.wait(30) == 78
        assert "another server uses the repository" in server.failure


def test_two_blitzes_share_an_instance(stopped_server: LiveServer) -> None:
    first = stopped_server.runtime.start("Blitz", "Blitz-0")
    second = stopped_server.runtime.start("Blitz", "Blitz-1")
    api = stopped_server.local("Blitz-0").login()
    other = stopped_server.local("Blitz-1")
    other.key = api.key
    assert other.call("GET", "/sessions/current").document["user"] == "root"
    assert api.call("DELETE", "/sessions/current").status == 204
    assert other.call("GET", "/sessions/current").status == 401
    second.stop()
    first.stop()


def test_markers_of_a_server_that_was_killed_are_cleared(stopped_server: LiveServer) -> None:
    markers = stopped_server.managed / ".omero" / "imports" / "Blitz-0"
    markers.mkdir(parents=True, exist_ok=True)
    left = stopped_server.managed / "root_0" / "2026-01" / "01" / "00-00-00.000"
    left.mkdir(parents=True)
    (left / ".half.png.part").write_bytes(b"half")
    (markers / "12345.json").write_text(json.dumps({"directory": str(left.relative_to(stopped_server.managed))}))
    (markers / "12346.json").write_text(json.dumps({"directory": "../../../outside"}))
    (markers / "12347.json").write_text("{")
    server = stopped_server.runtime.start("Blitz", "Blitz-0")
    assert not left.exists()
    assert not (stopped_server.managed / "root_0" / "2026-01").exists()
    assert "Removed" in server.tail()
    server.stop()


def test_a_broken_marker_stops_the_start_with_a_reason(stopped_server: LiveServer) -> None:
    uuid = str(stopped_server.sql("SELECT value FROM configuration WHERE name = 'omero.db.uuid'")[0][0])
    marker = marker_directory(stopped_server.data, uuid) / "repo_uuid"
    good = marker.read_bytes()
    marker.write_bytes(encode_java_text("a marker")[:4])
    server = stopped_server.runtime.start("Blitz", "Blitz-0", wait=False)
    assert server.process.wait(30) != 0
    assert "cut off" in server.tail()
    marker.write_bytes(good)


def test_health_follows_the_database(tmp_path: Path) -> None:
    from omeroadmin.database import embedded

    with live(tmp_path) as server:
        blitz = server.runtime.start("Blitz", "Blitz-0")
        storm = server.runtime.start("IceStorm", "OMERO.IceStorm")
        embedded.stop(server.database.instance, server.database.settings)
        assert wait_until(lambda: not blitz.is_ready() and not storm.is_ready(), timeout=40)
        answer = server.local().call("GET", "/images", headers={"Authorization": "Bearer x"})
        assert (answer.status, answer.code) == (503, "database-unavailable")
        embedded.start(server.database.instance, server.database.settings)
        assert wait_until(lambda: blitz.is_ready() and storm.is_ready(), timeout=40), (blitz.tail(), storm.tail())
        blitz.process.send_signal(signal.SIGINT)
        assert blitz.process.wait(20) == 0
