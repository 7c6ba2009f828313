"""The eleven servers under ZeroC's own icegridnode, driven by icegridadmin."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid.driver import DeployReport, LaunchOrders
from omeroadmin.grid.drivers.icegrid import IceGridDriver
from omeroadmin.grid.icegrid import processes
from omeroadmin.grid.icegrid.programs import ice_versions
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import Cause, ServerState
from omeroadmin.grid.ports import master_host
from omeroadmin.profiles.store import load_settings, update_profile
from omeroadmin.runtime.kernel.configuration import read_properties
from omeroadmin.schema.instance import Instance
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.clock import wait_until
from omeroadmin.system.local import LocalHost
from omeroadmin.workflows.rewrite import plan_templates
from tests.support.components import require_program
from tests.support.grid import is_alive
from tests.support.omero import Omero
from tests.support.ports import free_port

ODD_VALUES = {
    "omero.test.dollar": "$ $$ ${node} $${omero.name} $$${x} ${unfinished {}",
    "omero.test.open": "never closed: ${ $${ ${x",
    "omero.test.number": "a#b # c",
    "omero.test.backslash": r"\\server\share\ x \# \= \\",
    "omero.test.equals": "a=b == c",
    "omero.test.quotes": "\"double\" 'single' `back` <&>",
    "omero.test.unicode": "Mikroskop für Übungen, 顕微鏡 🔬",
    "omero.test.lines": '{"a":\n  [1,\n   2]}',
}


class Grid:
    """An instance with the driver icegrid.

    :param omero: its command line
    """

    def __init__(self, omero: Omero) -> None:
        self.omero = omero
        self.instance = Instance(omero.omerodir)
        self.driver = IceGridDriver(self.instance)

    def server(self, identifier: str) -> ServerState:
        found = self.driver.state().server(identifier)
        assert found is not None
        return found

    def wait(self, identifier: str, condition: Callable[[ServerState], bool], timeout: float = 30) -> ServerState:
        """Wait until a server is as it should be."""
        last = self.server(identifier)

        def holds() -> bool:
            nonlocal last
            last = self.server(identifier)
            return condition(last)

        assert wait_until(holds, timeout=timeout), f"{last}\n{self.log}"
        return last

    def pid(self, identifier: str) -> int:
        """Process of an active server."""
        pid = self.wait(identifier, lambda server: server.is_active).pid
        assert pid is not None
        return pid

    @property
    def log(self) -> str:
        path = self.instance.log_directory / "master.err"
        return path.read_text() if path.exists() else ""

    def orders(self, node: str = "master") -> LaunchOrders:
        settings = load_settings(self.instance)
        registry = (master_host(settings), settings.port("registry"))
        return LaunchOrders(registry, self.instance.default_xml, node=node)

    def processes(self) -> list[int]:
        """All processes that have to do with the instance's grid."""
        mark = str(self.instance.omerodir)
        found = []
        for path in Path("/proc").iterdir():
            if path.name.isdigit() and int(path.name) != os.getpid():
                with contextlib.suppress(OSError):
                    words = (path / "cmdline").read_bytes().decode("utf-8", "replace")
                    work = str((path / "cwd").readlink())
                    if mark in f"{words}{work}" and "postgres" not in words:
                        found.append(int(path.name))
        return [pid for pid in found if is_alive(pid)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    """An instance that is not running."""
    for name in ("icegridnode", "icegridadmin"):
        require_program(name)
    if os.geteuid() == 0:
        pytest.skip("servers refuse to run as root; the unprivileged run of this suite covers this")
    omero = Omero(tmp_path_factory.mktemp("icegrid"))
    ports = {f"omero.ports.{name}": str(free_port()) for name in ("ssl", "tcp", "registry")}
    omero.ok("install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded", "--yes")
    grid = Grid(omero)
    update_profile(grid.instance.config_xml, {**ports, **ODD_VALUES, "omero.grid.driver": "icegrid"})
    yield grid
    omero.run("admin", "stop")
    processes.end_orphans(NodeLayout(grid.instance))


@pytest.fixture
def grid(made: Grid) -> Grid:
    """The same, running, with everything enabled that isn't optional."""
    if not made.driver.state().running:
        made.omero.ok("admin", "start")
    return made


@pytest.fixture
def stopped(made: Grid) -> Iterator[Grid]:
    """The same, not running; what a test changes in its properties is taken back."""
    made.omero.ok("admin", "stop")
    before = load_settings(made.instance).explicit()
    yield made
    made.omero.ok("admin", "stop")
    present = load_settings(made.instance).explicit()
    update_profile(made.instance.config_xml, before, [name for name in present if name not in before])


def test_all_servers_run(grid: Grid) -> None:
    state = grid.driver.state()
    assert state.running
    assert len(state.servers) == 11
    assert {
        server.id for server in state.servers if server.always and not server.is_active and not server.optional
    } == set()
    assert grid.server("TestDropBox").describe() == "inactive (enabled)"
    assert state.pid == grid.driver.node_process()
    assert [(node.name, node.up) for node in state.nodes] == [("master", True)]
    assert grid.omero.run("admin", "status").returncode == 0
    assert grid.driver.ping()
    assert not grid.driver.ping("elsewhere")
    assert not grid.driver.ping("no; node shutdown master")


def test_no_warning_about_our_properties(grid: Grid) -> None:
    assert "unknown property" not in grid.log
    assert "deprecated" not in grid.log
    assert "failed to deploy" not in grid.log
    data = grid.instance.registry_directory
    assert (data.stat().st_mode & 0o777) == 0o700
    assert grid.instance.node_directory("master").stat().st_mode & 0o777 == 0o700


def test_values_arrive_as_with_the_embedded_node(grid: Grid) -> None:
    layout = NodeLayout(grid.instance)
    for server in ("Blitz-0", "OMERO.Glacier2", "Processor-0"):
        read = read_properties(layout.configuration(server))
        for name, value in ODD_VALUES.items():
            assert read[name] == value.replace("\n", " "), server


def test_a_killed_server_comes_back(grid: Grid) -> None:
    before = grid.pid("Processor-0")
    os.kill(before, signal.SIGKILL)
    after = grid.wait("Processor-0", lambda server: server.is_active and server.pid != before)
    assert after.pid is not None
    assert is_alive(after.pid)


def test_disable_stop_enable(grid: Grid) -> None:
    before = grid.pid("MonitorServer")
    grid.driver.stop_server("MonitorServer")
    second = grid.wait("MonitorServer", lambda server: server.is_active and server.pid != before)
    grid.driver.disable_server("MonitorServer")
    assert grid.server("MonitorServer").describe() == f"active (pid = {second.pid}, disabled)"
    grid.driver.stop_server("MonitorServer")
    grid.driver.stop_server("MonitorServer")
    off = grid.server("MonitorServer")
    assert (off.describe(), off.reason, off.cause) == ("inactive (disabled)", "disabled by an admin", Cause.ADMIN)
    with pytest.raises(AdminError) as caught:
        grid.driver.start_server("MonitorServer")
    assert (caught.value.code, caught.value.exit_status) == ("server-disabled", 5)
    grid.driver.enable_server("MonitorServer")
    assert grid.pid("MonitorServer")
    grid.driver.enable_server("MonitorServer")
    grid.driver.start_server("MonitorServer")


def test_diagnostics_read_the_states(grid: Grid) -> None:
    pid = grid.pid("Blitz-0")
    text = grid.omero.run("admin", "diagnostics").stdout
    assert f"Server:     Blitz-0                        active (pid = {pid}, enabled)" in text
    assert "Server:     TestDropBox                    inactive (enabled)" in text


def test_a_server_by_hand(grid: Grid) -> None:
    grid.driver.start_server("TestDropBox")
    assert grid.server("TestDropBox").is_active
    grid.driver.signal_server("TestDropBox", "TERM")
    grid.wait("TestDropBox", lambda server: server.pid is None)
    for name, code in (("TestDropBox", "server-not-running"), ("Nothing", "server-unknown")):
        with pytest.raises(AdminError) as caught:
            grid.driver.signal_server(name, "15")
        assert caught.value.code == code
    with pytest.raises(AdminError) as caught:
        grid.driver.signal_server("TestDropBox", "SIGNOTHING")
    assert (caught.value.code, caught.value.exit_status) == ("signal-unknown", 2)


def test_deploy_restarts_only_what_has_changed(grid: Grid) -> None:
    before = {server.id: server.pid for server in grid.driver.state().servers}
    assert not grid.driver.deploy(grid.instance.default_xml)
    update_profile(grid.instance.config_xml, {"omero.throttling.method_time.warn.indexer": "9000"})
    apply_plan(plan_templates(grid.instance, load_settings(grid.instance)), LocalHost())
    assert grid.driver.preview(grid.instance.default_xml) == DeployReport(restarted=("Indexer-0",))
    report = grid.driver.deploy(grid.instance.default_xml)
    assert report == DeployReport(restarted=("Indexer-0",))
    after = grid.wait("Indexer-0", lambda server: server.is_active and server.pid != before["Indexer-0"])
    assert after.pid is not None
    configuration = read_properties(NodeLayout(grid.instance).configuration("Indexer-0"))
    assert configuration["omero.throttling.method_time.warn"] == "9000"
    kept = {server.id for server in grid.driver.state().servers if server.pid == before[server.id]}
    assert kept == set(before) - {"Indexer-0"}
    # Every server has the whole profile; this is read by one.
    grid.omero.ok("config", "set", "omero.search.batch", "77")
    assert grid.omero.ok("admin", "deploy") == "Indexer-0 restarted\n"
    again = grid.wait("Indexer-0", lambda server: server.is_active and server.pid != after.pid)
    assert {server.id for server in grid.driver.state().servers if server.pid == before[server.id]} == kept
    configuration = read_properties(NodeLayout(grid.instance).configuration("Indexer-0"))
    assert configuration["omero.search.batch"] == "77"
    grid.omero.ok("config", "set", "omero.search.batch")
    assert grid.omero.ok("admin", "deploy") == "Indexer-0 restarted\n"
    grid.wait("Indexer-0", lambda server: server.is_active and server.pid != again.pid)
    assert {server.id for server in grid.driver.state().servers if server.pid == before[server.id]} == kept


def test_deploy_refuses_what_makes_no_sense(grid: Grid, tmp_path: Path) -> None:
    file = tmp_path / "bad.xml"
    file.write_text(
        '<icegrid><application name="OMERO"><node name="master"><server id="A"/></node></application></icegrid>'
    )
    with pytest.raises(AdminError, match=r"bad\.xml line 1") as caught:
        grid.driver.deploy(file)
    assert caught.value.code == "descriptor-invalid"
    assert grid.server("Blitz-0").is_active


def test_a_second_start(grid: Grid) -> None:
    again = grid.omero.run("admin", "start")
    assert (again.returncode, again.stderr) == (3, "omero: Server already running\n  -> omero admin restart\n")
    with pytest.raises(AdminError, match="Server already running"):
        grid.driver.launch(grid.orders())


def test_a_killed_node_takes_its_servers_with_it(grid: Grid) -> None:
    pid = grid.driver.node_process()
    assert pid
    servers = [server.pid for server in grid.driver.state().servers if server.pid]
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not any(is_alive(server) for server in servers), timeout=20)
    assert grid.driver.node_process() is None
    assert not grid.driver.state().running
    grid.omero.ok("admin", "start")
    assert grid.pid("Blitz-0") not in servers


