"""Which elements and attributes an IceGrid descriptor may have, and what is wrong with one that has others."""

from __future__ import annotations

from dataclasses import dataclass, field

from omeroadmin.grid.elements import Node, closest

_ANYWHERE = frozenset({"target", "include", "description"})


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True)
class Shape:
    """What an element may hold.

    :param required: attributes that it must have
    :param optional: attributes that it may have
    :param children: elements inside it, besides those that may stand anywhere
    :param parameters: whether further attributes are parameters of a template
    """

    required: frozenset[str] = field(default_factory=frozenset)
    optional: frozenset[str] = field(default_factory=frozenset)
    children: frozenset[str] = field(default_factory=frozenset)
    parameters: bool = False


_SERVER = _words("option env property properties adapter dbenv log distrib allocatable")
_SERVER_ATTRIBUTES = _words(
    "pwd user activation activation-timeout deactivation-timeout application-distrib allocatable ice-version"
)

SHAPES: dict[str, Shape] = {
    "icegrid": Shape(children=_words("application")),
    "application": Shape(
        _words("name"),
        _words("import-default-templates"),
        _words("variable properties server-template service-template replica-group node distrib"),
    ),
    "node": Shape(
        _words("name"), _words("load-factor"), _words("variable properties server icebox server-instance distrib")
    ),
    "variable": Shape(_words("name"), _words("value")),
    "properties": Shape(optional=_words("id refid service"), children=_words("property properties")),
    "property": Shape(_words("name"), _words("value")),
    "server-template": Shape(_words("id"), children=_words("parameter server icebox")),
    "service-template": Shape(_words("id"), children=_words("parameter service")),
    "parameter": Shape(_words("name"), _words("default")),
    "server": Shape(_words("id exe"), _SERVER_ATTRIBUTES, _SERVER),
    "icebox": Shape(_words("id exe"), _SERVER_ATTRIBUTES, _SERVER | _words("service service-instance")),
    "service": Shape(_words("name entry"), children=_words("property properties adapter dbenv log")),
    "server-instance": Shape(_words("template"), children=_words("properties"), parameters=True),
    "service-instance": Shape(_words("template"), children=_words("properties"), parameters=True),
    "adapter": Shape(
        _words("name"),
        _words("endpoints id priority register-process replica-group server-lifetime wait-for-activation"),
        _words("object allocatable"),
    ),
    "object": Shape(_words("identity"), _words("type property proxy-options")),
    "allocatable": Shape(_words("identity"), _words("type property proxy-options")),
    "replica-group": Shape(_words("id"), _words("proxy-options filter"), _words("load-balancing object")),
    "load-balancing": Shape(_words("type"), _words("load-sample n-replicas")),
    "dbenv": Shape(_words("name"), _words("home"), _words("dbproperty")),
    "dbproperty": Shape(_words("name"), _words("value")),
    "log": Shape(_words("path"), _words("property")),
    "distrib": Shape(optional=_words("icepatch"), children=_words("directory")),
    "directory": Shape(),
    "option": Shape(),
    "env": Shape(),
    "description": Shape(),
    "target": Shape(_words("name")),
    "include": Shape(_words("file"), _words("targets")),
}
"""By name. A target and an included file hold what may stand where they are."""


def check(application: Node) -> None:
    """See that all elements and attributes of an application are known, those of unwanted targets as well.

    :raises AdminError: ``descriptor-invalid`` with file, line and element
    """
    _check_attributes(application, SHAPES["application"])
    _check_children(application, "application")


def _check_children(node: Node, inside: str) -> None:
    allowed = SHAPES[inside].children | _ANYWHERE
    for child in node.everything():
        if child.tag not in allowed:
            raise child.error(_misplaced(child.tag, inside, allowed))
        shape = SHAPES[child.tag]
        _check_attributes(child, shape)
        match child.tag:
            case "target":
                _check_children(child, inside)
            case "include":
                _check_children(child.included(), inside)
            case tag:
                _check_children(child, tag)


def _misplaced(tag: str, inside: str, allowed: frozenset[str]) -> str:
    if tag in SHAPES:
        return f"doesn't belong inside <{inside}>"
    guess = closest(tag, allowed)
    return f"is not known{f'; is <{guess}> meant?' if guess else f' inside <{inside}>'}"


def _check_attributes(node: Node, shape: Shape) -> None:
    for name in sorted(shape.required):
        if not node.require(name).strip():
            raise node.error(f"has an empty attribute {name}")
    unknown = node.attributes.keys() - shape.required - shape.optional
    if unknown and not shape.parameters:
        name = min(unknown)
        guess = closest(name, shape.required | shape.optional)
        raise node.error(f"has the unknown attribute {name}" + (f"; is {guess} meant?" if guess else ""))
