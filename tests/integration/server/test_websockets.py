"""The router's WebSocket endpoints: with the toolkit's client, frame by frame, and behind nginx."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Ping, Pong, Request, TextMessage

from omeroadmin.access.address import Address
from omeroadmin.access.client import Client
from omeroadmin.access.trust import Trust
from omeroadmin.errors import AdminError
from tests.integration.server.test_blitz_imports import picture
from tests.support import nginx
from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import LiveServer
from tests.support.ports import free_port


@pytest.fixture
def encrypted(live_server: LiveServer) -> Iterator[Client]:
    """A client of the port wss."""
    trust = Trust(live_server.certificate, system=False)
    with Client(Address("localhost", live_server.wss_port, path="/"), trust=trust, timeout=20) as client:
        yield client


def use(client: Client, seed: int) -> None:
    """An import and a download by way of a session that exists."""
    content = picture(seed, 400, 400) + os.urandom(3 << 20)
    begun = client.post("/imports", {"files": [{"client_path": f"/ws/{seed}.png", "size": len(content)}]})
    number = begun["import_id"]
    pieces = [content[start : start + 700_001] for start in range(0, len(content), 700_001)]
    stored = client.upload(f"/imports/{number}/files/0", pieces, len(content))
    assert stored["hash"] == hashlib.sha1(content, usedforsecurity=False).hexdigest()
    [image] = client.post(f"/imports/{number}/complete", {"hashes": [stored["hash"]]})["images"]
    [file] = client.get(f"/images/{image['id']}/files")["files"]
    received = bytearray()
    assert client.download(f"/files/{file['id']}/content", received.extend) == len(content)
    assert bytes(received) == content


def test_a_session_over_wss(encrypted: Client) -> None:
    session = encrypted.open_session("root", ROOT_PASSWORD)
    assert session.user == "root"
    use(encrypted, 501)
    encrypted.close_session()
    with pytest.raises(AdminError) as caught:
        encrypted.current_session()
    assert caught.value.code == "session-expired"


def test_ws_takes_keys_and_no_passwords(live_server: LiveServer) -> None:
    key = live_server.tls().login().key
    with Client(Address("127.0.0.1", live_server.ws_port, tls=False, path="/"), key=key, timeout=20) as client:
        use(client, 502)
        with pytest.raises(AdminError) as caught:
            client.open_session("root", ROOT_PASSWORD)
        assert caught.value.code == "password-needs-tls"
        # The server refuses as well, whatever the client is.
        with pytest.raises(AdminError) as caught:
            client.post("/sessions", {"user": "root", "password": ROOT_PASSWORD})
        assert caught.value.code == "password-needs-tls"


def test_the_certificate_is_verified(live_server: LiveServer) -> None:
    client = Client(Address("localhost", live_server.wss_port, path="/"), timeout=10)
    with client, pytest.raises(AdminError) as caught:
        client.get("/status")
    assert caught.value.code == "certificate-untrusted"


def test_a_port_that_is_no_websocket(live_server: LiveServer) -> None:
    client = Client(Address("127.0.0.1", live_server.tcp_port, tls=False, path="/"), timeout=10)
    with client, pytest.raises(AdminError) as caught:
        client.get("/status")
    assert caught.value.code == "server-unreachable"


class Peer:
    """A WebSocket client that does what it is told."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self.send(Request(host="localhost", target="/any/path", subprotocols=["ice.zeroc.com", "http.omero"]))
        accepted = self.receive(AcceptConnection)
        assert isinstance(accepted, AcceptConnection)
        assert accepted.subprotocol == "http.omero"

    def send(self, event: Event) -> None:
        self.socket.sendall(self.protocol.send(event))

    def receive(self, kind: type[Event]) -> Event:
        """The next event of a kind."""
        while True:
            for event in self.protocol.events():
                if isinstance(event, kind):
                    return event
            data = self.socket.recv(65536)
            assert data, "the connection is closed"
            self.protocol.receive_data(data)


REQUEST = b"GET /api/v0/status HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_request_in_messages_of_one_byte(live_server: LiveServer) -> None:
    peer = Peer(live_server.ws_port)
    for _ in range(3):
        for index in range(len(REQUEST)):
            peer.send(BytesMessage(data=REQUEST[index : index + 1]))
        answer = b""
        while not answer.endswith(b"}"):
            message = peer.receive(BytesMessage)
            assert isinstance(message, BytesMessage)
            answer += message.data
        assert answer.startswith(b"HTTP/1.1 200")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == "up"


def test_pings_and_closing(live_server: LiveServer) -> None:
    peer = Peer(live_server.ws_port)
    peer.send(Ping(payload=b"hello"))
    pong = peer.receive(Pong)
    assert isinstance(pong, Pong)
    assert pong.payload == b"hello"
    peer.send(CloseConnection(code=1000))
    peer.receive(CloseConnection)


def test_text_is_refused(live_server: LiveServer) -> None:
    peer = Peer(live_server.ws_port)
    peer.send(TextMessage(data="GET /"))
    closed = peer.receive(CloseConnection)
    assert isinstance(closed, CloseConnection)
    assert closed.code == 1003


@pytest.mark.parametrize("content", [REQUEST, b"\x16\x03\x01\x02\x00\x01\x00", b"\0" * 40000, b"GET / HTTP/1.1\r\n"])
def test_what_is_no_websocket_is_turned_away(live_server: LiveServer, content: bytes) -> None:
    with socket.create_connection(("127.0.0.1", live_server.ws_port), 10) as stranger:
        stranger.sendall(content)
        stranger.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while data := stranger.recv(65536):
                answer += data
        except ConnectionResetError:
            pass
    if content == REQUEST:
        assert answer.startswith(b"HTTP/1.1 426")
    assert live_server.tls().call("GET", "/status").status == 200


def test_behind_nginx(live_server: LiveServer, tmp_path: Path) -> None:
    """A web server with the site's certificate for browsers, here without, and the router's own behind it."""
    port = free_port()
    location = (
        f"server {{ listen 127.0.0.1:{port};\n"
        "  location / { return 200; }\n"
        "  location /omero/websocket {\n"
        f"    proxy_pass https://localhost:{live_server.wss_port};\n"
        f'    proxy_ssl_trusted_certificate "{live_server.certificate}";\n'
        "    proxy_ssl_verify on;\n"
        "    proxy_ssl_name localhost;\n"
        "    proxy_http_version 1.1;\n"
        "    proxy_set_header Upgrade $http_upgrade;\n"
        '    proxy_set_header Connection "upgrade";\n'
        "    proxy_read_timeout 3600;\n"
        "  }\n}\n"
    )
    key = live_server.tls().login().key
    with nginx.serving(nginx.wrap(tmp_path, location, server=False), port):
        address = Address("127.0.0.1", port, tls=False, path="/omero/websocket")
        with Client(address, key=key, timeout=20) as client:
            assert client.get("/status")["status"] == "up"
            use(client, 503)
        with Client(Address("127.0.0.1", port, tls=False, path="/other"), key=key, timeout=20) as client:
            with pytest.raises(AdminError) as caught:
                client.get("/status")
            assert "refused with status 200" in caught.value.message
