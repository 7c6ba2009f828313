"""A grid of two hosts with addresses of their own: Processor on the worker, and a cable that is pulled and put back."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.runtime.kernel.client import UnixConnection
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from tests.support.components import require_program
from tests.support.hosts import ACCOUNT, Host, two_hosts
from tests.support.liveserver import Api

pytestmark = [
    pytest.mark.root,
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes network namespaces"),
]

LEASE = 20
ELSEWHERE = "worker:Processor-0"
HERE = "master:Blitz-0,Indexer-0,DropBox,MonitorServer,FileServer,Storm,PixelData-0,Tables-0"
SCRIPT = """
import http.client, json, os, socket, sys, time
job = json.load(sys.stdin)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    probe.connect((job["inputs"]["master"], 9))
    print("runs at", probe.getsockname()[0], flush=True)
connection = http.client.HTTPConnection("localhost", timeout=20)
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.settimeout(20)
directory, name = os.path.split(job["api"])
here = os.open(directory, os.O_RDONLY)
connection.sock.connect(f"/proc/self/fd/{here}/{name}")
connection.request("GET", "/api/v0/sessions/current", headers={"Authorization": f"Bearer {job['session']}"})
print("for", json.load(connection.getresponse())["user"], flush=True)
open("has-asked", "w").close()
time.sleep(job["inputs"].get("seconds", 0))
"""

START = """
import sys
from pathlib import Path
from omeroadmin.errors import AdminError
from omeroadmin.grid.driver import LaunchOrders
from omeroadmin.schema.instance import Instance
from omeroadmin.workflows.driver import instance_driver
instance = Instance(Path(sys.argv[1]))
try:
    instance_driver(instance).launch(LaunchOrders((sys.argv[2], 4061), instance.default_xml, node=sys.argv[3]))
except AdminError as error:
    sys.stderr.write(f"{error.message} {error.hint}")
    sys.exit(int(error.exit_status))
"""


@dataclass
class TwoHosts:
    """A grid of two hosts."""

    master: Host
    worker: Host

    @property
    def instance(self) -> Instance:
        """The master's."""
        return Instance(self.master.omero.omerodir)

    @property
    def far(self) -> Instance:
        """The worker's."""
        return Instance(self.worker.omero.omerodir)

    @contextlib.contextmanager
    def api(self) -> Iterator[Api]:
        """A client of Blitz, by the one socket for which a namespace is no wall."""
        api = Api(UnixConnection(self.instance.run_directory / "Blitz-0.sock", 30))
        try:
            yield api.login(password=self.instance.root_password_file.read_text().strip())
        finally:
            api.close()

    def submit(self, seconds: float = 0) -> int:
        """Have the script run."""
        with self.api() as api:
            scripts = {one["path"]: one["id"] for one in api.call("GET", "/scripts").document["scripts"]}
            inputs = {"master": self.master.address, "seconds": seconds}
            answer = api.call("POST", f"/scripts/{scripts['/where.py']}/jobs", {"inputs": inputs})
            assert answer.status == 202, answer
            return int(answer.document["job_id"])

    def job(self, number: int) -> dict[str, Any]:
        """How a job stands."""
        with self.api() as api:
            return dict(api.call("GET", f"/jobs/{number}").document)

    def wait_job(self, number: int, *statuses: str, timeout: float = 40) -> dict[str, Any]:
        """Wait until a job has one of some statuses."""
        assert wait_until(lambda: self.job(number)["status"] in statuses, timeout=timeout), (
            f"{self.job(number)}\n{self.logs()}"
        )
        return self.job(number)

    def wait_script(self) -> None:
        """Wait until a script on the worker has got its answer from the API, and has nothing to do but time to pass."""
        found = wait_until(lambda: any(self.far.temporary_directory.glob("job-*/has-asked")), timeout=20)
        assert found, self.logs()

    def wait_node(self, *, up: bool, timeout: float = 40) -> None:
        """Wait until the master says of the worker that it is up, or isn't."""
        assert wait_until(lambda: (self.master.node("worker") or {}).get("up") is up, timeout=timeout), (
            f"{self.master.state()}\n{self.logs()}"
        )

    def start_node(self, name: str) -> subprocess.CompletedProcess[str]:
        """Start a node on the worker's host."""
        return self.worker.python(START, str(self.far.omerodir), self.master.address, name)

    def logs(self) -> str:
        """What the two ends have to say."""
        paths = [
            self.far.log_directory / "Processor-0.log",
            self.far.log_directory / "worker.err",
            self.instance.log_directory / "OMERO.Glacier2.log",
        ]
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in paths if path.exists())


