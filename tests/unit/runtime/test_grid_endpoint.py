"""The endpoint for servers on other hosts: who is let in, who isn't, and that nobody holds it up."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import hashlib
import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.runtime.kernel.client import InternalClient
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.endpoint import GREETING, READY, EndpointError, GridEndpoint, Service
from omeroadmin.runtime.kernel.events import SOCKET_NAME, Event, Events
from omeroadmin.runtime.kernel.localserver import serving
from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.runtime.services.glacier2.grid import GridLimits, GridListener
from omeroadmin.runtime.services.glacier2.tls import server_context
from omeroadmin.schema import grid_endpoint as names
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import wait_until
from omeroadmin.system.sockets import listen_unix
from tests.support import certificates
from tests.support.ports import free_port
from tests.support.servicecontext import service_context

TOKEN = "5f" * 32


@dataclass
class Master:
    """A host with the endpoint, in a thread.

    :param endpoint: as its servers are told
    :param listener: what is tested
    """

    context: ServiceContext
    endpoint: GridEndpoint
    listener: GridListener
    certificate: Path

    @property
    def refused(self) -> object:
        return dict(self.context.health.answer()["detail"]).get("grid_refused", 0)  # type: ignore[call-overload]


@contextlib.contextmanager
def master(directory: Path, limits: GridLimits | None = None, token: str = TOKEN) -> Iterator[Master]:
    """A host with the endpoint."""
    directory.mkdir(exist_ok=True)
    settings = certificates.complete_settings(directory)
    (directory / "certs").mkdir(exist_ok=True)
    certificates.make(settings)
    certificate = directory / "certs" / "server.pem"
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    endpoint = GridEndpoint("127.0.0.1", free_port(), hashlib.sha256(der).hexdigest(), token)
    with service_context(directory / "master", settings.explicit(), kind="Glacier2") as context:
        made = Master(context, endpoint, GridListener(context, endpoint, limits), certificate)
        listening, stopping = threading.Event(), asyncio.Event()
        loops: list[asyncio.AbstractEventLoop] = []

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            server = await made.listener.listen(server_context(context.settings))
            listening.set()
            await stopping.wait()
            server.close()
            await made.listener.close()

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        assert listening.wait(20)
        try:
            yield made
        finally:
            loops[0].call_soon_threadsafe(stopping.set)
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """One with a Blitz that tells what it was asked, and events."""
    with master(tmp_path_factory.mktemp("grid")) as made:
        run = made.context.instance.run_directory
        with (
            serving(run / "Blitz-0-internal.sock", lambda r: (200, {"internal": r.path, "body": r.body})),
            serving(run / "Blitz-0.sock", lambda r: (200, {"api": r.path})),
        ):
            yield made


@pytest.fixture
def worker(tmp_path: Path) -> Instance:
    """An instance on a host where nobody listens."""
    instance = Instance(tmp_path / "worker")
    instance.run_directory.mkdir(parents=True)
    return instance


def test_requests_reach_blitz(host: Master, worker: Instance) -> None:
    client = InternalClient(worker, host.endpoint, timeout=10)
    body = {"text": "é" * 300_000}
    assert client.request("POST", "/internal/x", body) == {"internal": "/internal/x", "body": body}
    assert client.request("GET", "/api/v0/status")["internal"] == "/api/v0/status"


def test_a_socket_of_this_host_is_preferred(host: Master) -> None:
    nowhere = dataclasses.replace(host.endpoint, port=free_port())
    assert InternalClient(host.context.instance, nowhere).request("GET", "/internal/x")


def test_a_service_for_scripts_is_the_public_one(host: Master) -> None:
    with host.endpoint.connect(Service.API, timeout=10) as connection:
        connection.sendall(b"GET /internal/jobs/claim HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        with connection.makefile("rb") as stream:
            assert json.loads(stream.read().partition(b"\r\n\r\n")[2]) == {"api": "/internal/jobs/claim"}


def test_a_download_has_a_limit(host: Master, worker: Instance, tmp_path: Path) -> None:
    client = InternalClient(worker, host.endpoint, timeout=10)
    with (tmp_path / "x").open("w+b") as target:
        client.download("/a", target, 1000)
        target.seek(0)
        assert json.loads(target.read()) == {"internal": "/a", "body": None}
        with pytest.raises(AdminError) as caught:
            client.download("/a", target, 10)
    assert caught.value.code == "file-too-large"


def test_a_wrong_token_is_refused(host: Master, worker: Instance, caplog: pytest.LogCaptureFixture) -> None:
    for token in ("5f" * 31 + "5e", "x", "é", ""):
        wrong = dataclasses.replace(host.endpoint, token=token)
        with pytest.raises(AdminError, match="answers: refused") as caught:
            InternalClient(worker, wrong, timeout=10).request("GET", "/internal/x")
        assert (caught.value.code, caught.value.exit_status) == ("blitz-unavailable", ExitStatus.UNREACHABLE)
        assert token == "" or token not in caught.value.message
    assert caplog.text.count("doesn't know the grid's token and is refused") <= 1
    assert TOKEN not in caplog.text


def test_another_certificate_is_not_told_the_token(host: Master, worker: Instance, tmp_path: Path) -> None:
    with master(tmp_path / "impostor", token="another") as impostor:
        misled = dataclasses.replace(host.endpoint, port=impostor.endpoint.port)
        with pytest.raises(AdminError, match="shows another certificate than the one agreed on"):
            InternalClient(worker, misled, timeout=10).request("GET", "/internal/x")
        with pytest.raises(EndpointError, match="answers: refused"):
            dataclasses.replace(impostor.endpoint, token=TOKEN).connect(Service.INTERNAL, timeout=10)
        # This one was seen; the one before had told nothing that could have been refused.
        assert impostor.refused == 1


def test_whoever_speaks_no_tls_gets_no_answer(host: Master) -> None:
    with socket.create_connection(("127.0.0.1", host.endpoint.port), timeout=10) as plain:
        plain.sendall(host.endpoint.greeting(Service.INTERNAL))
        with contextlib.suppress(ConnectionError):
            answer = plain.recv(100)
            assert READY not in answer
            assert plain.recv(100) == b""


def test_old_tls_is_refused(host: Master) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", host.endpoint.port), timeout=10) as plain,
        pytest.raises(OSError, match=r"(?i)alert|version|protocol|closed|eof"),
        context.wrap_socket(plain),
    ):
        pass


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"GET / HTTP/1.1\r\n",
        f"{GREETING} {TOKEN}\n".encode(),
        f"{GREETING} {TOKEN} shell\n".encode(),
        f"{GREETING} {TOKEN} internal more\n".encode(),
        f"OMERO-GRID/2 {TOKEN} internal\n".encode(),
        b"\xff\xfe \x00 \n",
    ],
)
def test_other_greetings_are_refused(host: Master, line: bytes) -> None:
    with raw(host) as connection:
        connection.sendall(line)
        assert connection.recv(100) == b"refused\n"
        assert connection.recv(100) == b""


def test_a_line_without_end_is_not_read_for_ever(host: Master) -> None:
    with raw(host) as connection, contextlib.suppress(OSError):
        for _ in range(64):
            connection.sendall(b"x" * 65536)
        assert connection.recv(100) == b""


def test_nobody_behind_it_is_said(tmp_path: Path, worker: Instance) -> None:
    with master(tmp_path) as made:
        with pytest.raises(EndpointError, match="no Blitz answers; it may be starting"):
            made.endpoint.connect(Service.INTERNAL, timeout=5)
        with pytest.raises(AdminError, match=rf"127\.0\.0\.1:{made.endpoint.port} answers: no Blitz"):
            InternalClient(worker, made.endpoint).request("GET", "/")


def test_slow_clients_are_let_go_and_hold_nobody_up(tmp_path: Path, worker: Instance) -> None:
    limits = GridLimits(greeting=0.5, idle=0.5, connections=4, strangers=2)
    with (
        master(tmp_path, limits) as made,
        serving(made.context.instance.run_directory / "Blitz-0-internal.sock", lambda _: (200, {})),
    ):
        with raw(made) as first, raw(made) as second:
            first.sendall(b"OMERO")
            # There are as many strangers as there may be: the next is turned away at once.
            with contextlib.suppress(OSError), raw(made) as third:
                assert third.recv(100) == b""
            for slow in (first, second):
                assert ended(slow)
        assert InternalClient(worker, made.endpoint).request("GET", "/") == {}
        silent = made.endpoint.connect(Service.INTERNAL, timeout=5)
        with silent:
            assert ended(silent)
        assert made.refused == 1


def test_too_many_connections_are_refused(tmp_path: Path) -> None:
    with (
        master(tmp_path, GridLimits(connections=2)) as made,
        serving(made.context.instance.run_directory / "Blitz-0-internal.sock", lambda _: (200, {})),
    ):
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(made.endpoint.connect(Service.INTERNAL, timeout=5))
            assert not answers(made)
        assert wait_until(lambda: answers(made), timeout=10)


def answers(made: Master) -> bool:
    try:
        made.endpoint.connect(Service.INTERNAL, timeout=5).close()
    except OSError:
        return False
    return True


def test_events_arrive_and_come_back_after_a_break(host: Master, worker: Instance) -> None:
    path = host.context.instance.run_directory / SOCKET_NAME
    stop = Stop()
    events = Events(worker, stop, poll=0.2, endpoint=host.endpoint)
    received = iter(events)

    def next_where(condition: Callable[[Event | None], bool]) -> None:
        assert wait_until(lambda: condition(next(received)), timeout=20)

    try:
        assert next(received) is None
        assert not events.connected
        for number in (1, 2):
            with listen_unix(path) as broker:
                next_where(lambda _: events.connected)
                accepted, _ = broker.accept()
                with accepted:
                    line = {"entity": "Image", "id": number, "action": "INSERT", "eventlog": 1}
                    accepted.sendall(b"garbage\n" + json.dumps(line).encode() + b"\n")
                    next_where(functools.partial(has_id, number))
            next_where(lambda _: not events.connected)
    finally:
        stop.request()
        assert list(received) in ([], [None])
        stop.close()
        path.unlink(missing_ok=True)


def test_what_a_server_is_told() -> None:
    told = {names.HOST: "10.87.0.1", names.PORT: "4062", names.FINGERPRINT: "AB" * 32, names.TOKEN: TOKEN}
    endpoint = GridEndpoint.from_settings(Settings(told))
    assert endpoint == GridEndpoint("10.87.0.1", 4062, "ab" * 32, TOKEN)
    assert TOKEN not in repr(endpoint)
    assert GridEndpoint.from_settings(Settings({})) is None
    for missing in (names.HOST, names.FINGERPRINT, names.PORT):
        with pytest.raises(AdminError) as caught:
            GridEndpoint.from_settings(Settings({name: value for name, value in told.items() if name != missing}))
        assert caught.value.code == "setting-invalid"


def has_id(number: int, event: Event | None) -> bool:
    return event is not None and event.id == number


@contextlib.contextmanager
def raw(made: Master) -> Iterator[ssl.SSLSocket]:
    """A connection that has said nothing yet."""
    with (
        socket.create_connection(("127.0.0.1", made.endpoint.port), timeout=10) as plain,
        made.endpoint.context().wrap_socket(plain) as secure,
    ):
        yield secure


def ended(connection: socket.socket) -> bool:
    """Whether the other side closes a connection soon."""
    try:
        return connection.recv(100) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_the_log_says_who_was_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), master(tmp_path) as made, raw(made) as connection:
        connection.sendall(b"let me in\n")
        assert connection.recv(100) == b"refused\n"
    assert "127.0.0.1 doesn't know the grid's token and is refused" in caplog.text
