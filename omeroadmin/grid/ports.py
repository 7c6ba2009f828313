"""The ports of a grid and what stands behind them in the descriptors."""

from __future__ import annotations

import re
from dataclasses import dataclass

from omeroadmin.errors import configuration_error
from omeroadmin.schema.settings import Settings

TRANSPORTS = "omero.client.icetransports"
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


def used_ports(settings: Settings) -> tuple[Port, ...]:
    """All ports that a start needs free.

    :raises AdminError: ``setting-invalid``, ``port-invalid``
    """
    bound = _host(settings, "Ice.Default.Host")
    registry = Port(settings.port("registry"), "omero.ports.registry", master_host(settings))
    public = (Port(settings.port(name), f"omero.ports.{name}", bound) for name in transports(settings))
    return (registry, *public)


def _host(settings: Settings, name: str) -> str:
    text = settings.text(name).strip()
    if text and not _HOST.fullmatch(text):
        raise configuration_error(
            "setting-invalid", f"{name} is {text!r}, which is not a host name", f"omero config set {name} HOST"
        )
    return text
