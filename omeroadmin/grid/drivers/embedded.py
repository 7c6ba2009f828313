"""The driver that needs nothing installed: a node daemon of our own for each node, all on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from omeroadmin.errors import usage_error
from omeroadmin.grid import client
from omeroadmin.grid.driver import DeployReport, FirstFailure, LaunchOrders, Watcher
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import MASTER, GridState, NodeState, ServerSpecification
from omeroadmin.schema.instance import Instance


class EmbeddedDriver:
    """Commands go to each node's own control socket."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    @property
    def name(self) -> str:
        """Its value of ``omero.grid.driver``."""
        return "embedded"

    def state(self) -> GridState:
        """The nodes of the application and those that run all the same, and their servers.

        :raises AdminError: ``node-silent``
        """
        master, elsewhere = client.survey(self._instance)
        states = {MASTER: master, **{node: client.grid_state(self._instance, node) for node in self._running()}}
        servers = [server for state in states.values() for server in state.servers]
        known = {server.id for server in servers}
        down = [server for server in elsewhere if server.id not in known]
        nodes = dict.fromkeys((*states, *(server.node for server in elsewhere)))
        return GridState(
            master.running, (*servers, *down), master.pid, tuple(self._node_state(node, states) for node in nodes)
        )

    def node_process(self, node: str = MASTER) -> int | None:
        """Process of a node, also of one that doesn't answer; ``None`` where there is none."""
        return client.node_process(self._instance, node)

    def ping(self, node: str = MASTER) -> bool:
        """Whether a node answers."""
        return client.ping(self._instance, node)

    def launch(self, orders: LaunchOrders) -> None:
        """Start a node's daemon and return when it takes commands.

        :raises AdminError: ``already-running``, ``port-taken``, ``descriptor-invalid``, ``node-not-started``
        """
        self._tell_others(orders)
        client.launch(self._instance, orders.registry, file=orders.file, targets=orders.targets, node=orders.node)

    def run_foreground(self, orders: LaunchOrders, watcher: Watcher | None = None) -> str | None:
        """Run a node in this process until it is stopped.

        :param watcher: looks on, and may end it; by default a server that can't start does
        :return: what failed at the start where nobody looks on; ``None`` where it ran until it was asked to stop
        :raises AdminError: ``already-running``, ``port-taken``, ``descriptor-invalid``
        """
        from omeroadmin.grid.node.daemon import Orders, run_foreground

        self._tell_others(orders)
        layout = NodeLayout(self._instance, orders.node)
        own = FirstFailure()
        run_foreground(Orders(layout, orders.registry, orders.file, orders.targets), watcher or own)
        return own.failure

    def shutdown(self, node: str = MASTER) -> None:
        """Ask a node to stop its servers and end; returns at once.

        :raises AdminError: ``node-down``, ``node-silent``
        """
        client.shutdown(self._instance, node)

    def start_server(self, server: str) -> None:
        """Start a server and wait until it is ready.

        :raises AdminError: ``node-down``, ``server-unknown``, ``server-disabled``, ``server-not-started``
        """
        client.start_server(self._instance, server, self._node_of(server))

    def stop_server(self, server: str) -> None:
        """Stop a server's process; an enabled server that always runs comes back.

        :raises AdminError: ``node-down``, ``server-unknown``
        """
        client.stop_server(self._instance, server, self._node_of(server))

    def enable_server(self, server: str) -> None:
        """Let a server be started again.

        :raises AdminError: ``node-down``, ``server-unknown``
        """
        client.enable_server(self._instance, server, self._node_of(server))

    def disable_server(self, server: str) -> None:
        """Don't start a server any more, also after a restart of the node; a running process goes on.

        :raises AdminError: ``node-down``, ``server-unknown``
        """
        client.disable_server(self._instance, server, self._node_of(server))

    def signal_server(self, server: str, signal: str) -> None:
        """Send a signal to a server's process.

        :raises AdminError: ``node-down``, ``server-unknown``, ``server-not-running``, ``signal-unknown``
        """
        client.signal_server(self._instance, server, signal, self._node_of(server))

    def deploy(self, file: Path, targets: Sequence[str] = ()) -> DeployReport:
        """Hand an application to the running nodes; only servers whose specification has changed are restarted.

        :raises AdminError: ``node-down``, ``node-silent``, ``descriptor-invalid``
        """
        others = self._running()
        # The master is asked first: what it refuses, nobody gets.
        client.deploy(self._instance, file, targets, preview=True)
        # A server may have moved: no node starts it before the other has stopped it.
        first = [client.deploy(self._instance, file, targets, node, only_remove=True) for node in (MASTER, *others)]
        second = [client.deploy(self._instance, file, targets, node) for node in (MASTER, *others)]
        return _merged((*first, *second))

    def preview(self, file: Path, targets: Sequence[str] = ()) -> DeployReport:
        """What :meth:`deploy` would do.

        :raises AdminError: as :meth:`deploy`
        """
        nodes = (MASTER, *self._running())
        return _merged([client.deploy(self._instance, file, targets, node, preview=True) for node in nodes])

    def application(self) -> client.DeployedApplication:
        """What the master runs.

        :raises AdminError: ``node-down``, ``node-silent``
        """
        return client.application(self._instance)

    def specification(self, server: str) -> ServerSpecification:
        """What a server was given; its node must be up.

        :raises AdminError: ``node-down``, ``server-unknown``
        """
        return client.describe(self._instance, server, self._node_of(server))

    def _tell_others(self, orders: LaunchOrders) -> None:
        """Nodes that went on without the master get its application, as IceGrid's do."""
        if orders.node == MASTER and self.node_process() is None:
            for node in self._running():
                client.deploy(self._instance, orders.file, orders.targets, node)

    def _node_state(self, node: str, states: Mapping[str, GridState]) -> NodeState:
        state = states.get(node, GridState(False))
        return NodeState(node, state.running, state.pid, os.uname().nodename)

    def _running(self) -> list[str]:
        """Names of the nodes other than the master that run."""
        found = {path.parent.name for path in self._instance.var.glob("*/*.pid") if path.stem == path.parent.name}
        return [node for node in sorted(found - {MASTER}) if self.node_process(node) is not None]

    def _node_of(self, server: str) -> str:
        state = self.state()
        found = state.server(server)
        if found is None and state.running:
            known = ", ".join(server.id for server in state.servers)
            raise usage_error("server-unknown", f"there is no server {server!r}", f"known: {known}")
        return MASTER if found is None else found.node


def _merged(reports: Iterable[DeployReport]) -> DeployReport:
    """The reports of several nodes as one; a server that left one node for another was restarted."""
    given, names = list(reports), ("started", "restarted", "stopped", "updated")
    lists = {name: [server for report in given for server in getattr(report, name)] for name in names}
    moved = set(lists["started"]) & set(lists["stopped"])
    return DeployReport(
        tuple(server for server in lists["started"] if server not in moved),
        (*lists["restarted"], *(server for server in lists["started"] if server in moved)),
        tuple(server for server in lists["stopped"] if server not in moved),
        tuple(lists["updated"]),
    )
