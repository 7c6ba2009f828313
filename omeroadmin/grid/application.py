"""An application as a node runs it: the servers that its descriptor defines, and what a new descriptor changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.grid.descriptor import read_servers
from omeroadmin.grid.elements import read_descriptor
from omeroadmin.grid.model import MASTER, ServerSpecification
from omeroadmin.grid.reference_servers import HEAP_SERVERS
from omeroadmin.schema.catalog import find_setting, settings

_MEMORY = "omero.jvmcfg."
_SERVICES = frozenset(server.service for server in HEAP_SERVERS)


@dataclass(frozen=True)
class Application:
    """What a descriptor defines.

    :param name: e.g. ``OMERO``
    :param file: the descriptor
    :param targets: wanted targets, e.g. ``debug``
    :param servers: of all nodes, in the order of the descriptor
    """

    name: str
    file: Path
    targets: tuple[str, ...]
    servers: tuple[ServerSpecification, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes that have servers, the master first."""
        return tuple(dict.fromkeys((MASTER, *(server.node for server in self.servers))))

    def of_node(self, node: str) -> tuple[ServerSpecification, ...]:
        """The servers of one node."""
        return tuple(server for server in self.servers if server.node == node)


def read_application(file: Path, targets: Sequence[str] = ()) -> Application:
    """Read a descriptor.

    :raises AdminError: ``descriptor-invalid`` with file, line and element; ``file-not-read``
    """
    servers = read_servers(file, targets)
    root = read_descriptor(file, frozenset(targets))
    name = next(child.require("name") for child in root.children("application"))
    return Application(name, file, tuple(targets), servers)


@dataclass(frozen=True)
class Changes:
    """What becomes of the servers of a node, by their ids.

    :param added: are new
    :param changed: can't go on as they are; others may, and find what differs for them at their next start
    :param removed: are no more
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def compare(present: Mapping[str, ServerSpecification], wanted: Iterable[ServerSpecification]) -> Changes:
    """What a new descriptor changes.

    :param present: the specifications that the servers were given, by their ids
    """
    new = {server.identifier: server for server in wanted}
    both = [identifier for identifier in new if identifier in present]
    return Changes(
        tuple(identifier for identifier in new if identifier not in present),
        tuple(one for one in both if _essence(present[one]) != _essence(new[one])),
        tuple(identifier for identifier in present if identifier not in new),
    )


def _essence(server: ServerSpecification) -> ServerSpecification:
    """A specification without what a running server need not be restarted for."""
    kind = kind_of(server.identifier)
    properties = {name: value for name, value in server.properties if concerns(kind, name)}
    # The node itself keeps the timeouts.
    return dataclasses.replace(
        server, properties=tuple(sorted(properties.items())), activation_timeout=0, deactivation_timeout=0
    )


def concerns(kind: str, name: str) -> bool:
    """Whether a server of this kind must be restarted for a property; every server is given the whole profile."""
    base, _, service = name.rpartition(".")
    if name.startswith(_MEMORY) or (service in _SERVICES and base in settings()):
        # They stand in the server's options, or under their name without the service.
        return False
    setting = find_setting(name)
    return setting is None or not setting.affects or kind in setting.affects


def kind_of(identifier: str) -> str:
    """``Blitz`` of ``Blitz-0``."""
    base, dash, index = identifier.rpartition("-")
    return base if dash and index.isdigit() else identifier
