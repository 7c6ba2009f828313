"""What every server is handed: who it is, its settings, its log, its health, and when to stop."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.runtime.kernel.endpoint import GridEndpoint
from omeroadmin.runtime.kernel.health import Health
from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings


@dataclass(frozen=True)
class ServiceContext:
    """The surroundings of one server process.

    :param kind: e.g. ``Blitz``
    :param server_id: e.g. ``Blitz-0``
    :param settings: the properties of its configuration file over the catalog's defaults
    :param heap_bytes: value of ``-Xmx``
    :param stop: set when the node daemon wants the server to end
    :param health: the server must call ``health.ready()`` when it does its job
    """

    kind: str
    server_id: str
    instance: Instance
    settings: Settings
    heap_bytes: int | None
    stop: Stop
    health: Health
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("omeroadmin.runtime"))

    @property
    def endpoint(self) -> GridEndpoint | None:
        """The way to the master's sockets from another host; ``None`` where the grid has none.

        :raises AdminError: ``setting-invalid``
        """
        return GridEndpoint.from_settings(self.settings)

    def socket_path(self, suffix: str = "") -> Path:
        """Path of a local socket of this server: ``var/run/<server id><suffix>.sock``."""
        return self.instance.run_directory / f"{self.server_id}{suffix}.sock"

    def logger(self, name: str) -> logging.Logger:
        """A logger below this server's, e.g. ``omero.blitz.imports`` for ``imports``."""
        return logging.getLogger(f"omero.{self.kind.lower()}.{name}")
