"""The router: TLS, what it lets through, and what it does when there is no Blitz."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from omeroadmin.system.sockets import listen_unix
from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import LiveServer, live, start_all, start_router


def raw(server: LiveServer, content: bytes, *, finish: bool = True) -> bytes:
    """Send bytes to the plain port and read until the router closes."""
    with socket.create_connection(("127.0.0.1", server.tcp_port), timeout=30) as connection:
        connection.sendall(content)
        if finish:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_is_verified(live_server: LiveServer, version: ssl.TLSVersion) -> None:
    context = live_server.tls_context()
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("localhost", live_server.ssl_port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as secured,
    ):
        assert secured.version() == f"TLSv1.{2 if version is ssl.TLSVersion.TLSv1_2 else 3}"


def test_old_tls_is_refused(live_server: LiveServer) -> None:
    context = live_server.tls_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("localhost", live_server.ssl_port), timeout=10) as connection,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(connection, server_hostname="localhost")


def test_another_name_is_not_trusted(live_server: LiveServer) -> None:
    with (
        socket.create_connection(("localhost", live_server.ssl_port), timeout=10) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        live_server.tls_context().wrap_socket(connection, server_hostname="elsewhere.example.org")


def test_no_key_lies_around(live_server: LiveServer) -> None:
    for directory in (live_server.runtime.instance.run_directory, live_server.runtime.instance.temporary_directory):
        assert not [path for path in directory.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]


def test_a_connection_serves_many_requests(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    first = api.connection.sock
    seconds = []
    for _ in range(20):
        began = time.monotonic()
        assert api.call("GET", "/status").status == 200
        seconds.append(time.monotonic() - began)
    assert api.connection.sock is first
    # Small packets that wait for each other cost 40 ms every time.
    assert min(seconds) < 0.03


def test_chunked_bodies_and_expectations(live_server: LiveServer) -> None:
    body = json.dumps({"user": "root", "password": ROOT_PASSWORD}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, bytes([byte])) for byte in body) + b"0\r\n\r\n"
    head = b"POST /api/v0/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    # On the plain port the body arrives, and then the password in it is refused.
    assert b"password-needs-tls" in raw(live_server, head + chunks)
    head = b"POST /api/v0/sessions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    with socket.create_connection(("127.0.0.1", live_server.tcp_port), timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b""),
        (b"GET http://elsewhere.example.org/ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"CONNECT elsewhere:22 HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"GET /api/v0/status HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /api/v0/status HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000 + b"\r\n\r\n", b"431"),
        (b"POST /api/v0/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"POST /api/v0/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"GET /api/v0/status HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /api/v0/status HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n", b"200"),
    ],
    ids=["TLS", "absolute", "CONNECT", "no host", "large head", "two lengths", "gzip", "HTTP/1.0", "upgrade"],
)
def test_unusual_requests(live_server: LiveServer, content: bytes, status: bytes) -> None:
    answer = raw(live_server, content)
    if status:
        assert answer.split(b" ")[1] == status, answer


def test_smuggled_requests_are_not_two(live_server: LiveServer) -> None:
    """Where both framings are given, the request isn't split differently by router and Blitz."""
    inner = b"GET /api/v0/nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    content = (
        b"POST /api/v0/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    answer = raw(live_server, content % (len(inner) + 5) + inner.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    statuses = [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1")]
    assert len(statuses) <= 2
    assert all(b"404" in line or b"400" in line for line in statuses)


