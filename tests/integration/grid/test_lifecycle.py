"""Starting and stopping an instance: a real PostgreSQL and a real node, with servers that are test programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.errors import AdminError
from omeroadmin.grid import client
from omeroadmin.profiles.store import load_settings, update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.clock import wait_until
from omeroadmin.system.local import LocalHost
from omeroadmin.workflows import lifecycle
from omeroadmin.workflows.availability import availability, wait_up
from omeroadmin.workflows.lifecycle import StartOptions
from omeroadmin.workflows.rewrite import plan_admin_rewrite
from tests.support.certificates import complete_settings, make
from tests.support.database import running_database
from tests.support.grid import descriptor
from tests.support.omero import Omero
from tests.support.ports import free_port


class Listener:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.progressed: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def progress(self, line: str) -> None:
        self.progressed.append(line)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A stopped instance that could be started."""
    home = tmp_path_factory.mktemp("lifecycle")
    with running_database(home) as database:
        instance = database.instance
        secured = complete_settings(home / "OMERO")
        make(secured)
        ports = {f"omero.ports.{name}": str(free_port()) for name in ("ssl", "tcp", "registry")}
        update_profile(instance.config_xml, {**secured.explicit(), **database.settings.explicit(), **ports})
        embedded.stop(instance, database.settings)
        yield instance


@pytest.fixture
def instance(made: Instance) -> Iterator[Instance]:
    """The same for one test; afterwards it is stopped and its properties are as they were."""
    before = load_settings(made).explicit()
    yield made
    present = load_settings(made).explicit()
    update_profile(made.config_xml, before, [name for name in present if name not in before])
    lifecycle.stop(made)


def options(instance: Instance, modes: dict[str, str], wait: float = 30) -> StartOptions:
    """A start with these servers."""
    file = instance.grid_directory / "test.xml"
    file.write_text(descriptor(modes))
    return StartOptions(file, wait=wait)


def is_down(instance: Instance) -> bool:
    return client.node_process(instance) is None and not embedded.status(instance).running


def test_start_and_stop(instance: Instance) -> None:
    listener = Listener()
    state = lifecycle.start(instance, options(instance, {"A": "slow", "T": "optional", "M": "manual:ok"}), listener)
    assert [server.describe() for server in state.servers][1:] == ["inactive (disabled)", "inactive (enabled)"]
    assert state.servers[0].is_active
    assert embedded.status(instance).running
    assert listener.said == ["T is disabled: PyTables is not installed"]
    assert {
        "starting PostgreSQL",
        "starting the node",
        "WARNING: Your server has not been configured for production use.",
    } <= set(listener.progressed)
    assert any(line.startswith("[1/1] A active (pid = ") for line in listener.progressed)
    with pytest.raises(AdminError, match="Server already running") as caught:
        lifecycle.start(instance)
    assert (caught.value.code, caught.value.exit_status) == ("already-running", 3)
    with pytest.raises(AdminError, match="Can't regenerate templates the server is running!"):
        plan_admin_rewrite(instance)
    assert lifecycle.stop(instance) is True
    assert is_down(instance)
    assert lifecycle.stop(instance) is False


def test_a_server_that_cannot_start_takes_all_down(instance: Instance) -> None:
    listener = Listener()
    (instance.log_directory / "Blitz-0.log").write_text("of an earlier start\n")
    with pytest.raises(AdminError) as caught:
        lifecycle.start(instance, options(instance, {"A": "ok", "Blitz-0": "wrong"}), listener)
    assert (caught.value.code, caught.value.exit_status) == ("start-failed", 5)
    assert caught.value.message == "Blitz-0 did not start: the database is too old"
    assert any("master.err: " in line and "Blitz-0 disabled: the database is too old" in line for line in listener.said)
    assert not any("of an earlier start" in line for line in listener.said)
    assert listener.said[-1] == 'Calling "stop" on remaining components'
    assert is_down(instance)


def test_a_start_that_takes_too_long(instance: Instance) -> None:
    with pytest.raises(AdminError, match=r"after 3 seconds: A activating \(enabled\): warming up") as caught:
        lifecycle.start(instance, options(instance, {"A": "never"}, wait=3))
    assert caught.value.code == "start-timeout"
    assert is_down(instance)


