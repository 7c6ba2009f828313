"""All that a descriptor says, as plain data: what a registry needs to know as well as what a supervisor does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from omeroadmin.grid.model import ServerSpecification


@dataclass(frozen=True)
class WellKnownObject:
    """An object that is found by its name.

    :param type: its Slice type, e.g. ``::Glacier2::SessionManager``
    :param property: name of the property that tells the server the identity; may be empty
    :param proxy_options: may be empty
    """

    identity: str
    type: str = ""
    property: str = ""
    proxy_options: str = ""


@dataclass(frozen=True)
class Adapter:
    """An object adapter of a server.

    :param id: the registry's name for it: ``SERVER.NAME`` unless the descriptor gives one
    :param endpoints: where it listens; empty where the server's own configuration says
    :param replica_group: id of the group that it belongs to; may be empty
    :param priority: where the group asks its members in order; may be empty
    :param registers_process: whether it registers the process with the registry
    :param decides_lifetime: whether the server counts as running while this adapter does
    """

    name: str
    id: str
    endpoints: str = ""
    replica_group: str = ""
    priority: str = ""
    registers_process: bool = False
    decides_lifetime: bool = True
    objects: tuple[WellKnownObject, ...] = ()
    allocatables: tuple[WellKnownObject, ...] = ()


@dataclass(frozen=True)
class LoadBalancing:
    """How a replica group chooses.

    :param type: ``random``, ``ordered``, ``round-robin`` or ``adaptive``
    :param n_replicas: members named to a client; 0: all
    :param load_sample: minutes over which ``adaptive`` looks at the load: 1, 5 or 15
    """

    type: str = "random"
    n_replicas: int = 1
    load_sample: int = 1


@dataclass(frozen=True)
class ReplicaGroup:
    """Adapters that stand for each other.

    :param objects: that any member can provide
    """

    id: str
    load_balancing: LoadBalancing = LoadBalancing()
    objects: tuple[WellKnownObject, ...] = ()
    proxy_options: str = ""
    filter: str = ""


@dataclass(frozen=True)
class DatabaseEnvironment:
    """A Freeze database of a server or service.

    :param home: its directory; empty: the node chooses
    """

    name: str
    home: str = ""
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Service:
    """A service that an icebox loads.

    :param entry: library and function, e.g. ``IceStormService,36:createIceStorm``
    :param properties: of its own
    """

    name: str
    entry: str
    properties: tuple[tuple[str, str], ...] = ()
    adapters: tuple[Adapter, ...] = ()
    databases: tuple[DatabaseEnvironment, ...] = ()


@dataclass(frozen=True)
class Distribution:
    """Files that IcePatch2 brings to the nodes.

    :param icepatch: proxy of its server
    :param directories: those that are wanted; all where it is empty
    """

    icepatch: str = ""
    directories: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServerDescription:
    """A server: its process, and what it offers.

    :param process: all that is needed to run it
    :param services: of an icebox, in the order in which they are loaded
    :param is_icebox: whether it is one
    """

    process: ServerSpecification
    adapters: tuple[Adapter, ...] = ()
    services: tuple[Service, ...] = ()
    databases: tuple[DatabaseEnvironment, ...] = ()
    distribution: Distribution | None = None
    is_icebox: bool = False

    @property
    def all_adapters(self) -> Iterator[Adapter]:
        """Its own, then those of its services."""
        yield from self.adapters
        for service in self.services:
            yield from service.adapters


@dataclass(frozen=True)
class NodeDescription:
    """A node.

    :param load_factor: divides its load where the load decides; may be empty
    :param servers: their ids, in order
    """

    name: str
    load_factor: str = ""
    servers: tuple[str, ...] = ()


@dataclass(frozen=True)
class ApplicationDescription:
    """An application.

    :param text: its description, for people
    :param servers: of all nodes, in the order of the descriptor
    """

    name: str
    nodes: tuple[NodeDescription, ...] = ()
    servers: tuple[ServerDescription, ...] = ()
    replica_groups: tuple[ReplicaGroup, ...] = ()
    distribution: Distribution | None = None
    text: str = ""

    def server(self, identifier: str) -> ServerDescription | None:
        """One server."""
        return next((server for server in self.servers if server.process.identifier == identifier), None)
