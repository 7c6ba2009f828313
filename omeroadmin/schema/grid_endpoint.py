"""The endpoint by which servers on other hosts reach the master: when there is one, what its properties are called.

Whoever renders, checks or uses it asks here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

WISH = "omero.grid.endpoint"
"""Whether there is one: ``auto``, ``always`` or ``never``."""
HOST = "omero.grid.endpoint.host"
PORT = "omero.grid.endpoint.port"
FINGERPRINT = "omero.grid.endpoint.fingerprint"
TOKEN = "omero.grid.endpoint.token"  # noqa: S105 - the name of a property
"""These four reach servers in their configuration files only; nobody sets them."""

_MASTER = "master"
_EVERY_ADDRESS = ("", "*", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound


def is_wanted(text: Callable[[str], str]) -> bool:
    """Whether the master offers the endpoint.

    With ``auto`` it does where IceGrid runs servers on a node beside the master, and the master has an address that
    other hosts reach: nodes of one host share their local sockets.

    :param text: the value in force of a property
    """
    wish = text(WISH).strip()
    if wish in ("always", "never"):
        return wish == "always"
    return text("omero.grid.driver").strip() == "icegrid" and _has_other_node(text) and not _is_local(host(text))


def host(text: Callable[[str], str]) -> str:
    """Where it listens and is looked for: the address of the registry."""
    return text("omero.master.host").strip() or text("Ice.Default.Host").strip() or "127.0.0.1"


def _has_other_node(text: Callable[[str], str]) -> bool:
    words = text("omero.server.nodedescriptors").split()
    return any(word.partition(":")[0] not in ("", _MASTER) for word in words)


def _is_local(name: str) -> bool:
    if name in _EVERY_ADDRESS or name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