@pytest.fixture(scope="module")
def grid() -> Iterator[TwoHosts]:
    """The two, running."""
    for program in ("icegridnode", "icegridadmin"):
        require_program(program)
    with tempfile.TemporaryDirectory(prefix="omero-hosts-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        with two_hosts(directory) as (master, worker):
            made = TwoHosts(master, worker)
            set_up_master(made)
            master.omero.ok("admin", "start")
            try:
                set_up_worker(made)
                started = made.start_node("worker")
                assert started.returncode == 0, started
                made.wait_node(up=True)
                yield made
            finally:
                master.omero.run("admin", "stop")


def set_up_master(grid: TwoHosts) -> None:
    """Everything that an admin does there."""
    omero, address = grid.master.omero, grid.master.address
    omero.ok("install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded", "--yes")
    settings = {
        "omero.grid.driver": "icegrid",
        "omero.grid.hosts": f"worker={grid.worker.address}",
        "omero.master.host": address,
        "Ice.Default.Host": address,
        "omero.scripts.lease": str(LEASE),
        "omero.server.nodedescriptors": f"{HERE} {ELSEWHERE}",
    }
    for key, value in settings.items():
        omero.ok("config", "set", key, value)
    script = grid.instance.scripts_directory / "where.py"
    script.write_text(SCRIPT)


def set_up_worker(grid: TwoHosts) -> None:
    """Two files from the master, and which driver it is."""
    grid.far.grid_directory.mkdir(parents=True)
    for name in ("internal.cfg", "worker.cfg"):
        shutil.copy(grid.instance.etc / name, grid.far.etc / name)
    subprocess.run(["chown", "-R", ACCOUNT, str(grid.far.omerodir)], check=True)
    grid.worker.omero.ok("config", "set", "omero.grid.driver", "icegrid")


def test_a_script_runs_on_the_worker(grid: TwoHosts) -> None:
    done = grid.wait_job(grid.submit(), "Finished", "Error")
    assert done["status"] == "Finished", f"{done}\n{grid.logs()}"
    assert done["stdout"] == f"runs at {grid.worker.address}\nfor root\n"
    assert not grid.far.scripts_directory.exists()
    assert list(grid.far.temporary_directory.iterdir()) == []
    assert not (grid.far.run_directory / "Processor-0-api.sock").exists()
    assert grid.master.server("Processor-0")["node"] == "worker"
    assert grid.master.server("Processor-0")["pid"] in grid.worker.processes()


def test_the_token_stays_where_it_belongs(grid: TwoHosts) -> None:
    token = grid.instance.grid_token_file.read_text().strip()
    assert len(token) == 64
    assert grid.instance.grid_token_file.stat().st_mode & 0o777 == 0o600
    for host in (grid.master, grid.worker):
        for pid in host.processes():
            for name in ("cmdline", "environ"):
                with contextlib.suppress(OSError):
                    assert token.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
    holders = [path for home in (grid.instance, grid.far) for path in holders_of(token, home.omerodir)]
    assert grid.far.node_directory("worker") / "servers" / "Processor-0" / "config" / "config" in holders
    assert not [path for path in holders if path.is_relative_to(grid.instance.log_directory)]
    assert not [path for path in holders if path.is_relative_to(grid.far.log_directory)]
    outsiders = [path for path in holders if is_open(path, grid.master.omero.home, grid.worker.omero.home)]
    assert outsiders == []


def holders_of(token: str, directory: Path) -> list[Path]:
    """Files in which the token stands."""
    files = [path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in files if token.encode() in path.read_bytes()]


def is_open(path: Path, *tops: Path) -> bool:
    """Whether others than the owner get to read a file."""
    way = [path, *(parent for parent in path.parents if any(parent.is_relative_to(top) for top in tops))]
    return all(one.stat().st_mode & (0o004 if one == path else 0o001) for one in way)


def test_the_endpoint_is_at_the_masters_address_only(grid: TwoHosts) -> None:
    done = subprocess.run(
        ["ip", "netns", "exec", grid.master.namespace, "cat", "/proc/net/tcp", "/proc/net/tcp6"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    words = [line.split() for line in done.stdout.splitlines()]
    listening = [one[1] for one in words if len(one) > 3 and one[3] == "0A"]
    address = "".join(f"{int(part):02X}" for part in reversed(grid.master.address.split(".")))
    assert [one for one in listening if one.endswith(f":{4062:04X}")] == [f"{address}:{4062:04X}"]


def test_an_unknown_node_is_refused(grid: TwoHosts) -> None:
    done = grid.start_node("stranger")
    assert done.returncode == 2, done
    assert "stranger" in done.stderr
    assert "worker" in done.stderr
    assert not grid.far.node_directory("stranger").exists()
    assert {node["name"] for node in grid.master.state()["nodes"]} == {"master", "worker"}


def test_the_link_is_cut_and_restored(grid: TwoHosts) -> None:
    before = grid.master.server("Processor-0")
    running = grid.submit(seconds=4)
    grid.wait_job(running, "Running")
    grid.wait_script()
    grid.worker.link("down")
    waiting = grid.submit()
    grid.wait_node(up=False, timeout=10)
    cut_off = grid.master.server("Processor-0")
    assert (cut_off["cause"], cut_off["reason"]) == ("node-down", "the node worker is down")
    assert "worker is down" in grid.master.omero.run("admin", "status").stderr
    assert "the node worker is down" in grid.master.omero.run("admin", "diagnostics").stdout
    # Nobody else suffers, and nothing of the two jobs is lost or lied about.
    assert grid.master.server("Blitz-0")["state"] == "active"
    assert grid.job(running)["status"] == "Running"
    assert grid.job(waiting)["status"] == "Submitted"
    grid.worker.link("up")
    grid.wait_node(up=True)
    done = grid.wait_job(running, "Finished", "Error", timeout=30)
    assert (done["status"], done["stdout"]) == ("Finished", f"runs at {grid.worker.address}\nfor root\n"), grid.logs()
    assert grid.wait_job(waiting, "Finished", "Error", timeout=30)["status"] == "Finished", grid.logs()
    after = grid.master.server("Processor-0")
    assert (after["state"], after["pid"]) == ("active", before["pid"])


def test_a_job_does_not_run_for_ever_unheard_of(grid: TwoHosts) -> None:
    lost = grid.submit(seconds=300)
    grid.wait_job(lost, "Running")
    grid.wait_script()
    grid.worker.link("down")
    done = grid.wait_job(lost, "Error", timeout=LEASE + 15)
    assert done["message"] == f"Processor-0 was not heard of for {LEASE} s while it ran"
    grid.worker.link("up")
    # The script is ended: its Processor has time for others again.
    assert grid.wait_job(grid.submit(), "Finished", "Error", timeout=60)["status"] == "Finished", grid.logs()
    assert grid.job(lost)["message"] == done["message"]
    assert "the result comes too late" in grid.logs(), grid.logs()
