"""Hosts that aren't there: network namespaces with an address each, joined by a cable that can be pulled.

Root makes them; what runs in them runs as an account without privileges.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.components import require_program
from tests.support.omero import Omero

ACCOUNT = os.environ.get("OMERO_TEST_ACCOUNT") or "nobody"
"""Who runs the servers of tests that need root for something else."""
_CHECKOUT = Path(__file__).resolve().parents[2]
_STATE = """
import dataclasses, json, sys
from pathlib import Path
from omeroadmin.schema.instance import Instance
from omeroadmin.workflows.driver import instance_driver
print(json.dumps(dataclasses.asdict(instance_driver(Instance(Path(sys.argv[1]))).state())))
"""


@dataclass(frozen=True)
class Host:
    """A host.

    :param namespace: its name to ``ip netns``
    :param address: the one that other hosts reach
    :param device: its end of the cable
    :param omero: its instance, and the command line there
    """

    namespace: str
    address: str
    device: str
    omero: Omero

    @property
    def launcher(self) -> tuple[str, ...]:
        """What runs a program on this host, without privileges."""
        return ("ip", "netns", "exec", self.namespace, "runuser", "-u", ACCOUNT, "--")

    def state(self) -> dict[str, Any]:
        """The state of the grid, as this host's instance gets to know it."""
        done = self.python(_STATE, str(self.omero.omerodir))
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def node(self, name: str) -> dict[str, Any] | None:
        """The state of one node."""
        return next((node for node in self.state()["nodes"] if node["name"] == name), None)

    def server(self, identifier: str) -> dict[str, Any]:
        """The state of one server."""
        return next(dict(server) for server in self.state()["servers"] if server["id"] == identifier)

    def python(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python on this host."""
        return subprocess.run(
            [*self.launcher, sys.executable, "-c", code, *arguments],
            env={**self.omero.environment, "PYTHONPATH": str(_CHECKOUT)},
            cwd=self.omero.home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def ip(self, *arguments: str) -> None:
        """Configure its network."""
        _ip("-n", self.namespace, *arguments)

    def link(self, state: str) -> None:
        """Pull the cable out or put it in again.

        :param state: ``down`` or ``up``
        """
        self.ip("link", "set", self.device, state)

    def processes(self) -> list[int]:
        """All processes that run on it."""
        done = subprocess.run(
            ["ip", "netns", "pids", self.namespace], capture_output=True, text=True, check=False, timeout=20
        )
        return [int(word) for word in done.stdout.split()]


@contextlib.contextmanager
def two_hosts(directory: Path) -> Iterator[tuple[Host, Host]]:
    """Two hosts on one cable; whatever runs on them is ended at the end.

    :param directory: of both; it is handed to the account
    """
    require_program("ip", package="iproute2")
    mark = secrets.token_hex(3)
    net = f"10.87.{secrets.randbelow(256)}"
    hosts = [_host(directory, f"{role}-{mark}", f"{net}.{number}") for number, role in enumerate("mw", 1)]
    with contextlib.ExitStack() as stack:
        for host in hosts:
            _add(stack, host)
        first, second = hosts
        _ip("link", "add", first.device, "netns", first.namespace, "type", "veth",
            "peer", "name", second.device, "netns", second.namespace)  # fmt: skip
        for host in hosts:
            host.ip("link", "set", "lo", "up")
            host.ip("addr", "add", f"{host.address}/24", "dev", host.device)
            host.ip("link", "set", host.device, "up")
        yield first, second


def _host(directory: Path, name: str, address: str) -> Host:
    home = directory / name
    home.mkdir()
    shutil.chown(home, ACCOUNT)
    namespace = f"omero-{name}"
    launcher = ("ip", "netns", "exec", namespace, "runuser", "-u", ACCOUNT, "--")
    return Host(namespace, address, f"om{name}", Omero(home, launcher=launcher))


def _add(stack: contextlib.ExitStack, host: Host) -> None:
    done = subprocess.run(["ip", "netns", "add", host.namespace], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no network namespaces here: {done.stderr.strip()}")
    stack.callback(subprocess.run, ["ip", "netns", "del", host.namespace], check=False)
    stack.callback(_end_all, host)


def _end_all(host: Host) -> None:
    account = pwd.getpwnam(ACCOUNT).pw_uid
    for pid in host.processes():
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            if Path(f"/proc/{pid}").stat().st_uid == account:
                os.kill(pid, 9)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, timeout=20)