def test_orphans_are_ended_at_the_next_start(grid: Grid) -> None:
    pid, blitz = grid.driver.node_process(), grid.pid("Blitz-0")
    assert pid
    os.kill(blitz, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: grid.driver.node_process() is None, timeout=10)
    assert is_alive(blitz)
    grid.omero.ok("admin", "start")
    assert not is_alive(blitz)
    assert grid.pid("Blitz-0") != blitz


def test_a_frozen_node(grid: Grid) -> None:
    pid = grid.driver.node_process()
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        for action in (grid.driver.state, grid.driver.shutdown):
            with pytest.raises(AdminError) as caught:
                action()
            assert (caught.value.code, caught.value.exit_status) == ("node-silent", 4)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert grid.driver.ping()


def test_stop_leaves_nothing(grid: Grid) -> None:
    grid.omero.ok("admin", "stop")
    assert grid.processes() == []
    assert "Server not running" in grid.omero.run("admin", "stop").stderr
    for action in (lambda: grid.driver.stop_server("Blitz-0"), lambda: grid.driver.deploy(grid.instance.default_xml)):
        with pytest.raises(AdminError) as caught:
            action()
        assert caught.value.code == "node-down"


def test_what_an_admin_disabled_stays_so(stopped: Grid) -> None:
    stopped.omero.ok("admin", "start")
    stopped.driver.disable_server("DropBox")
    log = stopped.instance.log_directory / "DropBox.log"
    stopped.omero.ok("admin", "stop")
    starts = log.read_text().count("Starting DropBox")
    stopped.omero.ok("admin", "start")
    assert stopped.server("DropBox").describe() == "inactive (disabled)"
    assert log.read_text().count("Starting DropBox") == starts
    stopped.driver.enable_server("DropBox")
    assert stopped.pid("DropBox")


