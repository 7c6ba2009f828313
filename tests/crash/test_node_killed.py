"""The node daemon killed at any moment: nothing survives it, and the next one starts as if nothing had been."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from omeroadmin.grid import client
from omeroadmin.system.clock import wait_until
from tests.support.grid import Grid, is_alive, running_grid

MODES = {"A": "ok", "B": "stubborn", "C": "slow", "D": "children"}
SHORT = 'deactivation-timeout="1"'


def kill(grid: Grid) -> None:
    pid = client.node_process(grid.instance)
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: client.node_process(grid.instance) is None, timeout=5)


def test_servers_die_with_the_node(tmp_path: Path) -> None:
    with running_grid(tmp_path, MODES, SHORT) as grid:
        pids = [grid.wait_active(name).pid or 0 for name in MODES]
        kill(grid)
        assert wait_until(lambda: not any(is_alive(pid) for pid in pids), timeout=5)
        assert not client.grid_state(grid.instance).running
        # Socket and pid file of the dead are still there.
        assert (grid.instance.node_directory("master") / "node.sock").exists()
        grid.launch()
        for name in MODES:
            assert grid.wait_active(name).pid not in pids


@pytest.mark.parametrize("moment", ["activating", "restarting", "stopping"])
def test_killed_in_the_middle(tmp_path: Path, moment: str) -> None:
    with running_grid(tmp_path, {**MODES, "E": "flaky"}, SHORT) as grid:
        if moment == "restarting":
            assert wait_until(lambda: "E ended with status 1" in grid.log, timeout=20)
        if moment == "stopping":
            for name in MODES:
                grid.wait_active(name)
            client.shutdown(grid.instance)
        pids = [server.pid for server in grid.state.servers if server.pid]
        kill(grid)
        assert wait_until(lambda: not any(is_alive(pid) for pid in pids), timeout=5)
        grid.launch()
        for name in MODES:
            grid.wait_active(name)


def test_a_frozen_node_is_found_out(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"A": "ok"}) as grid:
        grid.wait_active("A")
        pid = client.node_process(grid.instance)
        assert pid
        os.kill(pid, signal.SIGSTOP)
        try:
            assert not client.ping(grid.instance)
            assert client.node_process(grid.instance) == pid
        finally:
            os.kill(pid, signal.SIGCONT)
        assert client.ping(grid.instance)


def test_sigterm_stops_all(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"A": "ok", "B": "slow"}) as grid:
        pids = [grid.wait_active(name).pid or 0 for name in ("A", "B")]
        os.kill(client.node_process(grid.instance) or 0, signal.SIGTERM)
        assert wait_until(lambda: client.node_process(grid.instance) is None, timeout=10)
        assert [pid for pid in pids if is_alive(pid)] == []
        assert not (grid.instance.node_directory("master") / "node.sock").exists()
        assert "node master down" in grid.log
