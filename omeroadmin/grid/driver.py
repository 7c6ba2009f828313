"""Who supervises the servers of an instance: one interface, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from omeroadmin.errors import configuration_error
from omeroadmin.grid.model import MASTER, GridState
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings

DRIVER = "omero.grid.driver"


@dataclass(frozen=True)
class LaunchOrders:
    """What a node is to run.

    :param registry: host and port of the registry
    :param file: the application descriptor
    :param targets: wanted targets of the descriptor, e.g. ``debug``
    :param node: name of the node
    """

    registry: tuple[str, int]
    file: Path
    targets: tuple[str, ...] = ()
    node: str = MASTER


@dataclass(frozen=True)
class DeployReport:
    """What a deployment has done to the servers of a running grid, by their ids.

    :param started: those that are new
    :param restarted: those whose specification has changed
    :param stopped: those that are no more
    :param updated: those whose specification has changed and that don't run
    """

    started: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.started or self.restarted or self.stopped)

    def describe(self) -> str:
        """In one line: ``restarted Blitz-0, Indexer-0; stopped Tables-0``."""
        parts = (("started", self.started), ("restarted", self.restarted), ("stopped", self.stopped))
        return "; ".join(f"{what} {', '.join(servers)}" for what, servers in parts if servers) or "nothing has changed"


class Watcher(Protocol):
    """Looks on while a node runs in this process. Its methods must be quick: the node waits for them."""

    def look(self, state: GridState) -> bool:
        """See the servers as they are; called several times a second.

        :return: whether the node is to go on
        """
        ...

    def stopping(self) -> None:
        """Know that the node was asked to stop."""
        ...


class FirstFailure:
    """A watcher for which a server that can't start ends the node.

    :ivar failure: what failed for good before all servers were ready
    """

    def __init__(self) -> None:
        self.failure: str | None = None
        self._started = False

    def look(self, state: GridState) -> bool:
        """See whether a server has failed during the start."""
        if self._started or not state.running:
            return True
        failed = next((server for server in state.servers if server.has_failed), None)
        if failed is not None:
            self.failure = f"{failed.id}: {failed.reason}"
            return False
        self._started = not any(server.is_awaited for server in state.servers)
        return True

    def stopping(self) -> None:
        """Nothing depends on it."""


class GridDriver(Protocol):
    """Starts nodes, tells what runs, and carries out what an admin wants of a server."""

    @property
    def name(self) -> str:
        """``embedded`` or ``icegrid``."""
        ...

    def state(self) -> GridState:
        """All nodes and all servers; not running where the master doesn't answer.

        :raises AdminError: ``node-silent``
        """
        ...

    def node_process(self, node: str = MASTER) -> int | None:
        """Process of a node of this machine, also of one that doesn't answer; ``None`` where there is none."""
        ...

    def ping(self, node: str = MASTER) -> bool:
        """Whether a node answers."""
        ...

    def launch(self, orders: LaunchOrders) -> None:
        """Start a node's daemon and return when it takes commands.

        :raises AdminError: ``already-running``, ``port-taken``, ``descriptor-invalid``, ``node-not-started``,
            ``node-unknown``
        """
        ...

    def run_foreground(self, orders: LaunchOrders, watcher: Watcher | None = None) -> str | None:
        """Run a node in this process until it is stopped.

        :param watcher: looks on, and may end it; by default a server that can't start does
        :return: what failed at the start where nobody looks on; ``None`` where it ran until it was asked to stop
        :raises AdminError: as :meth:`launch`
        """
        ...

    def shutdown(self, node: str = MASTER) -> None:
        """Ask a node to stop its servers and end; returns at once.

        :raises AdminError: ``node-down``, ``node-silent``
        """
        ...

    def deploy(self, file: Path, targets: Sequence[str] = ()) -> DeployReport:
        """Hand an application to the running grid; only servers whose specification has changed are restarted.

        :raises AdminError: ``node-down``, ``node-silent``, ``descriptor-invalid``
        """
        ...

    def preview(self, file: Path, targets: Sequence[str] = ()) -> DeployReport:
        """What :meth:`deploy` would do.

        :raises AdminError: as :meth:`deploy`
        """
        ...

    def start_server(self, server: str) -> None:
        """Start a server and wait until it is ready.

        :raises AdminError: ``node-down``, ``server-unknown``, ``server-disabled``, ``server-not-started``
        """
        ...

    def stop_server(self, server: str) -> None:
        """Stop a server's process; an enabled server that always runs comes back.

        :raises AdminError: ``node-down``, ``server-unknown``
        """
        ...

    def enable_server(self, server: str) -> None:
        """Let a server be started again.

        :raises AdminError: ``node-down``, ``server-unknown``
        """
        ...

    def disable_server(self, server: str) -> None:
        """Don't start a server any more, also after a restart of the node; a running process goes on.

        :raises AdminError: ``node-down``, ``server-unknown``
        """
        ...

    def signal_server(self, server: str, signal: str) -> None:
        """Send a signal to a server's process.

        :param signal: name or number
        :raises AdminError: ``node-down``, ``server-unknown``, ``server-not-running``, ``signal-unknown``
        """
        ...


def driver_for(instance: Instance, settings: Settings) -> GridDriver:
    """The driver that ``omero.grid.driver`` names; ``auto`` is the embedded one.

    :raises AdminError: ``setting-invalid``
    """
    match settings.text(DRIVER).strip():
        case "" | "auto" | "embedded":
            from omeroadmin.grid.drivers.embedded import EmbeddedDriver

            return EmbeddedDriver(instance)
        case "icegrid":
            from omeroadmin.grid.drivers.icegrid import IceGridDriver

            return IceGridDriver(instance)
    raise configuration_error(
        "setting-invalid",
        f"{DRIVER} is {settings.text(DRIVER)!r}; known are auto, embedded and icegrid",
        f"omero config set {DRIVER} auto",
    )
