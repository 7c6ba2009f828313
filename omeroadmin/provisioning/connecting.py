"""From a host of the inventory to a session with its agent."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.provisioning.inventory import HERE, NO_JUMP, Become, Inventory, InventoryHost
from omeroadmin.provisioning.launch import AgentChannel, Rights
from omeroadmin.provisioning.local_streams import LocalStreams
from omeroadmin.provisioning.session import AgentSession
from omeroadmin.provisioning.ssh_streams import SshStreams
from omeroadmin.system.ssh import SshPool
from omeroadmin.system.ssh_route import SshTarget

_ROOT = "root"


class Connector:
    """Opens sessions; hosts behind the same jump host share the connection to it.

    :param accept_new: whether keys of hosts that are not in known_hosts are recorded there
    :param become: instead of what the inventory says of each host
    """

    def __init__(self, inventory: Inventory, *, accept_new: bool = False, become: Become | None = None) -> None:
        self._inventory = inventory
        self._accept_new = accept_new
        self._become = become
        self._pool = SshPool()

    def open(self, host: InventoryHost) -> AgentSession:
        """Connect, start the agent, hear its greeting. May be called by several threads at a time.

        :raises AdminError: as :class:`~omeroadmin.provisioning.launch.AgentChannel` and
            :meth:`omeroadmin.system.ssh.SshConnection.start`
        """
        connection = self._pool.connection(self.target(host))
        rights = self._rights(host, root=connection.user == _ROOT)
        python = host.connection.python
        try:
            return AgentSession(AgentChannel(host.name, python, rights, lambda words: SshStreams(connection, words)))
        except AdminError as error:
            if error.code != "ssh-host-key-unknown":
                raise
            raise configuration_error(error.code, error.message, f"{error.hint}; or give --accept-new") from error

    def target(self, host: InventoryHost) -> SshTarget:
        """Where it is."""
        way = self._inventory.way_to(host)
        if way is None:
            return self._step(host)
        jumps = [self._step(step) for step in way]
        if way and way[0].connection.jump == NO_JUMP:
            jumps[0] = replace(jumps[0], jumps=())
        return replace(self._step(host), jumps=tuple(jumps))

    def close(self) -> None:
        """Hang up everywhere."""
        self._pool.close()

    def _step(self, host: InventoryHost) -> SshTarget:
        at = host.connection
        return SshTarget(
            at.address, at.port, at.user, at.keys, accept_new=self._accept_new, timeout=at.timeout, label=host.name
        )

    def _rights(self, host: InventoryHost, *, root: bool) -> Rights:
        wanted = self._become or host.connection.become
        # Root is what it would become.
        return Rights(sudo=wanted is Become.SUDO and not root, password=host.connection.sudo_password)


def open_here(host: InventoryHost | None = None, become: Become | None = None) -> AgentSession:
    """A session with an agent on this machine, for ``--local``.

    :param host: what the inventory says of this machine
    :param become: instead of what the inventory says
    :raises AdminError: as :class:`~omeroadmin.provisioning.launch.AgentChannel`
    """
    wanted = become or (host.connection.become if host is not None else Become.NONE)
    password = host.connection.sudo_password if host is not None else None
    rights = Rights(sudo=wanted is Become.SUDO and os.geteuid() != 0, password=password)
    name = host.name if host is not None else HERE
    return AgentSession(AgentChannel(name, sys.executable, rights, LocalStreams))
