"""What an application and its nodes define by name, before any of it is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from omeroadmin.grid.elements import Node, closest


@dataclass
class NamedElements:
    """Elements that others refer to.

    :param what: what they are called in messages, e.g. ``property set``
    """

    what: str
    elements: dict[str, Node] = field(default_factory=dict)

    def add(self, name: str, element: Node) -> None:
        """Define one.

        :raises AdminError: ``descriptor-invalid`` for a name that is taken
        """
        if name in self.elements:
            raise element.error(f"defines a second {self.what} {name}; the first one is {self.elements[name].place}")
        self.elements[name] = element

    def find(self, name: str, reference: Node) -> Node:
        """The one that an element refers to.

        :raises AdminError: ``descriptor-invalid`` where there is none
        """
        found = self.elements.get(name)
        if found is None:
            guess = closest(name, self.elements)
            meant = f"; is {guess} meant?" if guess else ""
            raise reference.error(f"refers to the {self.what} {name}, which is not defined{meant}")
        return found


def _property_sets() -> NamedElements:
    return NamedElements("property set")


@dataclass
class NodeDefinitions:
    """A node; of several elements with its name, each adds to it."""

    name: str
    load_factor: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    property_sets: NamedElements = field(default_factory=_property_sets)
    servers: list[Node] = field(default_factory=list)

    def add(self, element: Node) -> None:
        """Take over what an element says.

        :raises AdminError: ``descriptor-invalid``
        """
        self.load_factor = element.get("load-factor") or self.load_factor
        for child in element.children():
            match child.tag:
                case "variable":
                    self.variables[child.require("name")] = child.get("value")
                case "properties":
                    self.property_sets.add(set_name(child), child)
                case "server" | "icebox" | "server-instance":
                    self.servers.append(child)


@dataclass
class Definitions:
    """An application."""

    name: str
    variables: dict[str, str] = field(default_factory=dict)
    property_sets: NamedElements = field(default_factory=_property_sets)
    server_templates: NamedElements = field(default_factory=lambda: NamedElements("template"))
    service_templates: NamedElements = field(default_factory=lambda: NamedElements("service template"))
    replica_groups: NamedElements = field(default_factory=lambda: NamedElements("replica group"))
    nodes: dict[str, NodeDefinitions] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    distributions: list[Node] = field(default_factory=list)

    def add(self, child: Node) -> None:
        """Take over one element of the application.

        :raises AdminError: ``descriptor-invalid``
        """
        match child.tag:
            case "variable":
                self.variables[child.require("name")] = child.get("value")
            case "properties":
                self.property_sets.add(set_name(child), child)
            case "server-template":
                self.server_templates.add(child.require("id"), child)
            case "service-template":
                self.service_templates.add(child.require("id"), child)
            case "replica-group":
                self.replica_groups.add(child.require("id"), child)
            case "node":
                name = child.require("name")
                self.nodes.setdefault(name, NodeDefinitions(name)).add(child)
            case "description":
                self.texts.append(child.text)
            case "distrib":
                self.distributions.append(child)


def set_name(element: Node) -> str:
    """Name of a property set, where only sets with a name make sense.

    :raises AdminError: ``descriptor-invalid``
    """
    if "refid" in element.attributes:
        raise element.error("refers to a property set where one is to be defined; properties here need an id")
    return element.require("id")


def only_child(element: Node, *tags: str) -> Node:
    """The one element of these names inside another.

    :raises AdminError: ``descriptor-invalid``
    """
    found = list(element.children(*tags))
    if len(found) != 1:
        raise element.error(f"holds {len(found)} {tags[0]}s where one is needed")
    return found[0]


def parameters(template: Node) -> Mapping[str, Node]:
    """The parameters that a template declares.

    :raises AdminError: ``descriptor-invalid`` where one is declared twice
    """
    declared = NamedElements("parameter")
    for parameter in template.children("parameter"):
        declared.add(parameter.require("name"), parameter)
    return declared.elements


def check_given(instance: Node, declared: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The parameters that an instance gives.

    :raises AdminError: ``descriptor-invalid`` for one that the template doesn't declare
    """
    known = list(declared)
    for name, value in instance.attributes.items():
        if name == "template":
            continue
        if name not in known:
            guess = closest(name, known)
            meant = f"; is {guess} meant?" if guess else ""
            raise instance.error(f"gives {name}, which the template doesn't declare as a parameter{meant}")
        yield name, value