def test_a_server_with_a_wrong_configuration(stopped: Grid) -> None:
    update_profile(stopped.instance.config_xml, {"omero.db.pass.blitz": "wrong"})
    done = stopped.omero.run("admin", "start", "--wait", "60")
    assert done.returncode == 5, done.stderr
    assert "Blitz-0 did not start: " in done.stderr
    verdict = json.loads((stopped.instance.run_directory / "Blitz-0.disabled").read_text())
    assert verdict["cause"] == "failed"
    assert verdict["reason"] in done.stderr
    assert stopped.processes() == []


def test_a_server_that_ends_again_and_again(stopped: Grid) -> None:
    update_profile(stopped.instance.config_xml, {"omero.db.port.blitz": str(free_port())})
    done = stopped.omero.run("admin", "start", "--wait", "60")
    assert done.returncode == 5, done.stderr
    assert "Blitz-0 did not start: failed 5 times; " in done.stderr
    assert "does not answer" in done.stderr


def missing_program(grid: Grid) -> Path:
    """An application whose only server can't be run."""
    file = grid.instance.grid_directory / "missing.xml"
    file.write_text(
        '<icegrid><application name="OMERO"><node name="master">'
        '<server id="A" exe="/nonexistent/a" activation="always">'
        '<property name="Ice.Admin.Enabled" value="0"/></server></node></application></icegrid>'
    )
    return file


