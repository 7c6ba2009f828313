"""The application descriptor (IceGrid's XML) as plain descriptions with all variables expanded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.grid.building import Place, Properties, arguments
from omeroadmin.grid.definitions import Definitions, NamedElements, NodeDefinitions, only_child
from omeroadmin.grid.description import (
    ApplicationDescription,
    LoadBalancing,
    NodeDescription,
    ReplicaGroup,
    ServerDescription,
    Service,
)
from omeroadmin.grid.elements import Node, read_descriptor
from omeroadmin.grid.expansion import Scope
from omeroadmin.grid.grammar import check
from omeroadmin.grid.model import ServerSpecification

ACTIVATIONS = ("always", "manual", "on-demand", "session")
"""When a server is started."""
BALANCINGS = ("random", "ordered", "round-robin", "adaptive")
"""How a replica group chooses."""
_ACTIVATION_TIMEOUT = 120.0
_DEACTIVATION_TIMEOUT = 10.0


def read_servers(file: Path, targets: Iterable[str] = ()) -> tuple[ServerSpecification, ...]:
    """The processes of the application that a descriptor file defines, in their order.

    :param file: usually ``etc/grid/default.xml``
    :param targets: names of the targets that are wanted, e.g. ``debug``
    :raises AdminError: ``descriptor-invalid`` with file, line and element; ``file-not-read``
    """
    return tuple(server.process for server in describe_application(file, targets).servers)


def describe_application(file: Path, targets: Iterable[str] = ()) -> ApplicationDescription:
    """All that a descriptor file says of its application.

    :param file: usually ``etc/grid/default.xml``
    :param targets: names of the targets that are wanted, e.g. ``debug``
    :raises AdminError: ``descriptor-invalid`` with file, line and element; ``file-not-read``
    """
    root = read_descriptor(file, frozenset(targets))
    found = [child for child in root.children() if child.tag == "application"]
    if len(found) != 1:
        raise root.error(f"holds {len(found)} applications where one is needed")
    check(found[0])
    definitions = Definitions(found[0].require("name"))
    for child in found[0].children():
        definitions.add(child)
    return _Application(definitions).describe()


class _Application:
    """Puts an application's definitions to use."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._scope = Scope({"application": definitions.name}, definitions.variables)
        self._groups = NamedElements("replica group")
        self._servers = NamedElements("server")
        self._adapters = NamedElements("adapter id")
        self._objects = NamedElements("object")

    def describe(self) -> ApplicationDescription:
        """Everything, with no name given twice."""
        definitions = self._definitions
        place = Place(self._scope, (definitions.property_sets,), self._groups)
        groups = [self._replica_group(place, element) for element in definitions.replica_groups.elements.values()]
        nodes: list[NodeDescription] = []
        servers: list[ServerDescription] = []
        for node in definitions.nodes.values():
            found = list(self._node_servers(node))
            servers += found
            identifiers = tuple(server.process.identifier for server in found)
            nodes.append(NodeDescription(node.name, node.load_factor, identifiers))
        return ApplicationDescription(
            definitions.name,
            tuple(nodes),
            tuple(servers),
            tuple(groups),
            place.distribution(definitions.distributions),
            "\n".join(definitions.texts),
        )

    def _replica_group(self, place: Place, element: Node) -> ReplicaGroup:
        identifier = place.name(element, "id")
        self._groups.add(identifier, element)
        balancing = LoadBalancing()
        for child in element.children("load-balancing"):
            kind = place.choice(child, "type", BALANCINGS, "")
            balancing = LoadBalancing(kind, place.number(child, "n-replicas", 1), place.number(child, "load-sample", 1))
        objects = tuple(place.object(child) for child in element.children("object"))
        for one in objects:
            self._objects.add(one.identity, element)
        return ReplicaGroup(
            identifier,
            balancing,
            objects,
            place.attribute(element, "proxy-options"),
            place.attribute(element, "filter"),
        )

    def _node_servers(self, node: NodeDefinitions) -> Iterator[ServerDescription]:
        scope = self._scope.with_variables(node.variables).with_values(_predefined(node.name))
        sets = (node.property_sets, self._definitions.property_sets)
        for element in node.servers:
            server, inner = element, scope
            extra: tuple[Node, ...] = ()
            if element.tag == "server-instance":
                template = self._definitions.server_templates.find(element.require("template"), element)
                inner = scope.with_values(arguments(element, template, scope))
                server, extra = only_child(template, "server", "icebox"), (element,)
            builder = _ServerBuilder(self._definitions, Place(inner, sets, self._groups), node.name)
            found = builder.build(server, extra)
            self._register(element, found)
            yield found

    def _register(self, element: Node, server: ServerDescription) -> None:
        self._servers.add(server.process.identifier, element)
        for adapter in server.all_adapters:
            self._adapters.add(adapter.id, element)
            for one in (*adapter.objects, *adapter.allocatables):
                self._objects.add(one.identity, element)


