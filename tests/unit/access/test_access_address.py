"""Server strings as users type them."""

from __future__ import annotations

import pytest

from omeroadmin.access.address import Address, Target, checked_port, is_loopback, parse_target
from omeroadmin.errors import AdminError


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("localhost", Target("localhost")),
        ("root@localhost:14064", Target("localhost", 14064, "root")),
        ("someone@example.org@omero.example.org", Target("omero.example.org", None, "someone@example.org")),
        ("tcp://localhost:4063", Target("localhost", 4063, None, False)),
        ("root@tcp://localhost:4063", Target("localhost", 4063, "root", False)),
        ("tcp://root@localhost", Target("localhost", None, "root", False)),
        ("ssl://10.0.0.1", Target("10.0.0.1", None, None, True)),
        ("wss://omero.example.org", Target("omero.example.org", None, None, True, "/")),
        ("root@wss://h:443/omero/websocket", Target("h", 443, "root", True, "/omero/websocket")),
        ("ws://u@h:8080/x", Target("h", 8080, "u", False, "/x")),
        ("root@[::1]:4064", Target("::1", 4064, "root")),
    ],
)
def test_parse(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        ":4064",
        "host:",
        "host:port",
        "a b",
        "host:123456",
        "http://host",
        "tcp://u@ssl://h",
        "h/x",
        "tcp://h/x",
        "wss://h/x y",
        "-h",
        "h\n",
    ],
)
def test_not_a_server(text: str) -> None:
    with pytest.raises(AdminError) as caught:
        parse_target(text)
    assert (caught.value.code, caught.value.exit_status) == ("server-invalid", 2)


@pytest.mark.parametrize("port", [0, 65536, -1])
def test_not_a_port(port: int) -> None:
    with pytest.raises(AdminError) as caught:
        checked_port(port)
    assert caught.value.code == "port-invalid"


def test_addresses_read_as_they_are_typed() -> None:
    assert str(Address("localhost", 4064)) == "localhost:4064"
    assert str(Address("::1", 4063, tls=False)) == "tcp://[::1]:4063"
    assert str(Address("h", 4066, path="/")) == "wss://h:4066"
    assert str(Address("h", 80, tls=False, path="/x")) == "ws://h:80/x"
    for text in ("wss://u@h:443/x", "ws://h", "ssl://h:1", "tcp://u@h"):
        assert str(parse_target(text)) == text
    assert is_loopback("LOCALHOST")
    assert not is_loopback("localhost.example.org")
