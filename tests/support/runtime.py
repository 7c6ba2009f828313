"""Starts servers of the reference runtime as real processes, waits for their health and stops them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omeroadmin.grid.properties import properties_text
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from omeroadmin.system.sockets import connect_unix


@dataclass
class Server:
    """One server process.

    :param kind: e.g. ``Blitz``
    :param server_id: e.g. ``Blitz-0``
    """

    kind: str
    server_id: str
    instance: Instance
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> Path:
        """Its log."""
        return self.instance.log_directory / f"{self.server_id}.log"

    @property
    def failure(self) -> str:
        """Why it doesn't run; empty where it didn't say."""
        path = self.instance.run_directory / f"{self.server_id}.failure"
        return path.read_text().strip() if path.exists() else ""

    def health(self) -> dict[str, Any] | None:
        """What its health socket says; ``None`` while nobody listens."""
        path = self.instance.run_directory / f"{self.server_id}.health"
        try:
            with connect_unix(path, timeout=5) as connection, connection.makefile() as stream:
                line = stream.readline()
        except OSError:
            return None
        return dict(json.loads(line)) if line else None

    def is_ready(self) -> bool:
        """Whether it says that it does its job."""
        health = self.health()
        return health is not None and bool(health["ready"])

    def wait_ready(self, timeout: float = 30) -> Server:
        """Wait until it does its job, or fail with the end of its log."""
        ended = False

        def settled() -> bool:
            nonlocal ended
            ended = self.process.poll() is not None
            return ended or self.is_ready()

        assert wait_until(settled, timeout=timeout), f"{self.server_id} isn't ready: {self.health()}\n{self.tail()}"
        assert not ended, f"{self.server_id} ended with {self.process.returncode}\n{self.tail()}"
        return self

    def tail(self) -> str:
        """End of its log."""
        return self.log.read_text()[-4000:] if self.log.exists() else "(no log)"

    def stop(self, timeout: float = 20) -> int:
        """Stop it as the node daemon does.

        :return: its exit status
        """
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout)

    def kill(self) -> None:
        """End it without warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


@dataclass
class Runtime:
    """An instance directory and the servers that were started in it.

    :param omerodir: the instance; directories are made as needed
    :param properties: properties of all servers, as an active profile has them
    """

    omerodir: Path
    properties: dict[str, str] = field(default_factory=dict)
    servers: list[Server] = field(default_factory=list)

    @property
    def instance(self) -> Instance:
        """Its paths."""
        return Instance(self.omerodir)

    def start(
        self,
        kind: str,
        server_id: str,
        *options: str,
        properties: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> Server:
        """Start a server with its configuration file.

        :param options: e.g. ``-Xmx512m``
        :param properties: properties of this server alone
        :param wait: whether to wait until it is ready
        """
        directory = self.instance.node_directory("master") / "servers" / server_id / "config"
        directory.mkdir(parents=True, exist_ok=True)
        everything = {
            "Ice.ServerId": server_id,
            "Ice.Admin.ServerId": server_id,
            **self.properties,
            **(properties or {}),
        }
        config = directory / "config"
        config.write_text(properties_text(everything.items()))
        config.chmod(0o600)
        process = subprocess.Popen(
            [sys.executable, "-m", "omeroadmin.runtime", kind, *options, f"--Ice.Config={config}"],
            cwd=self.omerodir,
            env={**os.environ, "OMERODIR": str(self.omerodir)},
            stdin=subprocess.DEVNULL,
        )
        server = Server(kind, server_id, self.instance, process)
        self.servers.append(server)
        return server.wait_ready() if wait else server

    def stop(self) -> None:
        """Stop all servers, the last one first; kill what doesn't stop."""
        for server in reversed(self.servers):
            try:
                server.stop()
            except subprocess.TimeoutExpired:
                server.kill()


@contextlib.contextmanager
def running(omerodir: Path, properties: Mapping[str, str]) -> Iterator[Runtime]:
    """A runtime whose servers are stopped at the end of the block."""
    omerodir.mkdir(parents=True, exist_ok=True)
    runtime = Runtime(omerodir, dict(properties))
    try:
        yield runtime
    finally:
        runtime.stop()
