"""The ports of a grid and what stands behind them in the descriptors."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from omeroadmin.errors import configuration_error
from omeroadmin.schema import grid_endpoint
from omeroadmin.schema.settings import Settings

TRANSPORTS = "omero.client.icetransports"
HOSTS = "omero.grid.hosts"
_KNOWN = ("ssl", "tcp", "ws", "wss")
_HOST = re.compile(r"[A-Za-z0-9._:%-]+")


@dataclass(frozen=True)
class Port:
    """A port that a running grid holds.

    :param property: the property that sets it
    """

    number: int
    property: str
    host: str = ""


def transports(settings: Settings) -> tuple[str, ...]:
    """What clients may connect by, from ``omero.client.icetransports``.

    :raises AdminError: ``setting-invalid``
    """
    text = settings.text(TRANSPORTS)
    found = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in found if name not in _KNOWN]
    if unknown or not found:
        raise configuration_error(
            "setting-invalid",
            f"{TRANSPORTS} is {text!r}, which is not a list of {', '.join(_KNOWN)}",
            f"omero config set {TRANSPORTS} ssl,tcp",
        )
    return found


def client_endpoints(settings: Settings) -> str:
    """Endpoints of OMERO.Glacier2, e.g. ``ssl -p 4064:tcp -p 4063``.

    :raises AdminError: ``setting-invalid``, ``port-invalid``
    """
    return ":".join(f"{name} -p {settings.port(name)}" for name in transports(settings))


def master_host(settings: Settings) -> str:
    """Host of the registry: ``omero.master.host``, else ``Ice.Default.Host``, else 127.0.0.1.

    :raises AdminError: ``setting-invalid``
    """
    return _host(settings, "omero.master.host") or _host(settings, "Ice.Default.Host") or "127.0.0.1"


def client_host(settings: Settings) -> str:
    """The host that clients on this machine use by default.

    :raises AdminError: ``setting-invalid``
    """
    return _host(settings, "omero.master.host") or _host(settings, "Ice.Default.Host") or "localhost"


def endpoint_host(host: str) -> str:
    """A host as it stands in an endpoint, where a colon would begin the next one."""
    return f'"{host}"' if ":" in host else host


def node_host(settings: Settings, node: str) -> str:
    """Where a node other than the master is reached.

    ``omero.grid.hosts`` says so. Else it is ``Ice.Default.Host`` where that isn't the master's, the loopback where the
    master is on it too, and the node's name, which is its host's unless somebody chose another.

    :raises AdminError: ``setting-invalid``
    """
    own, master = _host(settings, "Ice.Default.Host"), master_host(settings)
    given = _hosts(settings).get(node)
    if given or (own and own != master):
        return given or own
    return master if _is_loopback(master) else node


def grid_endpoint_port(settings: Settings) -> Port | None:
    """The port for servers on other hosts; ``None`` where it isn't offered.

    :raises AdminError: ``setting-invalid``, ``port-invalid``
    """
    if not grid_endpoint.is_wanted(settings.text):
        return None
    return Port(settings.port("grid"), "omero.ports.grid", master_host(settings))


def used_ports(settings: Settings) -> tuple[Port, ...]:
    """All ports that a start needs free.

    :raises AdminError: ``setting-invalid``, ``port-invalid``
    """
    bound = _host(settings, "Ice.Default.Host")
    registry = Port(settings.port("registry"), "omero.ports.registry", master_host(settings))
    public = (Port(settings.port(name), f"omero.ports.{name}", bound) for name in transports(settings))
    grid = grid_endpoint_port(settings)
    return (registry, *public, *(() if grid is None else (grid,)))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _hosts(settings: Settings) -> dict[str, str]:
    hosts: dict[str, str] = {}
    for word in settings.text(HOSTS).split():
        node, equals, host = word.partition("=")
        if not (node and equals and _HOST.fullmatch(host)):
            raise configuration_error(
                "setting-invalid",
                f"{HOSTS} is {settings.text(HOSTS)!r}: {word!r} is not of the form node=host",
                f"omero config set {HOSTS} 'worker1=192.168.0.2 worker2=node2.example.org'",
            )
        hosts[node] = host
    return hosts


def _host(settings: Settings, name: str) -> str:
    text = settings.text(name).strip()
    if text and not _HOST.fullmatch(text):
        raise configuration_error(
            "setting-invalid", f"{name} is {text!r}, which is not a host name", f"omero config set {name} HOST"
        )
    return text
