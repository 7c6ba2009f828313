"""Connections to hosts by SSH. Host keys are checked; nothing is ever asked for."""

from __future__ import annotations

import contextlib
import functools
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from omeroadmin.errors import AdminError, configuration_error, unreachable_error
from omeroadmin.system.ssh_keys import Login
from omeroadmin.system.ssh_known_hosts import HostKey, Known, look_up, record
from omeroadmin.system.ssh_route import Route, SshTarget, read_route

if TYPE_CHECKING:
    from paramiko import Channel, PKey, SFTPClient, SSHClient, Transport

_SILENCE = 120.0
"""Seconds that the other side may be silent in the middle of an operation."""
_KEEPALIVE = 10
"""Seconds between two signs of life; each must be acknowledged by the other side's kernel."""
_UNACKNOWLEDGED = 30.0
"""Seconds after which a line whose other end acknowledges nothing counts as cut."""
_CHANNELS = 9
"""sshd allows 10 sessions per connection."""
MOST_THREADS = 4
"""Threads that may use one connection: each may need two channels, and the lock needs one."""
_FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
"""They authenticate as well, so each packet takes one pass of the processor's own AES."""
_LOG = "omeroadmin.ssh"

# Without a handler, what the library logs would stand on the screen.
logging.getLogger(_LOG).addHandler(logging.NullHandler())

Opened = TypeVar("Opened")


class SshConnection:
    """One connection, made when it is needed first, with channels that are lent out.

    :param pool: where the connections to jump hosts are; by default this one has its own
    """

    def __init__(self, target: SshTarget, pool: SshPool | None = None) -> None:
        self._target = target
        self._pool = pool or SshPool()
        self._is_shared = pool is not None
        self._client: SSHClient | None = None
        self._connecting: SSHClient | None = None
        self._refusal: AdminError | None = None
        self._lock = threading.Lock()
        self._has_tunnels = False
        self._idle: list[SFTPClient] = []
        self._room = threading.BoundedSemaphore(_CHANNELS)

    @property
    def name(self) -> str:
        """The other side, for messages."""
        return self._target.name

    @contextlib.contextmanager
    def sftp(self) -> Iterator[SFTPClient]:
        """A channel that nobody else uses inside the block; one that broke isn't lent again.

        :raises AdminError: ``ssh-unreachable``, ``ssh-refused``, ``ssh-key-locked``, ``ssh-host-key-unknown``,
            ``ssh-host-key-changed``, ``ssh-host-key-revoked``, ``ssh-config-invalid`` …
        """
        with self._room:
            sftp = self._open_sftp()
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

    def start(self, command: str) -> Channel:
        """Start a command in the login shell there.

        :param command: for a shell that may be any: words quoted with ``'``, without line ends
        :return: its streams
        :raises AdminError: as :meth:`sftp`
        """

        def open_session(transport: Transport, timeout: float) -> Channel:
            channel = transport.open_session(timeout=timeout)
            channel.settimeout(timeout)
            channel.exec_command(command)
            return channel

        return self._open("starts no program", open_session)

    def tunnel(self, host: str, port: int) -> Channel:
        """A line to another host, made by this one.

        :raises AdminError: as :meth:`sftp`
        """

        def open_tunnel(transport: Transport, timeout: float) -> Channel:
            return transport.open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=timeout)

        self._has_tunnels = True
        return self._open(f"does not reach {host}:{port}", open_tunnel)

    @property
    def user(self) -> str:
        """Whom the commands run as, by name.

        :raises AdminError: ``ssh-config-invalid``
        """
        return read_route(self._target).user

    @property
    def has_tunnels(self) -> bool:
        """Whether connections to other hosts go through it."""
        return self._has_tunnels

    def close(self) -> None:
        """Hang up."""
        # Whoever is just connecting holds the lock, and ends when its client does.
        if (connecting := self._connecting) is not None:
            connecting.close()
        with self._lock:
            client, self._client = self._client, None
            self._idle.clear()
        if client is not None:
            client.close()
        if not self._is_shared:
            self._pool.close()

    def _open_sftp(self) -> SFTPClient:
        import paramiko

        with self._lock:
            if self._idle:
                return self._idle.pop()

        def open_sftp(transport: Transport, timeout: float) -> SFTPClient:
            channel = transport.open_session(timeout=timeout)
            channel.settimeout(_SILENCE)
            channel.invoke_subsystem("sftp")
            return paramiko.SFTPClient(channel)

        return self._open("gives no SFTP", open_sftp)

    def _open(self, failing: str, opening: Callable[[Transport, float], Opened]) -> Opened:
        import paramiko

        transport, timeout = self._connected()
        try:
            return opening(transport, timeout)
        except (paramiko.SSHException, EOFError, OSError) as error:
            # The connection may end between the two looks at it; then the library's words are all there is.
            if not transport.is_active() or "not active" in str(error):
                raise connection_broke(self.name, error) from error
            raise unreachable_error(
                "ssh-unreachable",
                f"{self.name} {failing}: {_why(error)}",
                f"try it: {'sftp' if 'SFTP' in failing else 'ssh'} {self._target.address}",
            ) from error

    def _connected(self) -> tuple[Transport, float]:
        with self._lock:
            if self._refusal is not None:
                raise self._refusal
            route = read_route(self._target)
            if self._client is None:
                try:
                    self._client = self._connect(route)
                except AdminError as error:
                    # Others that share it must not wait for the same answer again.
                    self._refusal = error if self._is_shared else None
                    raise
            transport = self._client.get_transport()
        if transport is None:
            raise connection_broke(self.name, EOFError())
        return transport, route.timeout

    def _connect(self, route: Route) -> SSHClient:
        import paramiko

        known = look_up(route.known_hosts, route.known_name)
        line = self._line(route)
        client = self._connecting = paramiko.SSHClient()
        client.set_log_channel(_LOG)
        client.set_missing_host_key_policy(_HostKeys(self._target, route, known))  # type: ignore[arg-type]
        try:
            client.connect(
                # Its own look at known_hosts knows neither patterns nor revoked keys, so it has none to look at.
                route.known_name,
                username=route.user,
                sock=line,
                timeout=route.timeout,
                banner_timeout=route.timeout,
                auth_timeout=route.timeout,
                channel_timeout=route.timeout,
                transport_factory=functools.partial(_make_transport, known),
                auth_strategy=Login(self.name, route, self._target.address),  # type: ignore[arg-type]
            )
        except AdminError:
            client.close()
            raise
        except (paramiko.SSHException, OSError, EOFError) as error:
            client.close()
            raise self._unreachable(error) from error
        transport = client.get_transport()
        if transport is not None:
            transport.set_keepalive(_KEEPALIVE)
        return client

    def _line(self, route: Route) -> Any:
        if route.via is not None:
            return self._pool.connection(route.via).tunnel(route.host, route.port)
        try:
            line = socket.create_connection((route.host, route.port), timeout=route.timeout)
        except (OSError, UnicodeError) as error:
            raise self._unreachable(error) from error
        # Requests are small and each is waited for: the kernel must not wait for more of them.
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(_UNACKNOWLEDGED * 1000))
        return line

    def _unreachable(self, error: Exception) -> AdminError:
        return unreachable_error(
            "ssh-unreachable", f"{self.name} can't be reached: {_why(error)}", f"try it: ssh {self._target.address}"
        )


