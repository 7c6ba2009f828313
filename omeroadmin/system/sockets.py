"""Local sockets and ports: addresses longer than the kernel's limit, free ports, and who holds a taken one."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import configuration_error


@contextlib.contextmanager
def short_address(path: Path) -> Iterator[str]:
    """An address for a Unix socket whose path may exceed the kernel's 107 bytes.

    Linux resolves ``/proc/self/fd/N/name``; the address is valid inside the block.
    """
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def listen_unix(path: Path, *, backlog: int = 128) -> socket.socket:
    """A listening Unix socket of mode 0600; a stale one of the same name is replaced.

    It gets its name when it listens already, so whoever sees the file can connect.

    :raises OSError: as the system says
    """
    new = path.with_name(f".{path.name}.{os.getpid()}")
    # A process of the same number may have been killed before it gave its socket the name.
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_address(new) as address:
            old_mask = os.umask(0o177)
            try:
                listener.bind(address)
            finally:
                os.umask(old_mask)
        listener.listen(backlog)
        new.replace(path)
    except OSError:
        listener.close()
        with contextlib.suppress(OSError):
            new.unlink()
        raise
    return listener


def connect_unix(path: Path, *, timeout: float) -> socket.socket:
    """A connection to a Unix socket.

    :param timeout: seconds for connecting and for each later read or write
    :raises OSError: as the system says
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        with short_address(path) as address:
            connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


@dataclass(frozen=True)
class PortHolder:
    """Who listens on a port; unknown where the system doesn't tell this user."""

    pid: int | None
    name: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.name})" if self.pid else "a process of another user"


def port_is_free(port: int, host: str = "") -> bool:
    """Whether a server could listen on this TCP port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise configuration_error(
                "address-invalid", f"no server can listen on {host or '*'}:{port}: {error.strerror}"
            ) from error
    return True


def port_holder(port: int) -> PortHolder:
    """The process that listens on a TCP port."""
    import psutil

    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            if connection.pid is None:
                break
            with contextlib.suppress(psutil.Error):
                return PortHolder(connection.pid, psutil.Process(connection.pid).name())
    return PortHolder(None, "")


_FIRST_UNUSED = 26000
_LAST_UNUSED = 32767
"""Below the range that the kernel hands out to clients."""


def unused_ports(count: int, host: str = "") -> list[int]:
    """Different TCP ports that are free now, by chance, so that two who ask at the same time get different ones.

    :raises AdminError: ``ports-taken``
    """
    found: dict[int, None] = {}
    for _ in range(1000 * count):
        port = _FIRST_UNUSED + secrets.randbelow(_LAST_UNUSED - _FIRST_UNUSED + 1)
        if port not in found and port_is_free(port, host):
            found[port] = None
        if len(found) == count:
            return list(found)
    raise configuration_error(
        "ports-taken", f"{count} free ports between {_FIRST_UNUSED} and {_LAST_UNUSED} are needed"
    )
