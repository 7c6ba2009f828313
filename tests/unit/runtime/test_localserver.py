from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.errors import failed_error
from omeroadmin.runtime.kernel.client import UnixConnection
from omeroadmin.runtime.kernel.localserver import Refusal, Request, serving


def answer(request: Request) -> tuple[int, object]:
    if request.path == "/refuse":
        raise Refusal(409, "no", "not now")
    if request.path == "/fail":
        raise failed_error("broken", "it broke")
    if request.path == "/bug":
        raise ZeroDivisionError
    if request.path == "/nothing":
        return 204, None
    return 200, {"method": request.method, "path": request.path, "n": request.number("n", 7), "body": request.body}


def exchange(path: Path, method: str, target: str, body: bytes | None = None, *, length: str = "") -> tuple[int, Any]:
    connection = UnixConnection(path, 10)
    try:
        connection.request(method, target, body=body, headers={"Content-Length": length} if length else {})
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None
    finally:
        connection.close()


def test_requests_are_answered(tmp_path: Path) -> None:
    socket = tmp_path / "a.sock"
    with serving(socket, answer):
        assert socket.stat().st_mode & 0o777 == 0o600
        found = exchange(socket, "POST", "/a%20b?n=3", b'{"x": [1]}')
        assert found == (200, {"method": "POST", "path": "/a b", "n": 3, "body": {"x": [1]}})
        assert exchange(socket, "GET", "/nothing") == (204, None)
    assert not socket.exists()


@pytest.mark.parametrize(
    ("target", "body", "status", "code"),
    [
        ("/refuse", None, 409, "no"),
        ("/fail", None, 422, "broken"),
        ("/bug", None, 500, "internal"),
        ("/x?n=-1", None, 400, "parameter-invalid"),
        ("/x", b"{", 400, "body-invalid"),
    ],
)
def test_failures_have_a_code(tmp_path: Path, target: str, body: bytes | None, status: int, code: str) -> None:
    with serving(tmp_path / "a.sock", answer):
        found = exchange(tmp_path / "a.sock", "PUT", target, body)
    assert found[0] == status
    assert found[1]["error"]["code"] == code


def test_a_body_of_unknown_length_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path / "a.sock", answer):
        for length in ("99999999999999", "ten"):
            assert exchange(tmp_path / "a.sock", "GET", "/x", length=length)[0] == 413


def test_one_connection_carries_several_requests(tmp_path: Path) -> None:
    with serving(tmp_path / "a.sock", answer):
        connection = UnixConnection(tmp_path / "a.sock", 10)
        connection.connect()
        first = connection.sock
        for _ in range(3):
            connection.request("GET", "/x")
            assert json.load(connection.getresponse())["n"] == 7
        assert connection.sock is first
        connection.close()


def test_what_is_no_http_does_not_end_the_server(tmp_path: Path) -> None:
    with serving(tmp_path / "a.sock", answer):
        for junk in (b"\0\xff\n\n", b"GET"):
            connection = UnixConnection(tmp_path / "a.sock", 10)
            connection.connect()
            assert connection.sock is not None
            connection.sock.sendall(junk)
            connection.close()
        assert exchange(tmp_path / "a.sock", "GET", "/x")[0] == 200
