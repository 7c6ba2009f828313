"""Reads what users type to name a server: ``[USER@]SERVER[:PORT]``, with ``tcp://`` for the port without TLS.

``wss://SERVER[:PORT][/PATH]`` and ``ws://…`` name WebSocket endpoints, which may be behind a web server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from omeroadmin.errors import usage_error

DEFAULT_HOST = "localhost"
DEFAULT_TLS_PORT = 4064
DEFAULT_PLAIN_PORT = 4063
DEFAULT_PORTS = {"ssl": DEFAULT_TLS_PORT, "tcp": DEFAULT_PLAIN_PORT, "ws": 4065, "wss": 4066}

_TYPED = re.compile(
    r"(?:(?P<scheme>ssl|tcp|wss?)://)?"
    r"(?:(?P<user>[^\x00-\x1f\x7f/]+)@)?"
    r"(?:(?P<inner>ssl|tcp|wss?)://)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+(?:%[0-9A-Za-z]+)?\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9._~/%-]*)?"
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Address:
    """Where a server listens.

    :param host: name or IP address, without brackets
    :param port: TCP port
    :param tls: whether the port speaks TLS
    :param path: of a WebSocket endpoint; empty: the port speaks HTTP itself
    """

    host: str
    port: int
    tls: bool = True
    path: str = ""

    @property
    def transport(self) -> str:
        """Ice's word for it: ``ssl``, ``tcp``, ``ws`` or ``wss``."""
        return _TRANSPORTS[self.tls, bool(self.path)]

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "" if self.transport == "ssl" else f"{self.transport}://"
        return f"{scheme}{host}:{self.port}{self.path if self.path != '/' else ''}"


_TRANSPORTS = {(True, False): "ssl", (False, False): "tcp", (False, True): "ws", (True, True): "wss"}


@dataclass(frozen=True)
class Target:
    """A typed server string; what wasn't typed is ``None``."""

    host: str | None = None
    port: int | None = None
    user: str | None = None
    tls: bool | None = None
    path: str = ""

    @property
    def transport(self) -> str:
        """Ice's word for what was typed; ``ssl`` where nothing was."""
        return _TRANSPORTS[self.tls is not False, bool(self.path)]

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host or ""
        scheme = "" if self.tls is None else f"{self.transport}://"
        user = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f":{self.port}"
        return f"{scheme}{user}{host}{port}{self.path if self.path != '/' else ''}"


def parse_target(text: str) -> Target:
    """Take a server string apart.

    :param text: e.g. ``root@omero.example.org:4064``, ``tcp://localhost:4063``, ``[::1]``
    :raises AdminError: ``server-invalid``
    """
    match = _TYPED.fullmatch(text)
    scheme = (match["scheme"] or match["inner"]) if match else ""
    websocket = scheme in ("ws", "wss")
    if match is None or (match["scheme"] and match["inner"]) or (match["path"] and not websocket):
        raise usage_error(
            "server-invalid", f"{text!r} does not name a server", "write [USER@]SERVER[:PORT], e.g. root@localhost:4064"
        )
    return Target(
        match["host"].strip("[]"),
        None if match["port"] is None else checked_port(int(match["port"])),
        match["user"],
        None if not scheme else scheme in ("ssl", "wss"),
        (match["path"] or "/") if websocket else "",
    )


def checked_port(port: int) -> int:
    """A port that can be.

    :raises AdminError: ``port-invalid``
    """
    if not 0 < port < 65536:
        raise usage_error("port-invalid", f"{port} is not a port number", "a port is 1 to 65535")
    return port


def is_loopback(host: str) -> bool:
    """Whether a name means this machine and nothing else."""
    return host.lower() in _LOOPBACK
