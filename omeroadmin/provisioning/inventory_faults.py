"""What is wrong with an inventory, as far as the file alone can tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.provisioning.inventory import NO_JUMP
from omeroadmin.provisioning.inventory_shape import INVENTORY
from omeroadmin.schema.shapes import nearest
from omeroadmin.schema.tree import ListNode, MapNode, Node, ScalarNode

_NOTHING: Mapping[str, Node] = {}


def faults(tree: Node) -> Iterator[AdminError]:
    """All that is wrong, in the order of the file: first keys and values, and if these are right, the references."""
    wrong = list(INVENTORY.faults(tree, ""))
    if wrong or not isinstance(tree, MapNode):
        yield from wrong
        return
    hosts, groups = _members(tree, "hosts"), _members(tree, "groups")
    yield from _names_of_both(tree, hosts)
    for name, group in groups.items():
        for mention in _mentions(group, "hosts"):
            if mention.text not in hosts:
                yield _unknown("host", mention, f"group {name}", hosts)
        for mention in _mentions(group, "groups"):
            if mention.text not in groups:
                yield _unknown("group", mention, f"group {name}", groups)
    for place, mention in _jumps(tree, hosts, groups):
        if mention.text not in hosts:
            yield _unknown("host", mention, f"jump of {place}", hosts)
    yield from _circle_of_groups(tree, groups)


def _members(tree: Node, key: str) -> Mapping[str, Node]:
    node = tree.members.get(key) if isinstance(tree, MapNode) else None
    return node.members if isinstance(node, MapNode) else _NOTHING


def _mentions(tree: Node, key: str) -> Iterator[ScalarNode]:
    """The names in a list, or the one that stands for it."""
    node = tree.members.get(key) if isinstance(tree, MapNode) else None
    for item in node.items if isinstance(node, ListNode) else (node,):
        if isinstance(item, ScalarNode) and not item.is_null and not item.missing:
            yield item


def _names_of_both(tree: MapNode, hosts: Mapping[str, Node]) -> Iterator[AdminError]:
    groups = tree.members.get("groups")
    for name, origin in groups.names.items() if isinstance(groups, MapNode) else ():
        if name in hosts:
            yield configuration_error(
                "name-twice", f"{origin}: {name!r} is a host and a group", "give the group another name"
            )


def _jumps(tree: MapNode, hosts: Mapping[str, Node], groups: Mapping[str, Node]) -> Iterator[tuple[str, ScalarNode]]:
    places = [("defaults", tree.members.get("defaults"))]
    places += [(f"group {name}", _child(group, "connection")) for name, group in groups.items()]
    places += [(f"host {name}", host) for name, host in hosts.items()]
    for place, node in places:
        for mention in _mentions(node, "jump") if node is not None else ():
            if mention.text != NO_JUMP:
                yield place, mention


def _child(node: Node, key: str) -> Node | None:
    return node.members.get(key) if isinstance(node, MapNode) else None


def _circle_of_groups(tree: MapNode, groups: Mapping[str, Node]) -> Iterator[AdminError]:
    sorter = TopologicalSorter[str]()
    for name, group in groups.items():
        sorter.add(name, *(mention.text for mention in _mentions(group, "groups")))
    try:
        sorter.prepare()
    except CycleError as error:
        # Each of them is made of the one before it.
        circle: list[str] = error.args[1][::-1]
        named = tree.members["groups"]
        origin = named.names[circle[0]] if isinstance(named, MapNode) else tree.origin
        yield configuration_error(
            "groups-in-circles",
            f"{origin}: groups are made of each other: {' > '.join(circle)}",
            "take one of them out",
        )


def _unknown(what: str, mention: ScalarNode, place: str, known: Mapping[str, Node]) -> AdminError:
    near = nearest(mention.text, known)
    shown = "what a variable or file says" if mention.is_secret else repr(mention.text)
    hint = f"did you mean {near}?" if near else f"write it below {what}s: first"
    return configuration_error(f"{what}-unknown", f"{mention.origin}: {shown}, in the {place}, is no {what}", hint)