def _predefined(node: str) -> dict[str, str]:
    """Names that IceGrid gives a meaning to; a node on another host would see its own system."""
    system = os.uname()
    return {
        "node": node,
        "node.os": system.sysname,
        "node.hostname": system.nodename,
        "node.release": system.release,
        "node.version": system.version,
        "node.machine": system.machine,
    }


@dataclass(frozen=True)
class _ServerBuilder:
    """Describes a ``<server>`` or ``<icebox>``.

    :param place: what names mean there
    :param node: the node that runs it
    """

    definitions: Definitions
    place: Place
    node: str

    def build(self, server: Node, extra: tuple[Node, ...]) -> ServerDescription:
        """The finished description.

        :param extra: what an instance adds to its template
        """
        identifier = self.place.name(server, "id")
        place = self.place.within({"server": identifier})
        services = tuple(self._services(place, server, identifier, extra))
        process = ServerSpecification(
            identifier=identifier,
            executable=place.name(server, "exe"),
            options=tuple(place.text(child) for child in server.children("option")),
            working_directory=place.attribute(server, "pwd"),
            environment=tuple(place.environment(child) for child in server.children("env")),
            activation=place.choice(server, "activation", ACTIVATIONS, "manual"),
            activation_timeout=place.seconds(server, "activation-timeout", _ACTIVATION_TIMEOUT),
            deactivation_timeout=place.seconds(server, "deactivation-timeout", _DEACTIVATION_TIMEOUT),
            properties=(*place.properties(server, *extra), *_generated(place, server)),
            node=self.node,
            user=place.attribute(server, "user"),
        )
        return ServerDescription(
            process,
            place.adapters(server, identifier),
            services,
            place.databases(server),
            place.distribution(server.children("distrib")),
            is_icebox=server.tag == "icebox",
        )

    def _services(self, outer: Place, server: Node, identifier: str, extra: tuple[Node, ...]) -> Iterator[Service]:
        """Services with a name each, in their order."""
        blocks = _service_blocks(outer, (server, *extra))
        names = NamedElements("service")
        for element in server.children("service", "service-instance"):
            service, place = element, outer
            more: tuple[Node, ...] = ()
            if element.tag == "service-instance":
                template = self.definitions.service_templates.find(element.require("template"), element)
                place = outer.within(arguments(element, template, outer.scope))
                service, more = only_child(template, "service"), (element,)
            name = place.name(service, "name")
            names.add(name, element)
            place = place.within({"service": name})
            properties = place.properties(service, *more, *blocks.pop(name, ()))
            adapters = place.adapters(service, f"{identifier}.{name}")
            properties = (*properties, *_generated(place, service))
            yield Service(name, place.name(service, "entry"), properties, adapters, place.databases(service))
        for name, elements in blocks.items():
            raise elements[0].error(f"is for the service {name}, which {identifier} doesn't have")


def _service_blocks(place: Place, elements: tuple[Node, ...]) -> dict[str, list[Node]]:
    """Property blocks for a server's services, by the service's name."""
    blocks: dict[str, list[Node]] = {}
    for element in elements:
        for block in element.children("properties"):
            if "service" in block.attributes:
                blocks.setdefault(place.name(block, "service"), []).append(block)
    return blocks


def _generated(place: Place, element: Node) -> Properties:
    """Properties that IceGrid makes of what is named elsewhere: logs, and objects of adapters."""
    logs = [
        (place.attribute(log, "property"), place.name(log, "path"))
        for log in element.children("log")
        if log.get("property")
    ]
    objects = [
        (place.attribute(one, "property"), place.name(one, "identity"))
        for adapter in element.children("adapter")
        for one in adapter.children("object", "allocatable")
        if one.get("property")
    ]
    return (*logs, *objects)
