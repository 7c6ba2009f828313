"""Three Blitz instances in a real grid: sessions spread and stay; those of one that is killed go on elsewhere."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from omeroadmin.access.address import Address
from omeroadmin.access.client import Client
from omeroadmin.access.trust import Trust
from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from omeroadmin.workflows import lifecycle
from omeroadmin.workflows.driver import instance_driver
from tests.integration.server.test_blitz_imports import picture
from tests.support.omero import Omero
from tests.support.ports import free_port

NAMES = {"Blitz-0", "Blitz-1", "Blitz-2"}


@pytest.fixture(scope="module")
def omero(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Omero]:
    """An instance with three Blitz instances, started."""
    if os.geteuid() == 0:
        pytest.skip("PostgreSQL refuses root; the unprivileged run of this suite covers this")
    omero = Omero(tmp_path_factory.mktemp("blitz"))
    omero.ok("install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded", "--yes")
    for name in ("ssl", "tcp", "registry"):
        omero.ok("config", "set", f"omero.ports.{name}", str(free_port()))
    omero.ok("config", "set", "omero.server.nodedescriptors", "master:Blitz-0,Blitz-1,Blitz-2,Storm")
    omero.ok("config", "set", "omero.sessions.maximum", "86400000")
    try:
        done = omero.run("admin", "start")
        assert done.returncode == 0, done.stderr
        yield omero
    finally:
        lifecycle.stop(Instance(omero.omerodir))


@pytest.fixture
def clients(omero: Omero) -> Iterator[list[Client]]:
    """Twelve sessions of root."""
    port = int(omero.ok("config", "get", "omero.ports.ssl").strip())
    trust = Trust(omero.data / "certs" / "server.pem", system=False)
    password = (omero.omerodir / "etc" / "root_password").read_text().strip()
    opened = [Client(Address("localhost", port), trust=trust, timeout=30) for _ in range(12)]
    for client in opened:
        client.open_session("root", password)
    yield opened
    for client in opened:
        client.close()


def home(client: Client) -> str:
    """The Blitz that answers."""
    return str(client.get("/status")["server"])


def begin(client: Client, path: str, content: bytes) -> int:
    document = {"files": [{"client_path": path, "size": len(content)}], "checksum_algorithms": ["SHA1-160"]}
    return int(client.post("/imports", document)["import_id"])


def finish(client: Client, number: int, content: bytes) -> dict[str, Any]:
    client.upload(f"/imports/{number}/files/0", [content], len(content))
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return dict(client.post(f"/imports/{number}/complete", {"hashes": [digest]}))


def pid(omero: Omero, name: str) -> int | None:
    servers = instance_driver(Instance(omero.omerodir)).state().servers
    return next((server.pid for server in servers if server.id == name and server.is_active), None)


def test_sessions_spread_and_stay(clients: list[Client]) -> None:
    homes = [home(client) for client in clients]
    assert set(homes) <= NAMES
    assert len(set(homes)) > 1, "twelve sessions fall to one of three instances once in 180,000 times"
    for _ in range(3):
        assert [home(client) for client in clients] == homes


def test_every_instance_knows_every_session(omero: Omero, clients: list[Client]) -> None:
    open_sessions = {session["id"] for session in clients[0].get("/sessions")["sessions"]}
    assert len(open_sessions) >= len(clients)
    for client in clients:
        assert {session["id"] for session in client.get("/sessions")["sessions"]} == open_sessions


def test_a_killed_blitz(omero: Omero, clients: list[Client]) -> None:
    contents = [picture(700 + number) for number in range(len(clients))]
    imports = [begin(client, f"/grid/{number}.png", contents[number]) for number, client in enumerate(clients)]
    homes = [home(client) for client in clients]
    killed = homes[0]
    victim = pid(omero, killed)
    assert victim is not None
    os.kill(victim, signal.SIGKILL)

    # All sessions go on, those of the killed one elsewhere.
    moved = [client for client, name in zip(clients, homes, strict=True) if name == killed]
    assert wait_until(lambda: all(_answers(client) for client in clients), timeout=30)
    away = {id(client): home(client) for client in moved}
    if not wait_until(lambda: pid(omero, killed) not in (None, victim), timeout=30):
        pytest.fail(f"{killed} is not started again")

    # Imports that were begun at the others are completed; those at the killed one are gone, and nothing is left.
    images = 0
    for number, client in enumerate(clients):
        if homes[number] == killed:
            with pytest.raises(AdminError) as caught:
                finish(client, imports[number], contents[number])
            assert caught.value.code == "not-found"
        else:
            images += len(finish(client, imports[number], contents[number])["images"])
    assert images == len(clients) - len(moved)
    assert len(list((omero.data / "ManagedRepository").rglob("*.png"))) == images

    # Whoever moved imports where it is now, also when its first Blitz is back.
    client = moved[0]
    number = begin(client, "/grid/again.png", contents[0])
    assert wait_until(lambda: _is_ready(omero, killed), timeout=60)
    assert home(client) == away[id(client)] != killed
    assert len(finish(client, number, contents[0])["images"]) == 1


def _answers(client: Client) -> bool:
    """Whether a session is served; a request that was on its way to the killed server is answered with 503."""
    try:
        return bool(client.get("/sessions/current"))
    except AdminError as error:
        if error.exit_status != ExitStatus.UNREACHABLE:
            raise
        return False


def _is_ready(omero: Omero, name: str) -> bool:
    servers = instance_driver(Instance(omero.omerodir)).state().servers
    return any(server.id == name and server.is_active for server in servers)
