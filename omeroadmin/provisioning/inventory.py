"""Hosts and their groups, and how they are reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from omeroadmin.provisioning.patterns import ALL, select
from omeroadmin.schema.tree import Node

HERE = "localhost"
"""Name of this machine, where no inventory names it."""
NO_JUMP = "none"
"""Instead of a jump host: straight, whatever the SSH configuration says."""


class Become(StrEnum):
    """How the agent gets the rights of root."""

    NONE = "none"
    SUDO = "sudo"


@dataclass(frozen=True)
class Connection:
    """How a host is reached. What is ``None`` or empty is as the user's SSH configuration says.

    :param address: host name or IP address
    :param keys: files of private keys; relative ones are relative to the inventory, ``~`` is left in
    :param jump: name of the host on the way, or :data:`NO_JUMP`
    :param sudo_password: ``None``: sudo asks for none
    :param python: the program that runs the agent, 3.9 or later
    :param timeout: seconds for the connection, the greeting and the login, each
    """

    address: str
    port: int | None = None
    user: str | None = None
    keys: tuple[str, ...] = ()
    jump: str | None = None
    become: Become = Become.NONE
    sudo_password: str | None = field(default=None, repr=False)
    python: str = "python3"
    timeout: int | None = None


@dataclass(frozen=True)
class InventoryHost:
    """One host.

    :param origin: file and line of its name
    :param groups: all that it is in, also through other groups; parents before children
    :param variables: those of all hosts, of its groups and its own, each as the file has it
    """

    name: str
    origin: str
    groups: tuple[str, ...]
    connection: Connection
    variables: Mapping[str, Node] = field(repr=False)


@dataclass(frozen=True)
class InventoryGroup:
    """One group.

    :param origin: file and line of its name
    :param hosts: those that it names itself
    :param groups: the groups that it is made of
    :param members: all its hosts, in the order of the inventory
    """

    name: str
    origin: str
    hosts: tuple[str, ...]
    groups: tuple[str, ...]
    members: tuple[str, ...]


@dataclass(frozen=True)
class Inventory:
    """All hosts and groups of a file, in its order.

    :param secrets: all values that came by ``!file`` and ``!env``, or whose name says that they are
    """

    path: Path
    hosts: tuple[InventoryHost, ...]
    groups: tuple[InventoryGroup, ...]
    secrets: frozenset[str] = field(repr=False)

    @cached_property
    def by_name(self) -> dict[str, InventoryHost]:
        """Hosts by name."""
        return {host.name: host for host in self.hosts}

    @cached_property
    def _members(self) -> dict[str, frozenset[str]]:
        alone = {host.name: frozenset({host.name}) for host in self.hosts}
        return {
            **alone,
            **{group.name: frozenset(group.members) for group in self.groups},
            ALL: frozenset(alone),
        }

    def select(self, pattern: str = ALL) -> tuple[InventoryHost, ...]:
        """The hosts that a pattern such as ``web,!web2`` selects, in the order of the file; perhaps none.

        :raises AdminError: ``pattern-invalid``, ``host-unknown`` for a part that fits no host and no group
        """
        names = select(pattern, self._members)
        return tuple(host for host in self.hosts if host.name in names)

    def members(self, group: str) -> tuple[InventoryHost, ...]:
        """All hosts of a group, ``all`` included, in the order of the file.

        :raises KeyError: for a group that isn't there
        """
        names = self._members[group]
        return tuple(host for host in self.hosts if host.name in names)

    def way_to(self, host: InventoryHost) -> tuple[InventoryHost, ...] | None:
        """The jump hosts on the way, the first that is connected to first.

        The first one's own way is as the SSH configuration says, unless its ``jump`` is :data:`NO_JUMP`.

        :return: ``None``: as the SSH configuration says
        """
        if host.connection.jump is None:
            return None
        way: list[InventoryHost] = []
        step = host
        while step.connection.jump not in (None, NO_JUMP):
            step = self.by_name[str(step.connection.jump)]
            way.insert(0, step)
        return tuple(way)