def test_a_client_that_breaks_off_leaves_nothing(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    number = api.begin_import(("/x/broken.png", b"x" * 10**6)).document["import_id"]
    with socket.create_connection(("127.0.0.1", live_server.tcp_port), timeout=10) as connection:
        connection.sendall(
            f"PUT /api/v0/imports/{number}/files/0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n"
            "Content-Length: 1000000\r\n\r\n".encode()
            + b"x" * 500_000
        )

    def free() -> bool:
        return api.call("PUT", f"/imports/{number}/files/0", b"x" * 10**6).status == 200

    assert wait_until(free, timeout=10)
    assert api.call("DELETE", f"/imports/{number}").status == 204


@pytest.fixture(scope="module")
def lonely_router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A router without a Blitz."""
    with live(tmp_path_factory.mktemp("router")) as server:
        start_router(server)
        yield server


def test_without_blitz_the_router_says_so(lonely_router: LiveServer) -> None:
    answer = lonely_router.tls().call("GET", "/status")
    assert (answer.status, answer.code) == (503, "blitz-unavailable")


def test_a_blitz_that_hangs_up_is_not_waited_for(lonely_router: LiveServer) -> None:
    path = lonely_router.runtime.instance.run_directory / "Blitz-0.sock"
    with listen_unix(path) as listener:
        api = lonely_router.plain()
        api.connection.request("GET", "/api/v0/status")
        accepted, _ = listener.accept()
        accepted.recv(65536)
        accepted.close()
        assert api.connection.getresponse().status == 503
        api.close()
        api.connection.request("GET", "/api/v0/status")
        accepted, _ = listener.accept()
        head = accepted.recv(65536)
        accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        accepted.close()
        response = api.connection.getresponse()
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            response.read()
        api.close()
    path.unlink()
    assert b"x-omero-transport: tcp" in head.lower()
    assert b"x-forwarded-for: 127.0.0.1" in head.lower()


def test_the_router_stops_when_asked(lonely_router: LiveServer) -> None:
    router = lonely_router.runtime.servers[-1]
    with socket.create_connection(("127.0.0.1", lonely_router.tcp_port), timeout=30):
        router.process.terminate()
        assert router.process.wait(15) == 0
    start_router(lonely_router)


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"omero__glacier2__IceSSL__CertFile": "nothing.p12"}, "nothing.p12"),
        ({"omero__glacier2__IceSSL__CertFile": "server.pem"}, "no PKCS#12 file"),
        ({"IceSSL__Password": "wrong"}, "IceSSL.Password is wrong"),
        ({"IceSSL__Ciphers": "NONSENSE"}, "NONSENSE"),
        ({"omero__glacier2__IceSSL__CertFile": ""}, "IceSSL.CertFile is not set"),
        ({"Glacier2__Client__Endpoints": "ssl -p x"}, "no port"),
        ({"Glacier2__Client__Endpoints": "carrier-pigeon -p 1"}, "carrier-pigeon"),
        ({"Glacier2__Client__Endpoints": "tcp -p 4063 -h 192.0.2.1"}, "can't listen on tcp 192.0.2.1:4063"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_setting_is_named(lonely_router: LiveServer, properties: dict[str, str], words: str) -> None:
    lonely_router.runtime.servers[-1].stop()
    router = start_router(lonely_router, wait=False, **properties)
    assert router.process.wait(30) == 78
    assert words in router.failure, router.failure
    start_router(lonely_router)


def test_a_taken_port_is_named_with_its_holder(lonely_router: LiveServer) -> None:
    lonely_router.runtime.servers[-1].stop()
    with socket.create_server(("127.0.0.1", lonely_router.tcp_port)):
        router = start_router(lonely_router, wait=False)
        assert router.process.wait(30) == 78
    assert f"port {lonely_router.tcp_port} (tcp) is taken by process {os.getpid()}" in router.failure
    start_router(lonely_router)


def test_endpoints_without_a_host_serve_all_interfaces(lonely_router: LiveServer) -> None:
    lonely_router.runtime.servers[-1].stop()
    start_router(
        lonely_router, Glacier2__Client__Endpoints=f"ssl -p {lonely_router.ssl_port}:tcp -p {lonely_router.tcp_port}"
    )
    for host in ("127.0.0.1", "::1") if Path("/proc/net/if_inet6").exists() else ("127.0.0.1",):
        with socket.create_connection((host, lonely_router.tcp_port), timeout=10) as connection:
            connection.sendall(b"GET /api/v0/status HTTP/1.0\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 503")


def test_sessions_move_when_their_blitz_dies(tmp_path: Path) -> None:
    with live(tmp_path) as server:
        start_all(server)
        server.runtime.start("Blitz", "Blitz-1")
        clients = [server.tls().login() for _ in range(8)]

        def servers() -> list[str]:
            return [str(api.call("GET", "/status").document["server"]) for api in clients]

        before = servers()
        assert before == servers()
        assert set(before) == {"Blitz-0", "Blitz-1"} or len(set(before)) == 1
        next(process for process in server.runtime.servers if process.server_id == before[0]).kill()
        after = servers()
        assert before[0] not in after
        assert all(api.call("GET", "/sessions/current").status == 200 for api in clients)
