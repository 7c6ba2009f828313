"""Runs the installed ``omero`` as a user would: a process of its own, with an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omeroadmin.grid.drivers.embedded import EmbeddedDriver
from omeroadmin.schema.instance import Instance
from omeroadmin.system.sockets import port_is_free


@dataclass
class Omero:
    """An instance, and the command line with it.

    :param home: HOME of the user; holds the instance, its data and the session store
    :param prefix: prefix of the instance's ports
    :param launcher: program and arguments that run the commands, on another host for example
    """

    home: Path
    prefix: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    launcher: tuple[str, ...] = ()

    @property
    def omerodir(self) -> Path:
        """The instance."""
        return self.home / "OMERO.server"

    @property
    def data(self) -> Path:
        """Its binary repository."""
        return self.home / "OMERO"

    @property
    def environment(self) -> dict[str, str]:
        """Variables of the commands: a clean login, plus what coverage needs."""
        passed = {
            name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "PYTHON", "LANG", "LC_"))
        }
        return {
            **passed,
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self.home),
            "OMERODIR": str(self.omerodir),
            **self.extra,
        }

    def run(
        self, *arguments: str, input_text: str = "", timeout: float = 120, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one command, whatever its status."""
        return subprocess.run(
            [*self.launcher, sys.executable, "-m", "omeroadmin", *arguments],
            env={**self.environment, **(environment or {})},
            cwd=self.home,
            input=input_text,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def ok(self, *arguments: str, input_text: str = "", timeout: float = 120) -> str:
        """Run a command that must succeed.

        :return: its stdout
        """
        done = self.run(*arguments, input_text=input_text, timeout=timeout)
        assert done.returncode == 0, f"omero {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """Run a command that must succeed and print a JSON document."""
        return json.loads(self.ok(*arguments))


def free_prefix(start: int = 1) -> str:
    """A prefix whose ports are all free; below 3, they are outside the range of clients' ports."""
    for number in (start, *(other for other in (1, 2) if other != start)):
        if all(port_is_free(int(f"{number}{port}")) for port in (4061, 4063, 4064)):
            return str(number)
    raise AssertionError("the ports 14061-14064 and 24061-24064 are taken")


def install(home: Path, prefix: str, nodes: str = "") -> Omero:
    """An instance with a PostgreSQL of its own, not started.

    :param prefix: of its ports; may be empty
    :param nodes: value of ``omero.server.nodedescriptors``
    """
    omero = Omero(home, prefix)
    home.mkdir(exist_ok=True)
    arguments = ["--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded", "--yes"]
    omero.ok("install", *arguments, *(("--ports-prefix", prefix) if prefix else ()), timeout=300)
    if nodes:
        omero.ok("config", "set", "omero.server.nodedescriptors", nodes)
    return omero


def pids(omero: Omero) -> dict[str, int | None]:
    """Processes of an instance's servers, by the servers' ids."""
    return {server.id: server.pid for server in EmbeddedDriver(Instance(omero.omerodir)).state().servers}
