"""Where an SSH connection leads, as its caller and the user's SSH configuration have it."""

from __future__ import annotations

import contextlib
import functools
import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.errors import configuration_error

if TYPE_CHECKING:
    from paramiko import SSHConfig

_PORT = 22
_TIMEOUT = 15.0
"""Seconds for the connection, the greeting and the login, each."""
_MOST_JUMPS = 8


@dataclass(frozen=True)
class SshTarget:
    """What a caller knows of a host; the user's SSH configuration says the rest.

    :param host: name or address, or a ``Host`` of the configuration
    :param port: ``None``: as configured, else 22
    :param user: ``None``: as configured, else the present one
    :param keys: files of private keys; where there are any, no other key is offered. None: those that are configured,
        those of ssh-agent, and the usual files
    :param jumps: hosts on the way, the nearest first; ``None``: as ``ProxyJump`` says
    :param accept_new: whether the key of a host that is not in known_hosts is recorded there; a changed one never is
    :param timeout: seconds for the connection, the greeting and the login, each; ``None``: as configured, else 15
    :param label: what the caller calls it
    """

    host: str
    port: int | None = None
    user: str | None = None
    keys: tuple[str, ...] = ()
    jumps: tuple[SshTarget, ...] | None = None
    accept_new: bool = False
    timeout: float | None = None
    label: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """The other side, for messages."""
        if self.label:
            return self.label if self.label == self.host else f"{self.label} ({self.address})"
        return self.address

    @property
    def address(self) -> str:
        """``user@host:port``, as far as the caller knows."""
        user = f"{self.user}@" if self.user else ""
        return f"{user}{self.host}" + (f":{self.port}" if self.port else "")


@dataclass(frozen=True)
class Route:
    """Where to connect to.

    :param keys: files of private keys, in the order in which they are tried
    :param only_keys: whether no other key is tried
    :param known_hosts: files of known hosts; the first one is the user's own
    :param known_name: the host in them
    :param via: the host that the connection goes through
    :param timeout: seconds for the connection, the greeting and the login, each
    """

    host: str
    port: int
    user: str
    keys: tuple[Path, ...]
    only_keys: bool
    known_hosts: tuple[Path, ...]
    known_name: str
    via: SshTarget | None
    timeout: float


def read_route(target: SshTarget) -> Route:
    """Where to connect to.

    :raises AdminError: ``ssh-config-invalid``, ``ssh-jumps-in-circles``
    """
    _require_end(target)
    found = _look_up(target.host)
    host, port = str(found.get("hostname", target.host)), target.port or _number(found, "port", _PORT)
    known = str(found.get("userknownhostsfile", "")).split() or ["~/.ssh/known_hosts"]
    alias = str(found.get("hostkeyalias", ""))
    return Route(
        host=host,
        port=port,
        user=target.user or found.get("user") or getpass.getuser(),
        keys=tuple(_path(key) for key in target.keys or found.get("identityfile", ())),
        only_keys=bool(target.keys) or found.get("identitiesonly") == "yes",
        known_hosts=(*(_path(name) for name in known), Path("/etc/ssh/ssh_known_hosts")),
        known_name=alias or (host.lower() if port == _PORT else f"[{host.lower()}]:{port}"),
        via=_via(target, found),
        timeout=target.timeout or float(_number(found, "connecttimeout", int(_TIMEOUT))),
    )


def parse_jumps(text: str) -> tuple[SshTarget, ...]:
    """Hosts on the way, as ``ProxyJump`` has them: ``[user@]host[:port],…`` or ``none``.

    :raises AdminError: ``ssh-jump-invalid``
    """
    if not text.strip() or text.strip().lower() == "none":
        return ()
    return tuple(_jump(part.strip()) for part in text.split(","))


def home() -> Path:
    """The user's home directory."""
    return Path(os.environ.get("HOME") or Path.home())


def _jump(text: str) -> SshTarget:
    user, _, place = text.removeprefix("ssh://").rstrip("/").rpartition("@")
    host, port = place, ""
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        port = port.removeprefix(":")
    elif place.count(":") == 1:
        host, _, port = place.partition(":")
    if not host or host.startswith("-") or not host.isprintable() or " " in host or (port and not _is_port(port)):
        raise configuration_error("ssh-jump-invalid", f"{text!r} is no jump host", "write it as USER@HOST:PORT")
    return SshTarget(host, int(port) if port else None, user or None)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 1 << 16


def _via(target: SshTarget, found: Mapping[str, Any]) -> SshTarget | None:
    jumps = target.jumps
    if jumps is None:
        # A pattern that fits all hosts fits the jump host as well.
        jumps = tuple(jump for jump in parse_jumps(found.get("proxyjump") or "") if jump.host != target.host)
    if not jumps:
        return None
    *before, last = jumps
    inherited = {"accept_new": target.accept_new, "timeout": last.timeout or target.timeout}
    return replace(last, jumps=tuple(before) or last.jumps, **inherited)  # type: ignore[arg-type]


def _require_end(target: SshTarget) -> None:
    step: SshTarget | None = target
    for _ in range(_MOST_JUMPS + 1):
        step = None if step is None else _via(step, _look_up(step.host))
    if step is not None:
        raise configuration_error(
            "ssh-jumps-in-circles",
            f"the way to {target.name} leads through more than {_MOST_JUMPS} jump hosts, or in circles",
            "check ProxyJump in ~/.ssh/config, and the jump hosts of the inventory",
        )


def _look_up(host: str) -> Mapping[str, Any]:
    import paramiko

    path = home() / ".ssh" / "config"
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise configuration_error("ssh-config-invalid", f"{path} can't be read: {error}") from error
    try:
        found: Mapping[str, Any] = _parsed(text).lookup(host)
    except (paramiko.SSHException, ImportError) as error:
        raise configuration_error("ssh-config-invalid", f"{path} can't be understood: {error}") from error
    return found


@functools.lru_cache(maxsize=4)
def _parsed(text: str) -> SSHConfig:
    import paramiko

    return paramiko.SSHConfig.from_text(text)


def _number(found: Mapping[str, Any], name: str, otherwise: int) -> int:
    with contextlib.suppress(ValueError):
        return int(found.get(name, otherwise))
    return otherwise


def _path(text: str) -> Path:
    return home() / text[2:] if text.startswith("~/") else Path(text)
