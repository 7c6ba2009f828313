"""Makes descriptions of a descriptor's elements, with the meaning that names have where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from omeroadmin.grid.definitions import NamedElements, check_given, parameters
from omeroadmin.grid.description import Adapter, DatabaseEnvironment, Distribution, WellKnownObject
from omeroadmin.grid.elements import Node
from omeroadmin.grid.expansion import ExpansionError, Scope

_PROFILES = "config.xml"
_MOST_PROPERTIES = 50_000
_DEEPEST_SET = 50
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")

Properties = tuple[tuple[str, str], ...]


def expand(element: Node, scope: Scope, text: str) -> str:
    """A text of an element with all references replaced.

    :raises AdminError: ``descriptor-invalid``
    """
    try:
        return scope.expand(text)
    except ExpansionError as error:
        raise element.error(str(error)) from error


def arguments(instance: Node, template: Node, scope: Scope) -> Mapping[str, str]:
    """Values of a template's parameters: what the instance gives, else the defaults, which may refer to others.

    :raises AdminError: ``descriptor-invalid``
    """
    declared = parameters(template)
    given = {name: expand(instance, scope, value) for name, value in check_given(instance, declared)}
    defaults = {
        name: parameter.get("default")
        for name, parameter in declared.items()
        if name not in given and "default" in parameter.attributes
    }
    for name in declared:
        if name not in given and name not in defaults:
            raise instance.error(f"gives no value for the parameter {name}")
    inner = scope.with_variables(defaults).with_values(given)
    return given | {name: expand(declared[name], inner, f"${{{name}}}") for name in defaults}


@dataclass(frozen=True)
class Place:
    """Where an element is looked at.

    :param scope: what references mean there
    :param property_sets: sets that may be referred to, those of the node before those of the application
    :param groups: replica groups by id
    """

    scope: Scope
    property_sets: tuple[NamedElements, ...]
    groups: NamedElements
    _sets: dict[str, Properties] = field(default_factory=dict, compare=False, repr=False)

    def within(self, values: Mapping[str, str]) -> Place:
        """The same inside of something."""
        return Place(self.scope.with_values(values), self.property_sets, self.groups)

    def attribute(self, element: Node, name: str, default: str = "") -> str:
        """An expanded attribute."""
        return expand(element, self.scope, element.get(name, default))

    def name(self, element: Node, attribute: str) -> str:
        """An expanded attribute that names something.

        :raises AdminError: ``descriptor-invalid`` where nothing is left of it
        """
        text = expand(element, self.scope, element.require(attribute))
        if not text.strip():
            raise element.error(f"has the {attribute} {element.get(attribute)!r}, which is empty")
        return text

    def text(self, element: Node) -> str:
        """The expanded text of an element."""
        return expand(element, self.scope, element.text)

    def choice(self, element: Node, name: str, known: tuple[str, ...], default: str) -> str:
        """An attribute that is one of a few words."""
        text = self.attribute(element, name, default)
        if text not in known:
            raise element.error(f"has the {name} {text!r}, which is none of {', '.join(known)}")
        return text

    def flag(self, element: Node, name: str, default: bool) -> bool:
        """An attribute that is true or false."""
        text = self.attribute(element, name).lower()
        if text and text not in _BOOLEANS:
            raise element.error(f"has the {name} {text!r}, which is neither true nor false")
        return _BOOLEANS.get(text, default)

    def number(self, element: Node, name: str, default: int) -> int:
        """An attribute that is a whole number."""
        text = self.attribute(element, name) or str(default)
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise element.error(f"has the {name} {text!r}, which is not a whole number")
        return int(text)

    def seconds(self, element: Node, name: str, default: float) -> float:
        """An attribute in seconds; 0 or nothing is the default."""
        text = self.attribute(element, name)
        if text and not _SECONDS.fullmatch(text):
            raise element.error(f"has the {name} {text!r}, which is not a number of seconds")
        return float(text or 0) or default

    def environment(self, element: Node) -> tuple[str, str]:
        """A variable of the environment: ``NAME=value``."""
        name, equals, value = self.text(element).partition("=")
        if not equals or not name.strip() or "\0" in name + value:
            raise element.error(f"holds {self.text(element)!r}, which is not NAME=VALUE")
        return name.strip(), value

    def properties(self, *elements: Node) -> Properties:
        """Properties inside elements, one after the other: what each refers to comes before what it holds itself."""
        return tuple(pair for element in elements for pair in self._properties(element, ()))

    def _properties(self, element: Node, seen: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        own: list[Node] = []
        for child in _in_blocks(element):
            if child.tag == "property":
                own.append(child)
            else:
                yield from self._referenced(child, seen)
        for child in own:
            yield self.name(child, "name"), self._value(child)

    def _value(self, element: Node) -> str:
        # The admin's own values are data, the same for the toolkit and the servers: no dollar in them is ours.
        if element.file.name == _PROFILES:
            return element.get("value")
        return expand(element, self.scope, element.get("value"))

    def _referenced(self, reference: Node, seen: tuple[str, ...]) -> Properties:
        if reference.attributes.keys() & {"id", "service"}:
            raise reference.error("has a refid and a name of its own; it can have one")
        name = self.name(reference, "refid")
        if name in seen or len(seen) > _DEEPEST_SET:
            raise reference.error(f"refers to {name} in a circle: {' -> '.join((*seen, name))}")
        if name not in self._sets:
            sets = next((sets for sets in self.property_sets if name in sets.elements), self.property_sets[-1])
            found = sets.find(name, reference)
            self._sets[name] = tuple(self._properties(found, (*seen, name)))
            if sum(map(len, self._sets.values())) > _MOST_PROPERTIES:
                raise reference.error(f"brings more than {_MOST_PROPERTIES} properties together")
        return self._sets[name]

    def adapters(self, element: Node, prefix: str) -> tuple[Adapter, ...]:
        """The adapters of a server or service.

        :param prefix: what their ids begin with
        """
        names = NamedElements("adapter")
        found: list[Adapter] = []
        for child in element.children("adapter"):
            name = self.name(child, "name")
            names.add(name, child)
            group = self.attribute(child, "replica-group")
            if group:
                self.groups.find(group, child)
            adapter = Adapter(
                name,
                self.attribute(child, "id") or f"{prefix}.{name}",
                self.attribute(child, "endpoints"),
                group,
                self.attribute(child, "priority"),
                self.flag(child, "register-process", default=False),
                self.flag(child, "server-lifetime", default=True),
                tuple(self.object(one) for one in child.children("object")),
                tuple(self.object(one) for one in child.children("allocatable")),
            )
            found.append(adapter)
        return tuple(found)

    def object(self, element: Node) -> WellKnownObject:
        """A well-known object."""
        return WellKnownObject(
            self.name(element, "identity"),
            self.attribute(element, "type"),
            self.attribute(element, "property"),
            self.attribute(element, "proxy-options"),
        )

    def databases(self, element: Node) -> tuple[DatabaseEnvironment, ...]:
        """Freeze databases of a server or service."""
        return tuple(
            DatabaseEnvironment(
                self.name(child, "name"),
                self.attribute(child, "home"),
                tuple((self.name(one, "name"), self.attribute(one, "value")) for one in child.children("dbproperty")),
            )
            for child in element.children("dbenv")
        )

    def distribution(self, elements: Iterable[Node]) -> Distribution | None:
        """What IcePatch2 brings; of several, the last one."""
        found = None
        for element in elements:
            directories = tuple(self.text(directory) for directory in element.children("directory"))
            found = Distribution(self.attribute(element, "icepatch"), directories)
        return found


def _in_blocks(element: Node) -> Iterator[Node]:
    """Properties and references inside an element, also those in blocks without a name."""
    for child in element.children("properties", "property"):
        if child.tag == "property" or "refid" in child.attributes:
            yield child
        elif "id" in child.attributes:
            raise child.error("defines a property set where only the application and its nodes may")
        elif "service" not in child.attributes:
            yield from _in_blocks(child)
