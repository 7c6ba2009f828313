"""Who keeps the eleven servers running: our own node, ZeroC's IceGrid, supervisor; all on the same instance's files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from omeroadmin.database import embedded
from omeroadmin.grid.application import read_application
from omeroadmin.grid.icegrid.health import ask
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import ServerSpecification
from omeroadmin.grid.node.node import server_environment
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from tests.benchmarks.measure import Program, run, user_environment
from tests.support import peer
from tests.support.components import DEBIAN_PACKAGES, find
from tests.support.omero import Omero
from tests.support.profiles import INSTALLED

_PATIENCE = 120.0
_LOOK = 0.005


class Supervisor(Protocol):
    """What can be measured of all of them."""

    @property
    def name(self) -> str:
        """For the table."""

    @property
    def instance(self) -> Instance:
        """Whose servers they are."""

    @property
    def daemon(self) -> int:
        """Process of the supervisor, whose children the servers are."""

    def start(self) -> float:
        """Start and wait until all servers are ready.

        :return: seconds
        """

    def stop(self) -> float:
        """Stop and wait until nothing runs.

        :return: seconds
        """


@dataclass(frozen=True)
class Grid:
    """``omero admin start`` and ``stop`` with one of the drivers, PostgreSQL included.

    :param driver: value of ``omero.grid.driver``
    """

    name: str
    instance: Instance
    driver: str

    @classmethod
    def install(cls, name: str, driver: str, home: Path, prefix: str) -> Grid:
        """Make an instance as the manual does."""
        home.mkdir()
        omero = Omero(home)
        place = ("--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--ports-prefix", prefix)
        omero.ok("install", *place, "--db", "embedded", "--yes", timeout=300)
        omero.ok("config", "set", "omero.grid.driver", driver)
        return cls(name, Instance(omero.omerodir), driver)

    @property
    def daemon(self) -> int:
        """From its pid file."""
        return int(NodeLayout(self.instance).pid_file.read_text())

    def command(self, *words: str) -> Program:
        """``omero admin …`` for this instance."""
        return Program((INSTALLED, "admin", *words), self.instance.config_xml)

    def start(self) -> float:
        """The command returns when all are ready."""
        return run(self.command("start")) / 1000

    def stop(self) -> float:
        """The command returns when nothing runs."""
        return run(self.command("stop")) / 1000


@dataclass
class Supervisord:
    """supervisor from PyPI, with the commands of the application's descriptor; PostgreSQL runs before it starts.

    :param instance: ran with the embedded node before: the servers' configurations are there
    """

    instance: Instance
    name: str = "supervisor"

    def __post_init__(self) -> None:
        self._layout = NodeLayout(self.instance)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def daemon(self) -> int:
        """The process that was started."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Ready is what the servers themselves say."""
        servers = [one for one in read_application(self.instance.default_xml).servers if one.starts_always]
        configuration = self.instance.var / "supervisord.conf"
        configuration.write_text(self._configuration(servers))
        embedded.start(self.instance, load_settings(self.instance))
        for server in servers:
            self._layout.health_socket(server.identifier).unlink(missing_ok=True)
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "--configuration", configuration],
            env={
                **server_environment(user_environment(self.instance.config_xml), self._layout),
                "PYTHONPATH": str(peer.PEERS),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        waiting = {server.identifier for server in servers}

        def all_ready() -> bool:
            waiting.difference_update([server for server in waiting if self._is_ready(server)])
            return not waiting

        assert wait_until(all_ready, timeout=_PATIENCE, longest_pause=_LOOK), waiting
        return time.perf_counter() - began

    def stop(self) -> float:
        """SIGTERM is what ``supervisorctl shutdown`` comes to."""
        assert self._process is not None
        began = time.perf_counter()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(_PATIENCE)
        taken = time.perf_counter() - began
        embedded.stop(self.instance, load_settings(self.instance))
        return taken

    def _is_ready(self, server: str) -> bool:
        answer = ask(self._layout.health_socket(server))
        return answer is not None and answer.ready

    def _configuration(self, servers: Sequence[ServerSpecification]) -> str:
        var = self.instance.var
        head = f"[supervisord]\nlogfile={var}/log/supervisord.log\npidfile={var}/supervisord.pid\n"
        return head + "".join(self._program(server) for server in servers)

    def _program(self, server: ServerSpecification) -> str:
        own = f"--Ice.Config={self._layout.configuration(server.identifier)}"
        command = " ".join((server.executable, *server.options, own)).replace("%", "%%")
        environment = {**dict(server.environment), "PYTHONPATH": ""}
        values = ",".join(f'{name}="{value}"' for name, value in environment.items()).replace("%", "%%")
        return (
            f"\n[program:{server.identifier}]\ncommand={command}\nenvironment={values}\n"
            f"directory={self.instance.omerodir / server.working_directory}\nautorestart=true\n"
            f"stopwaitsecs={server.deactivation_timeout:g}\n"
        )


@dataclass(frozen=True)
class Replacement:
    """What followed on the end of a process.

    :param another: seconds until there was another one
    :param ready: seconds more until that said that it does its job
    """

    another: float
    ready: float


def kill(supervisor: Supervisor, server: str) -> Replacement:
    """``kill -9`` a server and watch it come back."""
    before = _process_of(supervisor, server)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    began = time.perf_counter()
    after: int | None = None

    def another() -> bool:
        nonlocal after
        after = _process_of(supervisor, server)
        return after not in (None, before)

    assert wait_until(another, timeout=_PATIENCE, first_pause=_LOOK, longest_pause=_LOOK)
    replaced = time.perf_counter()
    socket = NodeLayout(supervisor.instance).health_socket(server)

    def ready() -> bool:
        answer = ask(socket)
        return answer is not None and answer.ready and answer.pid == after

    assert wait_until(ready, timeout=_PATIENCE, first_pause=_LOOK, longest_pause=_LOOK)
    return Replacement(replaced - began, time.perf_counter() - replaced)


def _process_of(supervisor: Supervisor, server: str) -> int | None:
    """Every server's command line ends with the path of its configuration."""
    mark = f"/servers/{server}/config/config"
    for child in psutil.Process(supervisor.daemon).children():
        try:
            if any(word.endswith(mark) for word in child.cmdline()):
                return child.pid
        except psutil.Error:
            continue
    return None


@dataclass(frozen=True)
class Memory:
    """Of an idle grid, in MB.

    :param resident: of the supervisor and the servers, shared pages counted in each
    :param everything: with PostgreSQL, shared pages counted once
    """

    resident: float
    everything: float


def memory(supervisor: Supervisor) -> Memory:
    """Sum it up over all processes."""
    grid = _family(supervisor.daemon)
    postmaster = embedded.status(supervisor.instance).pid
    assert postmaster is not None
    resident = sum(one.memory_info().rss for one in grid)
    everything = sum(one.memory_full_info().pss for one in (*grid, *_family(postmaster)))
    return Memory(resident / 1e6, everything / 1e6)


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def supervisors(directory: Path, prefix: str, *, peers: bool) -> tuple[list[Supervisor], list[str]]:
    """All that can be had on this machine, ours first.

    :return: them, and a line for each that can't be had
    """
    ours = Grid.install("embedded", "embedded", directory / "embedded", prefix)
    found: list[Supervisor] = [ours]
    missing: list[str] = []
    if not peers:
        return found, missing
    lacking = [program for program in ("icegridnode", "icegridadmin") if find(program) is None]
    if lacking:
        missing.append(f"IceGrid isn't measured: {lacking[0]} is missing (Debian: {DEBIAN_PACKAGES[lacking[0]]})")
    else:
        found.append(Grid.install("IceGrid", "icegrid", directory / "icegrid", prefix))
    if peer.PEERS.joinpath("supervisor").is_dir():
        found.append(Supervisord(ours.instance))
    else:
        missing.append(f"supervisor isn't measured: it is not in {peer.PEERS} (contrib/setup/venv.sh .venv-test test)")
    return found, missing
