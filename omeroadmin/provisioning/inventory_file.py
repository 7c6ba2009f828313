"""Reads the inventory of hosts from YAML."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.provisioning.inventory import NO_JUMP, Become, Connection, Inventory, InventoryGroup, InventoryHost
from omeroadmin.provisioning.inventory_faults import faults
from omeroadmin.provisioning.inventory_secrets import secret_scalars
from omeroadmin.provisioning.inventory_shape import INVENTORY
from omeroadmin.schema.tree import MapNode, Node
from omeroadmin.system.yaml_reader import read_yaml_file

_HINT = "an inventory looks like this: hosts: {omero1: {address: 10.0.0.5, user: admin, become: sudo}}"


def read_inventory(path: Path, environment: Mapping[str, str], *, missing: list[AdminError] | None = None) -> Inventory:
    """The hosts and groups of a file.

    :param environment: variables for ``!env``
    :param missing: where given, takes the errors for secrets that can't be had, which nothing is then known of
    :raises AdminError: ``inventory-missing``, ``host-unknown``, ``group-unknown``, ``name-twice``,
        ``groups-in-circles``, ``jumps-in-circles``, and as :func:`omeroadmin.system.yaml_reader.read_yaml` and
        :func:`omeroadmin.schema.shapes.checked`, each with file and line
    """
    tree = read_tree(path, environment, missing=missing)
    for fault in faults(tree):
        raise fault
    inventory = build(tree, path)
    for fault in circles_of_jumps(inventory):
        raise fault
    return inventory


def read_tree(path: Path, environment: Mapping[str, str], *, missing: list[AdminError] | None = None) -> Node:
    """What stands in the file, whether it is an inventory or not.

    :raises AdminError: ``inventory-missing``, and as :func:`omeroadmin.system.yaml_reader.read_yaml`
    """
    if not os.path.lexists(path):
        raise configuration_error(
            "inventory-missing",
            f"there is no inventory {path}",
            "write the hosts into hosts.yml, or name another file: --inventory FILE, or OMERO_HOSTS",
        )
    return read_yaml_file(path, environment, hint=_HINT, missing=missing)


def build(tree: Node, path: Path) -> Inventory:
    """The inventory of a tree without faults.

    :param path: of the file; relative keys are found beside it
    """
    assert isinstance(tree, MapNode)  # noqa: S101 - it has no faults
    found: dict[str, Any] = INVENTORY.value(tree)
    groups = _groups(found, _names(tree, "groups"))
    inside = {group.name: frozenset(group.members) for group in groups}
    hosts = tuple(
        _host(name, origin, found, [group for group in groups if name in inside[group.name]], path.parent)
        for name, origin in _names(tree, "hosts").items()
    )
    secrets = frozenset(scalar.text for scalar in secret_scalars(tree))
    in_file_order = {name: number for number, name in enumerate(found.get("groups", {}))}
    return Inventory(path, hosts, tuple(sorted(groups, key=lambda group: in_file_order[group.name])), secrets)


def circles_of_jumps(inventory: Inventory) -> Iterator[AdminError]:
    """Jump hosts that are reached through each other: one error for each circle."""
    reached: set[str] = set()
    for host in inventory.hosts:
        way = [host.name]
        while (jump := inventory.by_name[way[-1]].connection.jump) not in (None, NO_JUMP, *reached, *way):
            way.append(str(jump))
        if jump in way:
            circle = " > ".join([*way[way.index(str(jump)) :], str(jump)])
            yield configuration_error(
                "jumps-in-circles",
                f"{host.origin}: jump hosts are reached through each other: {circle}",
                f"say how one of them is reached straight: jump: {NO_JUMP}",
            )
        reached.update(way)


def _names(tree: MapNode, key: str) -> Mapping[str, str]:
    node = tree.members.get(key)
    return node.names if isinstance(node, MapNode) else {}


def _groups(found: dict[str, Any], origins: Mapping[str, str]) -> list[InventoryGroup]:
    """All groups, each after those that it belongs to, else in the order of the file."""
    declared: dict[str, dict[str, Any]] = found.get("groups", {})
    ordered = _parents_first({name: group.get("groups", ()) for name, group in declared.items()})
    members: dict[str, frozenset[str]] = {}
    for name in reversed(ordered):
        group = declared[name]
        members[name] = frozenset(group.get("hosts", ())).union(*(members[child] for child in group.get("groups", ())))
    return [
        InventoryGroup(
            name,
            origins[name],
            tuple(dict.fromkeys(declared[name].get("hosts", ()))),
            tuple(dict.fromkeys(declared[name].get("groups", ()))),
            tuple(host for host in found["hosts"] if host in members[name]),
        )
        for name in ordered
    ]


def _parents_first(children: Mapping[str, Sequence[str]]) -> list[str]:
    """Level by level, and each level in the order of the file."""
    in_file_order = {name: number for number, name in enumerate(children)}
    sorter = TopologicalSorter[str]()
    for name in children:
        sorter.add(name)
        for child in children[name]:
            sorter.add(child, name)
    sorter.prepare()
    ordered: list[str] = []
    while sorter.is_active():
        level = sorted(sorter.get_ready(), key=in_file_order.__getitem__)
        ordered += level
        sorter.done(*level)
    return ordered


def _host(name: str, origin: str, found: dict[str, Any], groups: list[InventoryGroup], base: Path) -> InventoryHost:
    """A host with what it has from all hosts, from its groups in their order, and of its own."""
    own: dict[str, Any] = found["hosts"][name]
    through: list[dict[str, Any]] = [found["groups"][group.name] for group in groups]
    variables: dict[str, Node] = dict(found.get("variables", {}))
    connection: dict[str, Any] = dict(found.get("defaults", {}))
    for group in through:
        variables |= group.get("variables", {})
        connection |= group.get("connection", {})
    if connection.get("jump") == name:
        # A jump host of all hosts isn't one for itself.
        del connection["jump"]
    variables |= own.get("variables", {})
    connection |= {key: value for key, value in own.items() if key != "variables"}
    return InventoryHost(
        name, origin, tuple(group.name for group in groups), _connection(name, connection, base), variables
    )


def _connection(name: str, values: dict[str, Any], base: Path) -> Connection:
    keys = tuple(key if key.startswith("~") else str(base / key) for key in values.pop("key", ()))
    return Connection(
        **{"address": name, **values, "keys": keys, "become": Become(values.get("become", Become.NONE))},
    )
