"""Reads endpoints as Ice writes them, ``ssl -p 4064:tcp -p 4063``, and listens on them."""

from __future__ import annotations

import errno
import shlex
import socket
from dataclasses import dataclass

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.system import sockets

TRANSPORTS = ("ssl", "tcp", "ws", "wss")
ENCRYPTED = ("ssl", "wss")
WEBSOCKETS = ("ws", "wss")


@dataclass(frozen=True)
class Endpoint:
    """One address of the router.

    :param transport: ``ssl``, ``tcp``, ``ws`` or ``wss``
    :param host: address to bind; empty for all interfaces
    """

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.transport} {self.host or '*'}:{self.port}"


def parse_endpoints(text: str, default_host: str) -> list[Endpoint]:
    """Endpoints of ``Glacier2.Client.Endpoints``.

    :param default_host: for endpoints without ``-h``; empty for all interfaces
    :raises AdminError: ``endpoint-invalid``
    """
    lexer = shlex.shlex(text, posix=True, punctuation_chars=":")
    lexer.whitespace_split = False
    lexer.wordchars += "@%./*[]-"
    words: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word == ":":
                words.append([])
            else:
                words[-1].append(word)
    except ValueError as error:
        raise _invalid(text, str(error)) from error
    return [_endpoint(group, text, default_host) for group in words if group]


def _endpoint(words: list[str], text: str, default_host: str) -> Endpoint:
    transport, *rest = words
    options = dict(zip(rest[::2], rest[1::2], strict=False))
    if transport not in TRANSPORTS:
        raise _invalid(text, f"transport {transport!r} is unknown")
    port = options.get("-p", "")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise _invalid(text, f"{transport} has no port from 1 to 65535")
    host = options.get("-h", default_host)
    if host == "*":
        host = ""
    return Endpoint(transport, host, int(port))


def listen(endpoint: Endpoint, *, ipv6: bool) -> socket.socket:
    """A listening socket for an endpoint.

    :param ipv6: whether "all interfaces" means IPv6 as well
    :raises AdminError: ``port-taken``, ``address-invalid``
    """
    try:
        if endpoint.host:
            family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
            return socket.create_server((endpoint.host, endpoint.port), family=family, backlog=512)
        if ipv6 and socket.has_dualstack_ipv6():
            try:
                return socket.create_server(
                    ("", endpoint.port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512
                )
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
        return socket.create_server(("", endpoint.port), backlog=512)
    except OSError as error:
        raise _not_listening(endpoint, error) from error


def _not_listening(endpoint: Endpoint, error: OSError) -> AdminError:
    if error.errno == errno.EADDRINUSE:
        return configuration_error(
            "port-taken",
            f"port {endpoint.port} ({endpoint.transport}) is taken by {sockets.port_holder(endpoint.port)}",
        )
    return configuration_error("address-invalid", f"can't listen on {endpoint}: {error.strerror or error}")


def _invalid(text: str, why: str) -> AdminError:
    return configuration_error("endpoint-invalid", f"Glacier2.Client.Endpoints is {text!r}: {why}")
