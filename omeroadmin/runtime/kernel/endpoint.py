"""The way from another host to the master's sockets: TLS to a known certificate, a token, the name of a service.

After a line each way the connection carries what the named local socket would: HTTP for Blitz, lines for events.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum

from omeroadmin.errors import configuration_error
from omeroadmin.schema import grid_endpoint as properties
from omeroadmin.schema.settings import Settings

GREETING = "OMERO-GRID/1"
"""First word of whoever connects; the number is the protocol's."""
READY = b"ready\n"
"""The answer of a master that passes on what follows; any other line says why it doesn't."""
LONGEST_LINE = 256
"""Bytes of the line from either side."""

_CONNECT_SECONDS = 5.0
_IDLE_SECONDS = 5
_PROBE_SECONDS = 5
_PROBES = 3
_UNHEARD_MILLISECONDS = 20_000


class Service(StrEnum):
    """What the endpoint leads to.

    ``internal`` is the API of the other servers, ``api`` that of clients, ``events`` what OMERO.IceStorm tells.
    """

    INTERNAL = "internal"
    API = "api"
    EVENTS = "events"


class EndpointError(OSError):
    """The endpoint is not what it should be, or refuses us; its text is one line."""


@dataclass(frozen=True)
class GridEndpoint:
    """Where the master is, and by what the two know each other.

    :param fingerprint: SHA-256 of the master's certificate, as lower-case hexadecimal digits
    :param token: shared by the grid's servers
    """

    host: str
    port: int
    fingerprint: str
    token: str = field(repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> GridEndpoint | None:
        """The endpoint of the server's configuration file; ``None`` where the grid has none.

        :raises AdminError: ``setting-invalid``
        """
        token = settings.text(properties.TOKEN).strip()
        if not token:
            return None
        host, fingerprint = settings.text(properties.HOST).strip(), settings.text(properties.FINGERPRINT).strip()
        if not host or not fingerprint:
            raise configuration_error(
                "setting-invalid", "the address or the certificate of omero.grid.endpoint is missing", "admin rewrite"
            )
        return cls(host, settings.number(properties.PORT), fingerprint.lower(), token)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """TLS settings of who connects; the certificate is checked by :meth:`check`, whoever has issued it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def check(self, certificate: bytes | None) -> None:
        """Compare the certificate that the other side shows with the one agreed on; before anything is sent.

        :param certificate: DER
        :raises EndpointError: if it is another one
        """
        shown = hashlib.sha256(certificate or b"").hexdigest()
        if not hmac.compare_digest(shown, self.fingerprint):
            raise EndpointError(f"{self} shows another certificate than the one agreed on")

    def greeting(self, service: Service) -> bytes:
        """The line that begins a connection."""
        return f"{GREETING} {self.token} {service}\n".encode()

    def is_admitted(self, token: str) -> bool:
        """Whether a token is ours, in a time that tells nothing."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def connect(self, service: Service, *, timeout: float) -> socket.socket:
        """A connection that has been let in.

        :param timeout: seconds for each later read or write; connecting takes no longer than five
        :raises OSError: as the system says; :class:`EndpointError` where the endpoint refuses
        """
        limit = min(timeout, _CONNECT_SECONDS)
        plain = socket.create_connection((self.host, self.port), timeout=limit)
        try:
            watch_link(plain)
            secure = self.context().wrap_socket(plain)
        except OSError:
            plain.close()
            raise
        try:
            self.check(secure.getpeercert(binary_form=True))
            secure.sendall(self.greeting(service))
            self.accept_answer(_read_line(secure))
            secure.settimeout(timeout)
        except OSError:
            secure.close()
            raise
        return secure

    def accept_answer(self, line: bytes) -> None:
        """Read the master's answer to the greeting.

        :raises EndpointError: unless it is :data:`READY`
        """
        if line != READY:
            words = line.decode("utf-8", "replace").strip() or "nothing"
            raise EndpointError(f"{self} answers: {words}")


def watch_link(connection: socket.socket) -> None:
    """Have the system find out within seconds that the other host is gone, whichever of the two is to speak."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _IDLE_SECONDS),
        ("TCP_KEEPINTVL", _PROBE_SECONDS),
        ("TCP_KEEPCNT", _PROBES),
        ("TCP_USER_TIMEOUT", _UNHEARD_MILLISECONDS),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _read_line(connection: socket.socket) -> bytes:
    """The answer, byte by byte: what follows it belongs to somebody else."""
    line = b""
    while not line.endswith(b"\n") and len(line) < LONGEST_LINE:
        byte = connection.recv(1)
        if not byte:
            break
        line += byte
    return line