def test_a_program_that_cannot_be_run(stopped: Grid) -> None:
    done = stopped.omero.run("admin", "start", str(missing_program(stopped)), "--wait", "60")
    assert done.returncode == 5
    assert "A did not start: cannot execute `/nonexistent/a': No such file or directory" in done.stderr


def test_what_is_not_installed_is_disabled_with_its_reason(stopped: Grid, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['tables'] = None\n")
    done = stopped.omero.run("admin", "start", environment={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    present = stopped.server("Tables-0")
    assert present.optional
    assert present.describe() == "inactive (disabled)"
    assert f"Tables-0 is disabled: {present.reason}" in done.stderr


def is_complete(driver: IceGridDriver) -> bool:
    """Whether everything runs that is to run."""
    servers = driver.state().servers
    return bool(servers) and not any(server.is_awaited for server in servers)


@pytest.mark.parametrize("broken", [False, True])
def test_foreground(stopped: Grid, *, broken: bool) -> None:
    file = stopped.instance.default_xml
    if broken:
        file = missing_program(stopped)
    command = [sys.executable, "-m", "omeroadmin", "admin", "start", "--foreground", str(file)]
    with subprocess.Popen(command, env=stopped.omero.environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            if not broken:
                assert wait_until(lambda: is_complete(stopped.driver), timeout=60)
            process.send_signal(signal.SIGTERM if not broken else 0)
            _, error_output = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == (5 if broken else 0), error_output
    assert stopped.processes() == []


def test_the_registry_port_is_taken(stopped: Grid) -> None:
    stopped.omero.ok("admin", "rewrite")
    port = load_settings(stopped.instance).port("registry")
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import socket,sys; s=socket.create_server(('127.0.0.1',{port})); print(1, flush=True); sys.stdin.read()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(AdminError) as caught:
            stopped.driver.launch(stopped.orders())
        holder.kill()
    assert caught.value.code == "port-taken"
    assert f"127.0.0.1:{port}" in caught.value.message
    assert stopped.driver.node_process() is None


def test_a_worker_on_the_same_host(stopped: Grid) -> None:
    instance = stopped.instance
    update_profile(instance.config_xml, {"omero.server.nodedescriptors": "master:Blitz-0,Storm worker:Processor-0"})
    worker = instance.etc / "worker.cfg"
    if not worker.exists():
        worker.write_text(
            "IceGrid.Node.Name=worker\nIceGrid.Node.Endpoints=tcp -h 127.0.0.1\nIceGrid.Node.Data=var/worker\n"
            "Ice.StdOut=var/log/worker.out\nIce.StdErr=var/log/worker.err\n"
        )
    stopped.omero.ok("admin", "start")
    cut_off = stopped.server("Processor-0")
    assert (cut_off.node, cut_off.is_cut_off, cut_off.is_awaited) == ("worker", True, False)
    assert not stopped.driver.ping("worker")
    with pytest.raises(AdminError) as caught:
        stopped.driver.launch(stopped.orders("nobody"))
    assert (caught.value.code, caught.value.exit_status) == ("node-unknown", 2)
    stopped.driver.launch(stopped.orders("worker"))
    try:
        assert stopped.driver.ping("worker")
        first = stopped.pid("Processor-0")
        pid = stopped.driver.node_process("worker")
        assert pid
        os.kill(pid, signal.SIGSTOP)
        frozen = stopped.server("Processor-0")
        assert frozen.is_cut_off
        assert stopped.server("Blitz-0").is_active
        os.kill(pid, signal.SIGCONT)
        assert wait_until(lambda: stopped.driver.ping("worker"), timeout=40)
        assert stopped.pid("Processor-0") == first
    finally:
        stopped.driver.shutdown("worker")
    assert wait_until(lambda: stopped.driver.node_process("worker") is None, timeout=30)
    assert not is_alive(first)


def test_programs_of_ice(made: Grid, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node, admin = ice_versions()
    assert (node.name, admin.name) == ("icegridnode", "icegridadmin")
    assert node.release == admin.release
    done = made.omero.run("admin", "start", environment={"PATH": str(tmp_path)})
    assert done.returncode == 3
    assert "apt-get install zeroc-icegrid zeroc-ice-utils" in done.stderr
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AdminError) as caught:
        ice_versions()
    assert (caught.value.code, caught.value.exit_status) == ("icegrid-missing", 3)
    program = tmp_path / "icegridnode"
    program.write_text("#!/bin/sh\necho 3.8.1 >&2\n")
    program.chmod(0o755)
    with pytest.raises(AdminError, match="icegridadmin is not installed"):
        ice_versions()
