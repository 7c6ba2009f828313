"""A connection to a host by SSH, for its SFTP. Host keys are checked; nothing is ever asked for."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from omeroadmin.backups.engines.address import SshAddress
from omeroadmin.errors import AdminError, configuration_error, unreachable_error

if TYPE_CHECKING:
    from paramiko import SFTPClient, SSHClient

_TIMEOUT = 15.0
"""Seconds for the connection, the greeting and the login, each."""
_SILENCE = 120.0
"""Seconds that the other side may be silent in the middle of an operation."""
_KEEPALIVE = 30
_CHANNELS = 9
"""sshd allows 10 sessions per connection."""
MOST_THREADS = 4
"""Threads that may use one connection: each may need two channels, and the lock needs one."""


class _Route(NamedTuple):
    host: str
    port: int
    user: str
    keys: list[str]
    known_hosts: list[str]


class SshConnection:
    """One connection, made when it is needed first, with channels that are lent out."""

    def __init__(self, address: SshAddress) -> None:
        self._address = address
        self._client: SSHClient | None = None
        self._lock = threading.Lock()
        self._idle: list[SFTPClient] = []
        self._room = threading.BoundedSemaphore(_CHANNELS)

    @property
    def name(self) -> str:
        """The other side, for messages."""
        user = f"{self._address.user}@" if self._address.user else ""
        return f"{user}{self._address.host}" + (f":{self._address.port}" if self._address.port else "")

    @contextlib.contextmanager
    def sftp(self) -> Iterator[SFTPClient]:
        """A channel that nobody else uses inside the block; one that broke isn't lent again.

        :raises AdminError: ``ssh-unreachable``, ``ssh-host-key-unknown``, ``ssh-host-key-changed``, ``ssh-refused``
        """
        with self._room:
            sftp = self._open_channel()
            broken = True
            try:
                yield sftp
                broken = False
            except FileNotFoundError:
                broken = False
                raise
            finally:
                if broken:
                    sftp.close()
                else:
                    with self._lock:
                        self._idle.append(sftp)

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            client, self._client = self._client, None
            self._idle.clear()
        if client is not None:
            client.close()

    def _open_channel(self) -> SFTPClient:
        import paramiko

        with self._lock:
            if self._idle:
                return self._idle.pop()
            if self._client is None:
                self._client = self._connect()
            try:
                sftp = self._client.open_sftp()
            except (paramiko.SSHException, EOFError, OSError) as error:
                transport = self._client.get_transport()
                # The connection may end between the two looks at it; then the library's words are all there is.
                if transport is None or not transport.is_active() or "not active" in str(error):
                    raise connection_broke(self.name, error) from error
                raise unreachable_error(
                    "ssh-unreachable",
                    f"{self.name} gives no SFTP: {error or 'it hung up'}",
                    f"try it: sftp {self.name}",
                ) from error
            channel = sftp.get_channel()
            if channel is not None:
                channel.settimeout(_SILENCE)
            return sftp

    def _connect(self) -> SSHClient:
        import paramiko

        route = _route(self._address)
        client = paramiko.SSHClient()
        for known in route.known_hosts:
            with contextlib.suppress(FileNotFoundError):
                client.load_system_host_keys(known)
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            line = socket.create_connection((route.host, route.port), timeout=_TIMEOUT)
            # Requests are small and each is waited for: the kernel must not wait for more of them.
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.connect(
                route.host,
                port=route.port,
                username=route.user,
                key_filename=route.keys or None,  # type: ignore[arg-type]  # a list will do
                sock=line,
                timeout=_TIMEOUT,
                banner_timeout=_TIMEOUT,
                auth_timeout=_TIMEOUT,
                channel_timeout=_TIMEOUT,
            )
        except (paramiko.SSHException, OSError, EOFError) as error:
            client.close()
            raise self._failure(error, route) from error
        transport = client.get_transport()
        if transport is not None:
            transport.set_keepalive(_KEEPALIVE)
        return client

    def _failure(self, error: Exception, route: _Route) -> AdminError:
        import paramiko

        if isinstance(error, paramiko.BadHostKeyException):
            return configuration_error(
                "ssh-host-key-changed",
                f"the key of {self.name} is not the one in known_hosts: another machine, or one that was made anew",
                f"ask who runs it; then: ssh-keygen -R {_known_name(route)}",
            )
        if isinstance(error, paramiko.AuthenticationException | paramiko.PasswordRequiredException):
            return configuration_error(
                "ssh-refused",
                f"{self.name} takes none of the keys of {getpass.getuser()}: {error}",
                f"give it one: ssh-copy-id {self.name}",
            )
        if isinstance(error, paramiko.SSHException) and "not found in known_hosts" in str(error):
            return configuration_error(
                "ssh-host-key-unknown",
                f"{self.name} is not in known_hosts",
                f"connect once, and compare its key with what its admin tells you: ssh {self.name}",
            )
        why = getattr(error, "strerror", None) or str(error) or "it hung up"
        return unreachable_error("ssh-unreachable", f"{self.name} can't be reached: {why}", f"try it: sftp {self.name}")


def connection_broke(name: str, error: Exception) -> AdminError:
    """The one line for a connection that ended in the middle."""
    return unreachable_error(
        "ssh-unreachable",
        f"the connection to {name} broke: {error or 'it hung up'}",
        "run it again; what has arrived there is not sent again",
    )


def _known_name(route: _Route) -> str:
    return route.host if route.port == 22 else f"'[{route.host}]:{route.port}'"


def _route(address: SshAddress) -> _Route:
    """Where to connect to, as the user's SSH configuration has it."""
    import paramiko

    home = Path(os.environ.get("HOME") or Path.home())
    configuration = paramiko.SSHConfig()
    with contextlib.suppress(FileNotFoundError), (home / ".ssh" / "config").open(encoding="utf-8") as stream:
        configuration.parse(stream)
    found = configuration.lookup(address.host)
    known = found.get("userknownhostsfile", "").split() or [str(home / ".ssh" / "known_hosts")]
    return _Route(
        host=found.get("hostname", address.host),
        port=address.port or int(found.get("port", 22)),
        user=address.user or found.get("user") or getpass.getuser(),
        keys=list(found.get("identityfile", [])),
        known_hosts=[*known, "/etc/ssh/ssh_known_hosts"],
    )
