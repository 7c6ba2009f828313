"""An instance whose servers are test programs, and its node daemon."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

from omeroadmin.grid import client
from omeroadmin.grid.driver import LaunchOrders
from omeroadmin.grid.drivers.embedded import EmbeddedDriver
from omeroadmin.grid.model import MASTER, GridState, ServerState
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


class Grid:
    """A node with servers in given modes of :mod:`tests.support.grid_server`.

    :param modes: by server id; ``manual:MODE`` for a server that isn't started by itself
    """

    def __init__(self, directory: Path, modes: Mapping[str, str], attributes: str = "") -> None:
        self.instance = Instance(directory / "OMERO.server")
        self.port = free_port()
        self.instance.grid_directory.mkdir(parents=True)
        self.instance.default_xml.write_text(descriptor(modes, attributes))

    def launch(self, node: str = MASTER) -> None:
        self.driver.launch(LaunchOrders(("127.0.0.1", self.port), self.instance.default_xml, node=node))

    def describe(
        self,
        modes: Mapping[str, str],
        attributes: str = "",
        properties: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Path:
        """Write another descriptor."""
        self.instance.default_xml.write_text(descriptor(modes, attributes, properties))
        return self.instance.default_xml

    @property
    def driver(self) -> EmbeddedDriver:
        return EmbeddedDriver(self.instance)

    @property
    def state(self) -> GridState:
        return self.driver.state()

    def pids(self) -> dict[str, int | None]:
        """The processes of all servers."""
        return {server.id: server.pid for server in self.state.servers}

    def server(self, identifier: str) -> ServerState:
        found = self.state.server(identifier)
        assert found is not None
        return found

    def wait(self, identifier: str, condition: Callable[[ServerState], bool], timeout: float = 20) -> ServerState:
        """Wait until a server is as it should be."""
        assert wait_until(lambda: condition(self.server(identifier)), timeout=timeout, longest_pause=0.05), (
            f"{self.server(identifier)}\n{self.log}"
        )
        return self.server(identifier)

    def wait_active(self, identifier: str) -> ServerState:
        return self.wait(identifier, lambda server: server.is_active)

    @property
    def log(self) -> str:
        path = self.instance.log_directory / "master.err"
        return path.read_text() if path.exists() else ""

    def stop(self) -> None:
        """End all daemons, whatever their state."""
        nodes = [path.stem for path in self.instance.var.glob("*/*.pid") if path.stem == path.parent.name]
        for node in sorted(nodes, key=lambda name: name == MASTER):
            self.stop_node(node)

    def stop_node(self, node: str) -> None:
        """End a daemon, whatever its state."""
        if client.ping(self.instance, node):
            client.shutdown(self.instance, node)
        if not wait_until(lambda: client.node_process(self.instance, node) is None, timeout=30):
            os.kill(client.node_process(self.instance, node) or 0, signal.SIGKILL)


@contextlib.contextmanager
def running_grid(directory: Path, modes: Mapping[str, str], attributes: str = "") -> Iterator[Grid]:
    """A running node; it is gone after the block."""
    grid = Grid(directory, modes, attributes)
    grid.launch()
    try:
        yield grid
    finally:
        grid.stop()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but wasn't reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def descriptor(
    modes: Mapping[str, str],
    attributes: str = "",
    properties: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """An application with one server for each mode.

    :param modes: ``ok``, ``manual:ok``; the id may begin with a node: ``node1/Processor-1``
    :param properties: of servers, by their ids; under ``*`` of all
    """
    nodes: dict[str, list[str]] = {"master": []}
    properties = properties or {}
    for place, mode in modes.items():
        node, _, identifier = place.rpartition("/")
        activation, _, name = mode.rpartition(":")
        own = {"omero.example": "a = b", **properties.get("*", {}), **properties.get(identifier, {})}
        values = "".join(f"<property name={quoteattr(key)} value={quoteattr(own[key])}/>" for key in own)
        nodes.setdefault(node or "master", []).append(
            f'<server id={quoteattr(identifier)} exe="{sys.executable}" activation="{activation or "always"}" pwd="."'
            f" {attributes}><option>-m</option><option>tests.support.grid_server</option><option>{name}</option>"
            f"<env>PYTHONPATH={ROOT}</env>{values}</server>"
        )
    text = "".join(f"<node name={quoteattr(node)}>{''.join(servers)}</node>" for node, servers in nodes.items())
    return f'<icegrid><application name="OMERO">{text}</application></icegrid>'
