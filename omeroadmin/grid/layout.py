"""Where a node keeps its files: pure paths below the instance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omeroadmin.grid.model import MASTER
from omeroadmin.schema.instance import Instance
from omeroadmin.system.files import inside


@dataclass(frozen=True)
class NodeLayout:
    """The files of one node of an instance."""

    instance: Instance
    node: str = MASTER

    @property
    def directory(self) -> Path:
        """``var/master``."""
        return self.instance.node_directory(self.node)

    @property
    def pid_file(self) -> Path:
        """Locked by the daemon for as long as it lives."""
        return self.directory / f"{self.node}.pid"

    @property
    def control_socket(self) -> Path:
        """Where the daemon takes commands, mode 0600."""
        return self.directory / "node.sock"

    @property
    def disabled_file(self) -> Path:
        """Which servers an admin disabled."""
        name = "disabled.json" if self.node == MASTER else f"disabled-{self.node}.json"
        return self.instance.registry_directory / name

    @property
    def output_log(self) -> Path:
        """stdout of the node and its servers."""
        return self.instance.log_directory / f"{self.node}.out"

    @property
    def error_log(self) -> Path:
        """stderr of the node and its servers."""
        return self.instance.log_directory / f"{self.node}.err"

    def configuration(self, server: str) -> Path:
        """The configuration file of a server, mode 0600.

        :raises AdminError: ``path-escapes`` if the id leaves the directory
        """
        return inside(self.directory / "servers", f"{server}/config/config")

    def health_socket(self, server: str) -> Path:
        """Where a server says whether it is ready."""
        return inside(self.instance.run_directory, f"{server}.health")

    def local_socket(self, server: str) -> Path:
        """Where a server is reached by the others of this machine."""
        return inside(self.instance.run_directory, f"{server}.sock")

    def failure_file(self, server: str) -> Path:
        """One line that a server leaves when it can't run."""
        return inside(self.instance.run_directory, f"{server}.failure")

    def server_log(self, server: str) -> Path:
        """The log of a server."""
        return inside(self.instance.log_directory, f"{server}.log")
