"""Endpoints, heads and the order of Blitz instances."""

from __future__ import annotations

import asyncio
from pathlib import Path

import h11
import pytest

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.glacier2.backends import Backends
from omeroadmin.runtime.services.glacier2.endpoints import Endpoint, parse_endpoints
from omeroadmin.runtime.services.glacier2.heads import downstream_response, session_key, upstream_request


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssl -p 4064:tcp -p 4063", [Endpoint("ssl", "", 4064), Endpoint("tcp", "", 4063)]),
        ("ssl -h omero.example.org -p 14064", [Endpoint("ssl", "omero.example.org", 14064)]),
        ('tcp -p 1 -h "::1" : ws -p 2 -h *', [Endpoint("tcp", "::1", 1), Endpoint("ws", "", 2)]),
        ("tcp -h 127.0.0.1 -p 65535 -t 1000", [Endpoint("tcp", "127.0.0.1", 65535)]),
    ],
)
def test_endpoints(text: str, expected: list[Endpoint]) -> None:
    assert parse_endpoints(text, "") == expected


def test_the_default_host_is_for_endpoints_without_one() -> None:
    assert [endpoint.host for endpoint in parse_endpoints("ssl -p 1:tcp -p 2 -h b", "a")] == ["a", "b"]


@pytest.mark.parametrize("text", ["udp -p 1", "ssl", "ssl -p 0", "ssl -p 65536", "ssl -p ²", 'ssl -p "1'])
def test_bad_endpoints(text: str) -> None:
    with pytest.raises(AdminError, match=r"Glacier2\.Client\.Endpoints"):
        parse_endpoints(text, "")


def test_only_the_router_says_who_the_client_is() -> None:
    request = h11.Request(
        method="POST",
        target="/api/v0/x",
        headers=[
            ("Host", "h"), ("Connection", "x-private, close, authorization"), ("X-Private", "1"), ("TE", "trailers"),
            ("X-OMERO-Transport", "ssl"), ("X-Omero-Anything", "1"), ("X-Forwarded-For", "1.2.3.4"),
            ("Forwarded", "for=1.2.3.4"), ("X-Real-IP", "1.2.3.4"), ("Authorization", "bearer  KEY"),
            ("Transfer-Encoding", "chunked"), ("Content-Length", "5"),
        ],
    )  # fmt: skip
    assert session_key(request) == "KEY"
    passed = dict(upstream_request(request, transport="tcp", peer="::1").headers)
    assert passed == {
        b"host": b"h", b"authorization": b"bearer  KEY", b"transfer-encoding": b"chunked", b"connection": b"close",
        b"x-omero-transport": b"tcp", b"x-forwarded-for": b"::1",
    }  # fmt: skip


def test_a_response_is_framed_anew() -> None:
    response = h11.Response(
        status_code=200,
        headers=[("Transfer-Encoding", "chunked"), ("Connection", "close"), ("Content-Type", "a/b")],
    )
    assert list(downstream_response(response).headers) == [(b"content-type", b"a/b")]


def test_sessions_spread_and_stay(tmp_path: Path) -> None:
    for name in ("Blitz-0.sock", "Blitz-1.sock", "Blitz-2.sock", "Blitz-0-internal.sock", "Indexer-0.sock"):
        (tmp_path / name).touch()
    backends = Backends(tmp_path)
    keys = [f"key-{number}" for number in range(300)]
    before = {key: backends.ordered(key)[0].name for key in keys}
    assert {name: sum(value == name for value in before.values()) > 50 for name in set(before.values())} == {
        "Blitz-0.sock": True, "Blitz-1.sock": True, "Blitz-2.sock": True,
    }  # fmt: skip
    (tmp_path / "Blitz-1.sock").unlink()
    after = {key: backends.ordered(key)[0].name for key in keys}
    assert all(after[key] == name for key, name in before.items() if name != "Blitz-1.sock")


def test_a_session_that_moved_stays_where_it_is(tmp_path: Path) -> None:
    asyncio.run(_move_and_come_back(tmp_path))


async def _move_and_come_back(tmp_path: Path) -> None:
    async def serve(name: str) -> asyncio.Server:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(name.encode())
            writer.close()

        return await asyncio.start_unix_server(answer, tmp_path / f"{name}.sock")

    async def asked(backends: Backends) -> str:
        reader, writer = await backends.connect_session("a key")
        name = (await reader.read()).decode()
        writer.close()
        return name

    backends = Backends(tmp_path)
    servers = {name: await serve(name) for name in ("Blitz-0", "Blitz-1")}
    first = await asked(backends)
    servers[first].close()
    second = await asked(backends)
    assert {first, second} == set(servers)
    (tmp_path / f"{first}.sock").unlink(missing_ok=True)
    servers[first] = await serve(first)
    assert await asked(backends) == second
    assert await asked(Backends(tmp_path)) == first
    for server in servers.values():
        server.close()
