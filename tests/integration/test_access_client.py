"""The client against a server on a socket: certificates, deadlines, broken connections, streams."""

from __future__ import annotations

import json
import select
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.access.address import Address
from omeroadmin.access.client import Client
from omeroadmin.access.session import checked_key
from omeroadmin.access.trust import Trust, tls_context
from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.system.clock import monotonic
from tests.support.access import PASSWORD, Handler, Server, write_certificate
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[Server]:
    with Server(certificate) as running:
        yield running


def client_of(server: Server, ca_file: Path | None, *, host: str = "localhost", timeout: float = 10) -> Client:
    return Client(Address(host, server.port), trust=Trust(ca_file, system=False), timeout=timeout)


@pytest.fixture
def client(server: Server, certificate: tuple[Path, Path]) -> Iterator[Client]:
    with client_of(server, certificate[0]) as client:
        client.open_session("root", PASSWORD)
        yield client


def failure(request: Client, path: str = "/status") -> AdminError:
    with request, pytest.raises(AdminError) as caught:
        request.get(path)
    assert "\n" not in caught.value.message
    assert str(request.address.port) in caught.value.message
    return caught.value


def test_a_session_from_start_to_end(server: Server, client: Client) -> None:
    session = client.current_session()
    assert (session.user, session.group, session.is_admin) == ("root", "system", True)
    assert session.key not in repr(session)
    client.close_session()
    with pytest.raises(AdminError) as caught:
        client.current_session()
    assert caught.value.code == "session-expired"
    assert caught.value.hint.startswith("log in again: omero login")
    assert session.key not in caught.value.message
    assert server.state.connections == 1


def test_a_wrong_password(server: Server, certificate: tuple[Path, Path]) -> None:
    with client_of(server, certificate[0]) as client, pytest.raises(AdminError) as caught:
        client.open_session("root", "wrong")
    assert (caught.value.code, caught.value.exit_status) == ("authentication-failed", ExitStatus.CONFIGURATION)


def test_an_untrusted_certificate(server: Server, tmp_path: Path) -> None:
    other, _ = write_certificate(tmp_path, "localhost")
    for trust in (Trust(other, system=False), Trust()):
        error = failure(Client(Address("localhost", server.port), trust=trust))
        assert (error.code, error.exit_status) == ("certificate-untrusted", ExitStatus.UNREACHABLE)
        assert "--ca-file" in error.hint
    assert server.state.requests == []


def test_a_certificate_for_another_host(server: Server, certificate: tuple[Path, Path]) -> None:
    error = failure(client_of(server, certificate[0], host="127.0.0.1"))
    assert error.code == "certificate-untrusted"
    assert "127.0.0.1" in error.message
    assert "name" in error.hint


def test_an_expired_certificate(tmp_path: Path) -> None:
    expired = write_certificate(tmp_path, "localhost", days=-1)
    with Server(expired) as server:
        error = failure(client_of(server, expired[0]))
    assert error.code == "certificate-untrusted"
    assert "expired" in error.message
    assert "omero certificates" in error.hint