class SshPool:
    """Connections that are shared: one to each host, and one to each jump host for all behind it."""

    def __init__(self) -> None:
        self._connections: dict[SshTarget, SshConnection] = {}
        self._lock = threading.Lock()

    def connection(self, target: SshTarget) -> SshConnection:
        """The connection to a host; it is made when it is needed first."""
        with self._lock:
            if target not in self._connections:
                self._connections[target] = SshConnection(target, self)
            return self._connections[target]

    def close(self) -> None:
        """Hang up everywhere; jump hosts last."""
        with self._lock:
            connections, self._connections = list(self._connections.values()), {}
        for connection in sorted(connections, key=lambda each: each.has_tunnels):
            connection.close()


class _HostKeys:
    """Decides about the key that a host shows; what :class:`paramiko.SSHClient` takes for its policy."""

    def __init__(self, target: SshTarget, route: Route, known: Known) -> None:
        self._target = target
        self._route = route
        self._known = known

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:  # noqa: ARG002
        """Let the key pass, or raise."""
        shown, name = HostKey(key.get_name(), key.asbytes()), self._target.name
        if shown in self._known.keys:
            return
        if shown in self._known.revoked:
            raise configuration_error(
                "ssh-host-key-revoked",
                f"the key of {name} is marked as revoked in known_hosts: {shown.fingerprint}",
                "ask who runs it; somebody else may have that key",
            )
        if self._known.keys:
            raise configuration_error(
                "ssh-host-key-changed",
                f"the key of {name} is not the one in known_hosts: another machine, or one that was made anew",
                f"ask who runs it; then: ssh-keygen -R {_quoted(self._route.known_name)}",
            )
        if not self._target.accept_new:
            raise configuration_error(
                "ssh-host-key-unknown",
                f"{name} is not in known_hosts; it shows {shown.fingerprint}",
                f"connect once, and compare its key with what its admin tells you: ssh {self._target.address}",
            )
        record(self._route.known_hosts[0], self._route.known_name, shown)


def connection_broke(name: str, error: Exception, hint: str = "run it again") -> AdminError:
    """The one line for a connection that ended in the middle."""
    return unreachable_error("ssh-unreachable", f"the connection to {name} broke: {_why(error)}", hint)


def _make_transport(known: Known, sock: Any, **options: Any) -> Transport:
    import paramiko

    transport = paramiko.Transport(sock, **options)
    algorithms = transport.get_security_options()
    algorithms.ciphers = [*_FAST_CIPHERS, *(name for name in algorithms.ciphers if name not in _FAST_CIPHERS)]
    algorithms.key_types = known.algorithms(algorithms.key_types)
    return transport


def _quoted(name: str) -> str:
    return f"'{name}'" if name.startswith("[") else name


def _why(error: Exception) -> str:
    if "protocol banner" in str(error):
        return "it gives no greeting of an SSH server"
    return getattr(error, "strerror", None) or getattr(error, "text", None) or str(error) or "it hung up"
