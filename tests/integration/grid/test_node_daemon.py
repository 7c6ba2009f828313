"""The node daemon with real processes that behave and misbehave."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid import client
from omeroadmin.grid.model import ServerState
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import monotonic, wait_until
from omeroadmin.system.sockets import connect_unix, listen_unix
from tests.support.grid import Grid, is_alive, running_grid

ALL = {
    "Good": "ok",
    "Slow": "slow",
    "Crash": "crash",
    "Optional": "optional",
    "Wrong": "wrong",
    "Wordless": "wordless",
    "Manual": "manual:ok",
    "Once": "once",
}


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    with running_grid(tmp_path_factory.mktemp("node"), ALL) as grid:
        yield grid


def test_what_runs(grid: Grid) -> None:
    for name in ("Good", "Slow", "Once"):
        server = grid.wait_active(name)
        assert server.pid is not None
        assert is_alive(server.pid)
        assert server.describe() == f"active (pid = {server.pid}, enabled)"
    assert [server.id for server in grid.state.servers] == list(ALL)
    assert grid.state.pid == client.node_process(grid.instance)


def test_what_is_not_installed_is_disabled(grid: Grid) -> None:
    server = grid.wait("Optional", lambda server: not server.enabled)
    assert (server.optional, server.has_failed, server.reason) == (True, False, "PyTables is not installed")
    assert server.describe() == "inactive (disabled)"


def test_what_is_misconfigured_is_disabled_at_once(grid: Grid) -> None:
    server = grid.wait("Wrong", lambda server: not server.enabled)
    assert (server.has_failed, server.reason) == (True, "the database is too old")
    assert grid.wait("Wordless", lambda server: not server.enabled).reason == "ended with status 78"


def test_a_crash_loop_ends_with_the_reason(grid: Grid) -> None:
    server = grid.wait("Crash", lambda server: not server.enabled, timeout=30)
    assert server.has_failed
    assert server.reason == "failed 5 times; ended with status 3: ValueError: it can't be"
    assert "ValueError: it can't be" in grid.log


def test_manual_servers_wait_to_be_started(grid: Grid) -> None:
    assert grid.server("Manual").describe() == "inactive (enabled)"
    client.start_server(grid.instance, "Manual")
    assert grid.server("Manual").is_active
    client.stop_server(grid.instance, "Manual")
    assert grid.wait("Manual", lambda server: server.pid is None).describe() == "inactive (enabled)"


def test_a_killed_server_is_replaced(grid: Grid) -> None:
    before = grid.wait_active("Slow").pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    began = monotonic()
    after = grid.wait("Slow", lambda server: server.is_active and server.pid != before)
    assert monotonic() - began < 5
    assert after.reason == ""
    assert "Slow killed by SIGKILL; next start in" in grid.log


def test_an_always_server_comes_back_unless_disabled(grid: Grid) -> None:
    before = grid.wait_active("Good").pid
    client.stop_server(grid.instance, "Good")
    grid.wait("Good", lambda server: server.is_active and server.pid != before)
    client.disable_server(grid.instance, "Good")
    assert grid.server("Good").is_active
    client.stop_server(grid.instance, "Good")
    server = grid.wait("Good", lambda server: server.pid is None)
    assert (server.describe(), server.has_failed) == ("inactive (disabled)", False)
    with pytest.raises(AdminError, match="Good is disabled: disabled by an admin"):
        client.start_server(grid.instance, "Good")
    client.enable_server(grid.instance, "Good")
    grid.wait_active("Good")


def test_what_failed_can_be_enabled_again(grid: Grid) -> None:
    grid.wait("Wrong", lambda server: not server.enabled)
    before = grid.log.count("Wrong disabled: the database is too old")
    client.enable_server(grid.instance, "Wrong")
    assert wait_until(lambda: grid.log.count("Wrong disabled: the database is too old") == before + 1, timeout=20)
    assert grid.server("Wrong").has_failed


def test_signals(grid: Grid) -> None:
    before = grid.wait_active("Once").pid
    client.signal_server(grid.instance, "Once", "sigkill")
    grid.wait("Once", lambda server: server.is_active and server.pid != before)
    with pytest.raises(AdminError, match="'SIGNONE'"):
        client.signal_server(grid.instance, "Once", "SIGNONE")
    with pytest.raises(AdminError, match="no process"):
        client.signal_server(grid.instance, "Optional", "15")


def test_unknown_servers_are_named(grid: Grid) -> None:
    with pytest.raises(AdminError, match="no server 'Blitz-9'") as caught:
        client.stop_server(grid.instance, "Blitz-9")
    assert caught.value.code == "server-unknown"


def test_files_are_private(grid: Grid) -> None:
    var = grid.instance.var
    for name in ("master/master.pid", "master/node.sock", "master/servers/Good/config/config", "log/master.err"):
        assert (var / name).stat().st_mode & 0o077 == 0, name
    assert (var / "run").stat().st_mode & 0o777 == 0o700


def exchange(connection: socket.socket, line: bytes) -> dict[str, object]:
    with connection, connection.makefile("rwb") as stream:
        stream.write(line)
        stream.flush()
        answer: dict[str, object] = json.loads(stream.readline())
    return answer


def test_the_registry_answers_pings_and_nothing_else(grid: Grid) -> None:
    def ask(line: bytes) -> dict[str, object]:
        return exchange(socket.create_connection(("127.0.0.1", grid.port), timeout=5), line)

    assert ask(b'{"command": "ping"}\n') == {"ok": True, "node": "master"}
    assert ask(b'{"command": "shutdown"}\n')["code"] == "command-unknown"
    assert ask(b"rubbish\n")["code"] == "request-invalid"
    assert ask(b"[]\n")["code"] == "request-invalid"
    assert client.ping(grid.instance)


def test_the_socket_survives_rubbish(grid: Grid) -> None:
    path = grid.instance.node_directory("master") / "node.sock"
    assert exchange(connect_unix(path, timeout=5), b'{"command": "explode"}\n')["code"] == "command-unknown"
    with connect_unix(path, timeout=5) as connection:
        connection.sendall(b"x" * 200_000)
    assert client.ping(grid.instance)
    assert "Traceback (most recent call last)" not in grid.log


def test_there_is_only_one_node(grid: Grid) -> None:
    with pytest.raises(AdminError, match="Server already running") as caught:
        grid.launch()
    assert caught.value.code == "already-running"
    assert client.ping(grid.instance)


def test_disabled_servers_stay_disabled(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"A": "ok", "B": "wrong"}) as grid:
        grid.wait_active("A")
        client.disable_server(grid.instance, "A")
        grid.wait("B", lambda server: not server.enabled)
        grid.stop()
        (grid.instance.run_directory / "B.failure").unlink()
        grid.launch()
        grid.wait("B", lambda server: server.has_failed)
        server = grid.server("A")
        assert (server.describe(), server.reason) == ("inactive (disabled)", "disabled by an admin")
        assert (grid.instance.run_directory / "B.failure").exists(), "what had failed was tried again"


def test_a_stubborn_server_is_killed_with_its_group(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"S": "stubborn", "C": "children"}, 'deactivation-timeout="1"') as grid:
        pids = [grid.wait_active(name).pid or 0 for name in ("S", "C")]
        pids.append(int((grid.instance.run_directory / "C.child").read_text()))
        assert all(is_alive(pid) for pid in pids)
        client.shutdown(grid.instance)
        assert wait_until(lambda: client.node_process(grid.instance) is None, timeout=20)
        assert [pid for pid in pids if is_alive(pid)] == []
        assert "S did not stop within 1 s and was killed" in grid.log


def test_a_server_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"N": "never"}, 'activation-timeout="1"') as grid:
        server = grid.wait("N", lambda server: server.reason.startswith("killed"))
        assert server.reason == "killed by SIGKILL, not ready after 1 s: warming up"


def test_a_program_that_does_not_exist(tmp_path: Path) -> None:
    grid = Grid(tmp_path, {"A": "ok"})
    text = grid.instance.default_xml.read_text()
    start = text.index('exe="')
    end = text.index('"', start + 5)
    grid.instance.default_xml.write_text(f'{text[:start]}exe="/nowhere/python{text[end:]}')
    grid.launch()
    try:
        assert "/nowhere/python can't be run" in grid.wait("A", lambda server: bool(server.reason)).reason
    finally:
        grid.stop()


def test_what_is_refused_is_said(tmp_path: Path) -> None:
    grid = Grid(tmp_path, {"A": "ok"})
    with socket.create_server(("127.0.0.1", grid.port)), pytest.raises(AdminError, match=str(grid.port)) as caught:
        grid.launch()
    assert caught.value.code == "port-taken"
    grid.instance.default_xml.write_text("<icegrid/>")
    with pytest.raises(AdminError, match="0 applications") as caught:
        grid.launch()
    assert caught.value.code == "descriptor-invalid"
    assert client.node_process(grid.instance) is None
    assert not client.grid_state(grid.instance).running
    with pytest.raises(AdminError, match="no node daemon answers"):
        client.shutdown(grid.instance)


def test_a_node_of_another_version(tmp_path: Path) -> None:
    """A package may be upgraded while its server runs."""
    instance = Instance(tmp_path)
    directory = instance.node_directory("master")
    directory.mkdir(parents=True)
    state = {"id": "A", "state": "active", "pid": 7, "enabled": True, "new": 1}
    answer = {"ok": True, "running": True, "servers": [state], "pid": 5, "newer": []}

    def answer_once(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(json.dumps(answer).encode() + b"\n")

    with listen_unix(directory / "node.sock") as listener:
        thread = threading.Thread(target=answer_once, args=(listener,))
        thread.start()
        found = client.grid_state(instance)
        thread.join(timeout=5)
    assert (found.running, found.servers, found.pid) == (True, (ServerState("A", "active", 7, True),), 5)
