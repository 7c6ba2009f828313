"""Files on their way to the server: whole, in little memory, taken back when something goes wrong."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omeroadmin.access.address import Address
from omeroadmin.access.client import Client
from omeroadmin.access.keepalive import KeepAlive
from omeroadmin.access.known import known_paths
from omeroadmin.access.transfer import Checksums, Imported, Order, import_fileset
from omeroadmin.access.trust import Trust
from omeroadmin.access.walk import Candidate
from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.repository.checksums import ALGORITHMS, new_hasher
from omeroadmin.system.clock import wait_until
from tests.support.access import PASSWORD, Handler, Server, write_certificate

CHECKSUMS = Checksums(ALGORITHMS, new_hasher)


def import_file(client: Client, file: Candidate, progress: Callable[[int], object] = lambda _: None) -> Imported:
    return import_fileset(client, [file], CHECKSUMS, Order(), lambda _, count: progress(count))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[Server]:
    with Server(certificate) as running:
        yield running


@pytest.fixture
def client(server: Server, certificate: tuple[Path, Path]) -> Iterator[Client]:
    trust = Trust(certificate[0], system=False)
    with Client(Address("localhost", server.port), trust=trust, timeout=10) as client:
        client.open_session("root", PASSWORD)
        yield client


def candidate(path: Path, content: bytes) -> Candidate:
    path.write_bytes(content)
    return Candidate(path, len(content))


def test_a_file_arrives_whole(server: Server, client: Client, tmp_path: Path) -> None:
    content = os.urandom(3_500_000)
    file = candidate(tmp_path / "a.tif", content)
    sent: list[int] = []
    done = import_file(client, file, sent.append)
    assert server.state.content[done.images[0].id] == content
    assert (done.size, done.algorithm, done.files[0].hash) == (
        len(content),
        "SHA1-160",
        hashlib.sha1(content, usedforsecurity=False).hexdigest(),
    )
    assert sum(sent) == len(content)
    assert known_paths(client, [file.path, tmp_path / "b.tif"]) == {file.path}
    received = bytearray()
    assert client.download(f"/files/{done.images[0].id}/content", received.extend) == len(content)
    assert received == content


def test_a_large_file_takes_little_memory(server: Server, client: Client, tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    size = 64 << 20
    with path.open("wb") as stream:
        stream.truncate(size)

    def swallow(handler: Handler) -> bool:
        if handler.command != "PUT":
            return False
        left = int(handler.headers["Content-Length"])
        hasher = hashlib.sha1(usedforsecurity=False)
        while left:
            piece = handler.rfile.read(min(left, 1 << 16))
            hasher.update(piece)
            left -= len(piece)
        handler.answer(200, {"index": 0, "size": size, "hash": hasher.hexdigest()})
        return True

    server.state.fault = swallow
    tracemalloc.start()
    try:
        with pytest.raises(AdminError) as caught:
            import_file(client, Candidate(path, size))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The small server forgot the bytes, so only the last step fails.
    assert caught.value.code == "checksum-mismatch"
    assert peak < 16 << 20


def test_a_failed_import_is_taken_back(server: Server, client: Client, tmp_path: Path) -> None:
    file = candidate(tmp_path / "a.txt", b"not an image")
    with pytest.raises(AdminError) as caught:
        import_file(client, file)
    assert (caught.value.code, caught.value.exit_status) == ("unreadable-image", ExitStatus.FAILED)
    assert server.state.imports == {}


def test_a_server_gone_mid_upload(server: Server, client: Client, tmp_path: Path) -> None:
    def gone(handler: Handler) -> bool:
        if handler.command != "PUT":
            return False
        handler.rfile.read(100_000)
        handler.close_connection = True
        handler.connection.close()
        return True

    server.state.fault = gone
    file = candidate(tmp_path / "a.tif", os.urandom(30_000_000))
    with pytest.raises(AdminError) as caught:
        import_file(client, file)
    assert (caught.value.code, caught.value.exit_status) == ("connection-lost", ExitStatus.UNREACHABLE)
    assert server.state.imports == {}


def test_a_refused_upload_tells_why(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    def refuse(handler: Handler) -> bool:
        if handler.command != "PUT":
            return False
        handler.refuse(403, "read-only", "the repository is read-only")
        handler.rfile.read(30_000_000)
        return True

    with Server(None) as server:
        key = str(uuid.uuid4())
        server.state.sessions[key] = "root"
        server.state.fault = refuse
        file = candidate(tmp_path / "a.tif", bytes(30_000_000))
        plain = Client(Address("localhost", server.port, tls=False), key=key)
        with plain as client, pytest.raises(AdminError, match="the repository is read-only"):
            import_file(client, file)


@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_that_changes_meanwhile(server: Server, client: Client, tmp_path: Path, change: int) -> None:
    file = candidate(tmp_path / "a.tif", bytes(3_000_000))
    with pytest.raises(AdminError) as caught:
        import_file(client, Candidate(file.path, file.size + change))
    assert caught.value.code == "file-changed"
    assert wait_until(lambda: server.state.imports == {}, timeout=10)


def test_a_file_that_is_gone(server: Server, client: Client, tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        import_file(client, Candidate(tmp_path / "gone", 5))
    assert caught.value.code == "file-not-read"
    assert server.state.imports == {}


@pytest.mark.parametrize("reply", [{"index": 0, "size": 3, "hash": "00"}, {"index": 0, "size": 1, "hash": ""}, None])
def test_other_bytes_on_the_server(server: Server, client: Client, tmp_path: Path, reply: object) -> None:
    def corrupt(handler: Handler) -> bool:
        if handler.command != "PUT":
            return False
        handler.body()
        handler.answer(200, reply)
        return True

    server.state.fault = corrupt
    with pytest.raises(AdminError) as caught:
        import_file(client, candidate(tmp_path / "a", b"abc"))
    assert caught.value.code == "checksum-mismatch"
    assert server.state.imports == {}


@pytest.mark.parametrize(
    ("route", "answer"),
    [
        ("POST /imports", {}),
        ("POST /imports", {"import_id": "../x", "checksum_algorithm": "SHA1-160", "files": [{"index": 0}]}),
        ("complete", {"fileset_id": None, "images": []}),
    ],
)
def test_imports_without_their_fields(
    server: Server, client: Client, tmp_path: Path, route: str, answer: object
) -> None:
    def fault(handler: Handler) -> bool:
        if not handler.route.endswith(route):
            return False
        handler.body()
        handler.answer(201, answer)
        return True

    server.state.fault = fault
    with pytest.raises(AdminError) as caught:
        import_file(client, candidate(tmp_path / "a", b"abc"))
    assert caught.value.code == "answer-invalid"


def test_the_session_is_kept_alive(server: Server, client: Client) -> None:
    with KeepAlive(client.again(), 0.02):
        assert wait_until(lambda: server.state.requests.count("POST /sessions/current/keepalive") > 2, timeout=10)
    with KeepAlive(client.again(), 0):
        pass


def test_a_download_cut_short_is_no_download(server: Server, client: Client) -> None:
    def cut(handler: Handler) -> bool:
        handler.answer_bytes(200, bytes(1000), length=5000)
        handler.close_connection = True
        return True

    server.state.fault = cut
    with pytest.raises(AdminError) as caught:
        client.download("/files/1/content", lambda _: None)
    assert caught.value.code == "connection-lost"


def test_a_download_that_the_reader_ends_leaves_a_usable_client(server: Server, client: Client) -> None:
    server.state.content[1] = bytes(5_000_000)

    def refuse(_: bytes) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        client.download("/files/1/content", refuse)
    assert client.current_session().user == "root"
