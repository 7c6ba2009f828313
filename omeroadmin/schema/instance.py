"""Where an instance keeps its files: pure paths, one place for all layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Instance:
    """The disk layout below ``OMERODIR``; knows names, touches nothing."""

    omerodir: Path

    @property
    def etc(self) -> Path:
        """Configuration, mode 0700."""
        return self.omerodir / "etc"

    @property
    def grid_directory(self) -> Path:
        """IceGrid descriptors and config.xml."""
        return self.etc / "grid"

    @property
    def config_xml(self) -> Path:
        """Profiles of properties: the admin's own settings."""
        return self.grid_directory / "config.xml"

    @property
    def default_xml(self) -> Path:
        """The application descriptor."""
        return self.grid_directory / "default.xml"

    @property
    def templates_xml(self) -> Path:
        """Server templates and property sets."""
        return self.grid_directory / "templates.xml"

    @property
    def internal_cfg(self) -> Path:
        """Locator of the grid's registry; its absence means "never started"."""
        return self.etc / "internal.cfg"

    @property
    def master_cfg(self) -> Path:
        """Settings of the master node and the registry."""
        return self.etc / "master.cfg"

    @property
    def ice_config(self) -> Path:
        """Defaults for clients."""
        return self.etc / "ice.config"

    @property
    def error_pages(self) -> Path:
        """nginx's maintenance page."""
        return self.etc / "templates" / "error"

    @property
    def root_password_file(self) -> Path:
        """The generated password of user root, mode 0600."""
        return self.etc / "root_password"

    @property
    def grid_token_file(self) -> Path:
        """What servers on other hosts know the master by and it them, mode 0600."""
        return self.etc / "grid_token"

    @property
    def var(self) -> Path:
        """State, logs and temporary files, mode 0700."""
        return self.omerodir / "var"

    @property
    def log_directory(self) -> Path:
        """One log per server, master.out and master.err."""
        return self.var / "log"

    @property
    def temporary_directory(self) -> Path:
        """Scratch space of the servers."""
        return self.var / "tmp"

    @property
    def run_directory(self) -> Path:
        """Sockets of the running servers, mode 0700."""
        return self.var / "run"

    @property
    def registry_directory(self) -> Path:
        """The registry's data: which servers are disabled."""
        return self.var / "registry"

    def node_directory(self, node: str) -> Path:
        """Data of one node: pid file and the configuration of each of its servers."""
        return self.var / node

    @property
    def static_directory(self) -> Path:
        """OMERO.web's collected static files."""
        return self.var / "static"

    @property
    def embedded_database(self) -> Path:
        """Cluster of the embedded PostgreSQL, mode 0700."""
        return self.var / "postgresql"

    @property
    def scripts_directory(self) -> Path:
        """Scripts that Processor runs."""
        return self.omerodir / "lib" / "scripts"

    @property
    def server_jars(self) -> Path:
        """Jars of a real distribution; a reference instance has none."""
        return self.omerodir / "lib" / "server"

    @property
    def is_distribution(self) -> bool:
        """Whether this is a real OMERO.server tree."""
        return self.server_jars.is_dir()
