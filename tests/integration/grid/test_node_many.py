"""Several nodes of one grid on one host, and several grids."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid import client
from omeroadmin.grid.driver import DeployReport, LaunchOrders
from omeroadmin.grid.model import Cause
from omeroadmin.system.clock import wait_until
from tests.support.grid import Grid, is_alive, running_grid

PROCESSORS = {"Blitz-0": "ok", "Processor-0": "ok", "node1/Processor-1": "ok", "node2/Processor-2": "ok"}


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    with running_grid(tmp_path_factory.mktemp("many"), PROCESSORS) as grid:
        yield grid


def test_servers_of_a_node_that_is_down(grid: Grid) -> None:
    grid.stop_node("node1")
    server = grid.wait("Processor-1", lambda server: server.pid is None)
    assert (server.describe(), server.node) == ("inactive (enabled)", "node1")
    assert (server.cause, server.reason) == (Cause.NODE_DOWN, "the node node1 is down")
    assert not server.is_awaited, "a start doesn't wait for it"
    with pytest.raises(AdminError, match="no daemon of the node node1 answers") as caught:
        grid.driver.start_server("Processor-1")
    assert caught.value.hint == "start it: omero node node1 start"


def test_three_processors(grid: Grid) -> None:
    for node in ("node1", "node2"):
        if not grid.driver.ping(node):
            grid.launch(node)
    for number in range(3):
        assert grid.wait_active(f"Processor-{number}").pid is not None
    assert [(node.name, node.up) for node in grid.state.nodes] == [("master", True), ("node1", True), ("node2", True)]
    assert len({node.pid for node in grid.state.nodes}) == 3
    before = grid.server("Processor-2").pid
    grid.driver.stop_server("Processor-2")
    grid.wait("Processor-2", lambda server: server.is_active and server.pid != before)


def test_a_node_runs_once(grid: Grid) -> None:
    if not grid.driver.ping("node1"):
        grid.launch("node1")
    with pytest.raises(AdminError, match="node node1 already running") as caught:
        grid.launch("node1")
    assert caught.value.code == "already-running"


def test_an_unknown_node_is_refused(grid: Grid) -> None:
    with pytest.raises(AdminError, match="'nodeX'") as caught:
        grid.launch("nodeX")
    assert caught.value.code == "node-unknown"
    assert not grid.instance.node_directory("nodeX").exists()


def test_the_others_go_on_without_the_master(tmp_path: Path) -> None:
    with running_grid(tmp_path, PROCESSORS) as grid:
        grid.launch("node1")
        before = grid.wait_active("Processor-1").pid
        grid.stop_node("master")
        state = grid.state
        assert (state.running, [(node.name, node.up) for node in state.nodes]) == (
            False,
            [("master", False), ("node1", True)],
        )
        assert grid.server("Processor-1").pid == before
        # Back with another application, the master tells the node.
        grid.describe({"Blitz-0": "ok", "node1/Processor-1": "ok", "node1/Tables-0": "ok"})
        grid.launch()
        assert grid.wait_active("Processor-1").pid == before
        assert grid.wait_active("Tables-0").node == "node1"


def test_a_server_that_moves_is_never_there_twice(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"Blitz-0": "ok", "A": "ok", "node1/B": "ok"}) as grid:
        grid.launch("node1")
        before = {name: grid.wait_active(name).pid for name in ("A", "B")}
        file = grid.describe({"Blitz-0": "ok", "B": "ok", "node1/A": "ok"})
        moved = DeployReport(restarted=("A", "B"))
        assert {**vars(grid.driver.preview(file)), "restarted": ()} == {**vars(moved), "restarted": ()}
        report = grid.driver.deploy(file)
        assert set(report.restarted) == {"A", "B"}
        assert not report.started
        assert (grid.wait_active("A").node, grid.wait_active("B").node) == ("node1", "master")
        assert not [pid for pid in before.values() if pid is not None and is_alive(pid)]


def test_a_killed_node_takes_its_servers_with_it(tmp_path: Path) -> None:
    with running_grid(tmp_path, PROCESSORS) as grid:
        grid.launch("node1")
        server = grid.wait_active("Processor-1").pid
        master = grid.state.pid
        node = client.node_process(grid.instance, "node1")
        assert server is not None
        os.kill(node or 0, 9)
        assert wait_until(lambda: not is_alive(server), timeout=10)
        assert grid.server("Processor-1").is_cut_off
        assert grid.state.pid == master
        grid.launch("node1")
        grid.wait_active("Processor-1")


def test_three_grids_on_one_machine(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        grids = [stack.enter_context(running_grid(tmp_path / name, {"Blitz-0": "ok"})) for name in "abc"]
        pids = {grid.wait_active("Blitz-0").pid for grid in grids}
        assert len(pids) == 3
        grids[1].stop()
        assert [grid.state.running for grid in grids] == [True, False, True]
        orders = LaunchOrders(("127.0.0.1", grids[0].port), grids[1].instance.default_xml)
        with pytest.raises(AdminError, match=str(grids[0].port)) as caught:
            grids[1].driver.launch(orders)
        assert caught.value.code == "port-taken"
