"""The driver that needs nothing installed: a node daemon of our own for each node, all on this machine."""

from __future__ import annotations

from omeroadmin.errors import usage_error
from omeroadmin.grid import client
from omeroadmin.grid.driver import FirstFailure, LaunchOrders, Watcher
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import MASTER, GridState, NodeState
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
        """All nodes that have ever run here, and their servers.

        :raises AdminError: ``node-silent``
        """
        states = {node: client.grid_state(self._instance, node) for node in self._nodes()}
        return GridState(
            states[MASTER].running,
            tuple(server for state in states.values() for server in state.servers),
            states[MASTER].pid,
            tuple(NodeState(node, state.running, state.pid) for node, state in states.items()),
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
        client.launch(self._instance, orders.registry, file=orders.file, targets=orders.targets, node=orders.node)

    def run_foreground(self, orders: LaunchOrders, watcher: Watcher | None = None) -> str | None:
        """Run a node in this process until it is stopped.

        :param watcher: looks on, and may end it; by default a server that can't start does
        :return: what failed at the start where nobody looks on; ``None`` where it ran until it was asked to stop
        :raises AdminError: ``already-running``, ``port-taken``, ``descriptor-invalid``
        """
        from omeroadmin.grid.node.daemon import Orders, run_foreground

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

    def _nodes(self) -> list[str]:
        """Names of the nodes that have a directory, the master first."""
        found = {path.parent.name for path in self._instance.var.glob("*/*.pid") if path.stem == path.parent.name}
        return [MASTER, *sorted(found - {MASTER})]

    def _node_of(self, server: str) -> str:
        state = self.state()
        found = state.server(server)
        if found is None and state.running:
            known = ", ".join(server.id for server in state.servers)
            raise usage_error("server-unknown", f"there is no server {server!r}", f"known: {known}")
        return MASTER if found is None else found.node