def test_without_waiting(instance: Instance) -> None:
    lifecycle.start_async(instance, options(instance, {"A": "slow"}))
    assert client.ping(instance)
    assert lifecycle.stop_async(instance) is True
    lifecycle.wait_down(instance, 30)
    assert is_down(instance)
    assert lifecycle.stop_async(instance) is False


def test_waiting_ends(instance: Instance) -> None:
    lifecycle.start(instance, options(instance, {"A": "ok"}))
    with pytest.raises(AdminError, match="Failed to shutdown some components after 0 seconds"):
        lifecycle.wait_down(instance, 0)
    with pytest.raises(AdminError, match=r"Failed to startup some components after 0 seconds: OMERO\.Glacier2"):
        wait_up(instance, 0)


def test_restart(instance: Instance) -> None:
    first = lifecycle.restart(instance, options(instance, {"A": "ok"}))
    second = lifecycle.restart(instance, options(instance, {"A": "ok"}))
    assert second.servers[0].is_active
    assert first.servers[0].pid != second.servers[0].pid


class Api(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        body = json.dumps({"status": "up"} if self.status == 200 else {"error": {}}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


def test_status_tells_the_truth(instance: Instance) -> None:
    assert availability(instance).problems == ("Server not running",)
    lifecycle.start(instance, options(instance, {"A": "ok", "B": "ok"}))
    assert availability(instance, node_only=True).up
    assert not availability(instance).up
    with ThreadingHTTPServer(("127.0.0.1", load_settings(instance).port("tcp")), Api) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            assert availability(instance) == availability(instance, node_only=True)
            wait_up(instance, 5)
            Api.status = 503
            found = availability(instance)
            assert not found.up
            assert "answers with status 503" in found.problems[0]
            Api.status = 200
            client.signal_server(instance, "B", "SIGKILL")
            assert wait_until(lambda: bool(availability(instance).problems), timeout=5, longest_pause=0.02)
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    ("properties", "code", "words"),
    [
        ({"omero.data.dir": "/nowhere/OMERO"}, "directory-missing", "/nowhere/OMERO"),
        ({"omero.data.dir": "/usr"}, "directory-not-writable", "/usr"),
        ({"omero.data.dir": "/etc/passwd"}, "directory-missing", "is not a directory"),
        ({"omero.glacier2.IceSSL.CertFile": "gone.p12"}, "certificate-missing", "gone.p12 (omero.glacier2"),
        ({"omero.glacier2.IceSSL.CertFile": ""}, "certificate-missing", "is not set"),
        ({"omero.db.version": "OMERO9.9"}, "database-version", "OMERO9.9"),
        ({"omero.grid.driver": "supervisord"}, "setting-invalid", "'supervisord'"),
        ({"omero.server.servicemanager.checkenv": "NO_SUCH_VARIABLE"}, "environment-unset", "NO_SUCH_VARIABLE"),
        ({"omero.ports.ssl": "x"}, "port-invalid", "omero.ports.ssl"),
    ],
)
def test_what_is_wrong_is_known_before(instance: Instance, properties: dict[str, str], code: str, words: str) -> None:
    update_profile(instance.config_xml, properties)
    with pytest.raises(AdminError) as caught:
        lifecycle.start(instance)
    assert (caught.value.code, caught.value.exit_status) == (code, 3)
    assert words in caught.value.message
    assert caught.value.hint
    assert is_down(instance)


def test_a_database_that_does_not_answer(instance: Instance) -> None:
    port = free_port()
    update_profile(instance.config_xml, {"omero.db.embedded": "false", "omero.db.port": str(port)})
    with pytest.raises(AdminError, match=f"127.0.0.1:{port}") as caught:
        lifecycle.start(instance)
    assert caught.value.exit_status == 4


@pytest.mark.parametrize("name", ["ssl", "tcp", "registry"])
def test_taken_ports(instance: Instance, name: str) -> None:
    port = load_settings(instance).port(name)
    with ThreadingHTTPServer(("127.0.0.1", port), Api), pytest.raises(AdminError) as caught:
        lifecycle.start(instance)
    assert caught.value.code == "port-taken"
    assert f"port {port} (omero.ports.{name}) is taken by process {os.getpid()}" in caught.value.message


def test_old_protocols_are_warned_of(instance: Instance) -> None:
    update_profile(instance.config_xml, {"omero.glacier2.IceSSL.Protocols": "tls1_0, TLS1_2"})
    listener = Listener()
    lifecycle.start(instance, options(instance, {"A": "ok"}), listener)
    assert "allows TLS1_0" in listener.said[0]


def test_targets(instance: Instance) -> None:
    apply_plan(plan_admin_rewrite(instance), LocalHost())
    assert not plan_admin_rewrite(instance)
    assert str(instance.internal_cfg) in plan_admin_rewrite(instance, force=True).lines()[0]
    with pytest.raises(AdminError, match="'debugg' is neither a file nor a target") as caught:
        lifecycle.start(instance, StartOptions(Path("debugg")))
    assert caught.value.exit_status == 2
    assert is_down(instance)


def test_commands(instance: Instance) -> None:
    omero = Omero(instance.omerodir.parent)
    file = str(options(instance, {"A": "ok"}).file)
    assert omero.run("admin", "start", file).stderr == ""
    status = omero.run("admin", "status")
    assert (status.returncode, status.stdout) == (1, "")
    assert "OMERO.Glacier2 on 127.0.0.1" in status.stderr
    assert omero.run("admin", "status", "--nodeonly").returncode == 0
    again = omero.run("admin", "start", file)
    assert (again.returncode, again.stderr) == (3, "omero: Server already running\n  -> omero admin restart\n")
    assert omero.run("admin", "rewrite").returncode == 3
    omero.ok("admin", "restart", file)
    assert omero.run("admin", "waitup", "--wait", "0").returncode == 5
    omero.ok("admin", "stopasync")
    omero.ok("admin", "waitdown", "--wait", "30")
    stopped = omero.run("admin", "stop")
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "", "Server not running\n")
    assert "Server not running" in omero.run("admin", "stopasync").stderr
    omero.ok("admin", "startasync", file)
    omero.ok("admin", "stop")
    assert omero.ok("admin", "rewrite", "--dry-run").endswith("nothing to do\n")
    omero.ok("admin", "rewrite", "--force")
    assert omero.ok("admin", "jvmcfg").startswith("JVM Settings:\n============\nblitz=-Xmx")