def test_old_tls_is_refused(certificate: tuple[Path, Path]) -> None:
    context = tls_context(Trust(certificate[0], system=False))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_useless_ca_file(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(AdminError) as caught:
        tls_context(Trust(path))
    assert (caught.value.code, caught.value.exit_status) == ("ca-file-invalid", ExitStatus.CONFIGURATION)
    assert str(path) in caught.value.message


def test_nobody_listens() -> None:
    error = failure(Client(Address("localhost", free_port())))
    assert (error.code, error.exit_status) == ("server-unreachable", ExitStatus.UNREACHABLE)
    assert "refused" in error.message


def test_a_name_that_is_none() -> None:
    error = failure(Client(Address("no-such-host.invalid", 4064)))
    assert error.code == "server-unreachable"
    assert "resolved" in error.message


def test_tls_and_plain_mixed_up(certificate: tuple[Path, Path], server: Server) -> None:
    with Server(None) as plain:
        error = failure(client_of(plain, certificate[0], timeout=5))
        assert error.code == "server-unreachable"
        assert "tcp://" in error.hint
    assert failure(Client(Address("localhost", server.port, tls=False), timeout=5)).exit_status == 4


def test_no_password_without_tls() -> None:
    with Server(None) as server:
        with Client(Address("localhost", server.port, tls=False)) as client:
            with pytest.raises(AdminError) as caught:
                client.open_session("root", PASSWORD)
            assert caught.value.code == "password-needs-tls"
            assert server.state.requests == []
        key = str(uuid.uuid4())
        server.state.sessions[key] = "root"
        with Client(Address("localhost", server.port, tls=False), key=key) as client:
            assert client.current_session().user == "root"


def test_a_slow_server_meets_a_deadline(server: Server, certificate: tuple[Path, Path]) -> None:
    server.state.fault = lambda handler: server.state.released.wait(20)
    began = monotonic()
    error = failure(client_of(server, certificate[0], timeout=0.5))
    assert (error.code, error.exit_status) == ("server-timeout", ExitStatus.UNREACHABLE)
    assert "0.5 s" in error.message
    assert monotonic() - began < 5


def test_an_answer_that_trickles_meets_a_deadline(server: Server, certificate: tuple[Path, Path]) -> None:
    def trickle(handler: Handler) -> bool:
        handler.answer_bytes(200, b"[", length=1000)
        while not server.state.released.wait(0.1):
            handler.wfile.write(b" ")
        return True

    server.state.fault = trickle
    began = monotonic()
    assert failure(client_of(server, certificate[0], timeout=0.6)).code == "server-timeout"
    assert monotonic() - began < 5


@pytest.mark.parametrize(
    ("content", "length", "code"),
    [(b'{"a": ', 100, "connection-lost"), (b"<html>", None, "answer-invalid"), (b"\xff", None, "answer-invalid")],
)
def test_broken_answers(
    server: Server, certificate: tuple[Path, Path], content: bytes, length: int | None, code: str
) -> None:
    def fault(handler: Handler) -> bool:
        handler.answer_bytes(200, content, length=length)
        handler.close_connection = True
        return True

    server.state.fault = fault
    assert failure(client_of(server, certificate[0])).code == code


def test_a_request_that_may_be_repeated_is(server: Server, client: Client) -> None:
    faults = [True]

    def drop(handler: Handler) -> bool:
        handler.close_connection = bool(faults and faults.pop())
        return handler.close_connection

    server.state.fault = drop
    assert client.get("/repositories")["repositories"]
    assert server.state.requests[-2:] == ["GET /repositories"] * 2
    faults.append(True)
    with pytest.raises(AdminError) as caught:
        client.post("/sessions/current/keepalive")
    assert caught.value.code == "connection-lost"
    assert server.state.requests.count("POST /sessions/current/keepalive") == 1


def test_a_connection_that_the_server_closed_is_made_again(server: Server, client: Client) -> None:
    def close_silently(handler: Handler) -> bool:
        handler.answer(204)
        handler.close_connection = True
        return True

    server.state.fault = close_silently
    for number in range(2, 5):
        client.post("/sessions/current/keepalive")
        connection = client._connection
        assert connection is not None
        select.select([connection.sock], [], [], 5)
        assert server.state.connections == max(1, number - 1)


def test_all_pages_are_fetched(server: Server, client: Client) -> None:
    server.state.images = [{"id": number, "name": str(number)} for number in range(1, 24)]
    assert [image["id"] for image in client.pages("/images", "images", page=5)] == list(range(1, 24))
    assert server.state.requests.count("GET /images") == 5


@pytest.mark.parametrize("answer", [[], {}, {"images": {}}, {"images": [1]}, {"images": [], "next": 0}])
def test_pages_that_make_no_sense_end(server: Server, client: Client, answer: object) -> None:
    def fault(handler: Handler) -> bool:
        handler.answer(200, answer)
        return True

    server.state.fault = fault
    with pytest.raises(AdminError) as caught:
        list(client.pages("/images", "images"))
    assert caught.value.code == "answer-invalid"


def test_a_session_without_its_fields(server: Server, client: Client) -> None:
    def fault(handler: Handler) -> bool:
        handler.answer(200, {"key": "../../../../etc/passwd"})
        return True

    server.state.fault = fault
    with pytest.raises(AdminError) as caught:
        client.current_session()
    assert caught.value.code == "answer-invalid"


@pytest.mark.parametrize("key", ["", "short", "x" * 20 + "\r\nHost: y", "../" * 8, "ü" * 20])
def test_keys_that_cannot_be(key: str) -> None:
    with pytest.raises(AdminError) as caught:
        checked_key(key)
    assert caught.value.code == "session-key-invalid"
    assert not key or key not in caught.value.message


def test_answers_may_be_of_any_status_without_body(server: Server, client: Client) -> None:
    assert client.post("/sessions/current/keepalive") is None
    assert json.dumps(client.get("/sessions"))
    with pytest.raises(AdminError) as caught:
        client.get("/nothing")
    assert caught.value.code == "not-found"
    with pytest.raises(AdminError):
        client.download("/nothing", lambda _: None)
