"""The application descriptor (IceGrid's XML) as server specifications with all variables expanded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.grid.elements import Node, flatten, read_descriptor
from omeroadmin.grid.expansion import Scope, UndefinedVariableError
from omeroadmin.grid.model import ServerSpecification

_PROFILES = "config.xml"
_ACTIVATION_TIMEOUT = 120.0
_DEACTIVATION_TIMEOUT = 10.0
_ACTIVATIONS = ("always", "manual", "on-demand", "session")
_ELSEWHERE = frozenset({"service-template", "replica-group", "distrib", "description"})
"""What a registry needs to know and a process supervisor doesn't."""


@dataclass
class _Application:
    """Everything an application defines, by name."""

    name: str
    variables: dict[str, str] = field(default_factory=dict)
    property_sets: dict[str, Node] = field(default_factory=dict)
    templates: dict[str, Node] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)


def read_servers(file: Path, targets: Iterable[str] = ()) -> tuple[ServerSpecification, ...]:
    """All servers of the application that a descriptor file defines, in their order.

    :param file: usually ``etc/grid/default.xml``
    :param targets: names of the targets that are wanted, e.g. ``debug``
    :raises AdminError: ``descriptor-invalid`` with file, line and element; ``file-not-read``
    """
    root = read_descriptor(file, frozenset(targets))
    found = [child for child in root.children() if child.tag == "application"]
    if len(found) != 1:
        raise root.error(f"holds {len(found)} applications where one is needed")
    application = _collect(found[0])
    servers: dict[str, ServerSpecification] = {}
    for node in application.nodes:
        for element, specification in _node_servers(application, node):
            if specification.identifier in servers:
                raise element.error(f"defines a second server {specification.identifier}")
            servers[specification.identifier] = specification
    return tuple(servers.values())


def _collect(element: Node) -> _Application:
    application = _Application(element.require("name"))
    for child in flatten(element):
        match child.tag:
            case "variable":
                application.variables[child.require("name")] = child.get("value")
            case "properties":
                application.property_sets[child.require("id")] = child
            case "server-template":
                application.templates[child.require("id")] = child
            case "node":
                application.nodes.append(child)
            case tag if tag not in _ELSEWHERE:
                raise child.error("is not known inside an application")
    return application


def _node_servers(application: _Application, node: Node) -> Iterator[tuple[Node, ServerSpecification]]:
    name = node.require("name")
    variables = {child.require("name"): child.get("value") for child in node.children("variable")}
    scope = Scope({"application": application.name, "node": name}, {**application.variables, **variables})
    for child in node.children():
        match child.tag:
            case "server-instance":
                template = application.templates.get(child.require("template"))
                if template is None:
                    raise child.error("names a template that is not defined")
                inner = scope.with_values(_arguments(child, template, scope))
                server = _only_server(template)
                extra = tuple(child.children("properties"))
                yield child, _Builder(application, inner, name).build(server, extra)
            case "server" | "icebox":
                yield child, _Builder(application, scope, name).build(child, ())
            case "variable" | "description":
                continue
            case _:
                raise child.error("is not known inside a node")


def _only_server(template: Node) -> Node:
    servers = list(template.children("server", "icebox"))
    if len(servers) != 1:
        raise template.error(f"holds {len(servers)} servers where one is needed")
    return servers[0]


def _arguments(instance: Node, template: Node, scope: Scope) -> Mapping[str, str]:
    """Values of a template's parameters: what the instance gives, else the defaults."""
    given = instance.attributes
    given.pop("template")
    values: dict[str, str] = {}
    for parameter in template.children("parameter"):
        name = parameter.require("name")
        if name in given:
            values[name] = _expand(instance, scope, given.pop(name))
        elif "default" in parameter.attributes:
            values[name] = _expand(parameter, scope.with_values(values), parameter.get("default"))
        else:
            raise instance.error(f"gives no value for the parameter {name}")
    if given:
        raise instance.error(f"gives {', '.join(given)}, which the template doesn't declare as a parameter")
    return values


@dataclass(frozen=True)
class _Builder:
    """Makes a specification of a ``<server>`` element, with the meaning that names have there."""

    application: _Application
    scope: Scope
    node: str

    def build(self, server: Node, extra: tuple[Node, ...]) -> ServerSpecification:
        """The finished specification.

        :param extra: property blocks of the instance, behind those of the template
        """
        identifier = _expand(server, self.scope, server.require("id"))
        builder = _Builder(self.application, self.scope.with_values({"server": identifier}), self.node)
        activation = builder.attribute(server, "activation", "manual")
        if activation not in _ACTIVATIONS:
            raise server.error(f"has the activation {activation!r}, which is none of {', '.join(_ACTIVATIONS)}")
        environment = [builder.text(child).partition("=") for child in server.children("env")]
        return ServerSpecification(
            identifier=identifier,
            executable=builder.attribute(server, "exe"),
            options=tuple(builder.text(child) for child in server.children("option")),
            working_directory=builder.attribute(server, "pwd"),
            environment=tuple((name, value) for name, _, value in environment),
            activation=activation,
            activation_timeout=builder.seconds(server, "activation-timeout", _ACTIVATION_TIMEOUT),
            deactivation_timeout=builder.seconds(server, "deactivation-timeout", _DEACTIVATION_TIMEOUT),
            properties=tuple(builder.properties((server, *extra), ())),
            node=self.node,
        )

    def attribute(self, element: Node, name: str, default: str | None = None) -> str:
        """An expanded attribute."""
        text = element.require(name) if name == "exe" else element.get(name, default or "")
        return _expand(element, self.scope, text)

    def text(self, element: Node) -> str:
        """The expanded text of an element."""
        return _expand(element, self.scope, element.text)

    def seconds(self, element: Node, name: str, default: float) -> float:
        """An attribute in seconds; 0 or nothing is the default."""
        text = self.attribute(element, name)
        if not text.isdigit() and text:
            raise element.error(f"has the {name} {text!r}, which is not a number of seconds")
        return float(text or 0) or default

    def properties(self, elements: Iterable[Node], seen: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Properties of property blocks: what they refer to comes before what they hold themselves."""
        own: list[Node] = []
        for element in elements:
            for child in element.children("properties", "property"):
                if child.tag == "property":
                    own.append(child)
                elif "refid" in child.attributes:
                    yield from self._referenced(child, seen)
                else:
                    yield from self.properties((child,), seen)
        for child in own:
            yield child.require("name"), self._value(child)

    def _value(self, element: Node) -> str:
        # The admin's own values are data, the same for the toolkit and the servers: no dollar in them is ours.
        if element.file.name == _PROFILES:
            return element.get("value")
        return _expand(element, self.scope, element.get("value"))

    def _referenced(self, reference: Node, seen: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        name = _expand(reference, self.scope, reference.require("refid"))
        if name in seen:
            raise reference.error(f"refers to {name} in a circle: {' -> '.join((*seen, name))}")
        found = self.application.property_sets.get(name)
        if found is None:
            raise reference.error(f"refers to the property set {name}, which is not defined")
        yield from self.properties((found,), (*seen, name))


def _expand(element: Node, scope: Scope, text: str) -> str:
    try:
        return scope.expand(text)
    except UndefinedVariableError as error:
        raise element.error(str(error)) from error