@pytest.mark.parametrize(("mode", "status"), [("slow", 0), ("wrong", 5)])
def test_foreground(instance: Instance, mode: str, status: int) -> None:
    omero = Omero(instance.omerodir.parent)
    file = options(instance, {"A": mode}).file
    command = [sys.executable, "-m", "omeroadmin", "admin", "start", "--foreground", str(file)]
    with subprocess.Popen(command, env=omero.environment, stderr=subprocess.PIPE, text=True) as process:
        if status == 0:
            assert wait_until(lambda: any(s.is_active for s in client.grid_state(instance).servers), timeout=30)
            process.send_signal(signal.SIGTERM)
        _, error_output = process.communicate(timeout=60)
    assert process.returncode == status
    assert "node master down" in error_output
    if status:
        assert "omero: A did not start: the database is too old" in error_output
    assert is_down(instance)


def test_a_frozen_node(instance: Instance) -> None:
    lifecycle.start(instance, options(instance, {"A": "ok"}))
    pid = client.node_process(instance)
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        found = availability(instance)
        assert not found.up
        assert f"the node daemon (process {pid}) does not answer" in found.problems[0]
        with pytest.raises(AdminError) as caught:
            lifecycle.stop(instance)
        assert caught.value.exit_status == 4
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_node_killed_during_a_start(instance: Instance) -> None:
    listener = Listener()

    def kill(line: str) -> None:
        if "A activating" in line:
            os.kill(client.node_process(instance) or 0, signal.SIGKILL)

    listener.progress = kill  # type: ignore[method-assign]  # acts instead of remembering
    with pytest.raises(AdminError) as caught:
        lifecycle.start(instance, options(instance, {"A": "never"}), listener)
    assert caught.value.code == "node-not-started"
    assert any(line.startswith("master.err: ") for line in listener.said)
    assert is_down(instance)


def test_two_stops_at_once(instance: Instance) -> None:
    lifecycle.start(instance, options(instance, {"A": "ok", "B": "slow"}))
    omero = Omero(instance.omerodir.parent)
    command = [sys.executable, "-m", "omeroadmin", "admin", "stop"]
    processes = [subprocess.Popen(command, env=omero.environment, stderr=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert is_down(instance)
