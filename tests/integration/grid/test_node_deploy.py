"""A running node is given another application: what didn't change keeps its process."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid import client
from omeroadmin.grid.driver import DeployReport
from omeroadmin.system.clock import wait_until
from tests.support.grid import Grid, descriptor, is_alive, running_grid

THREE = {"Blitz-0": "ok", "Indexer-0": "ok", "Tables-0": "ok"}


def wait_all(grid: Grid, *names: str) -> dict[str, int | None]:
    for name in names:
        grid.wait_active(name)
    return grid.pids()


def test_only_the_server_with_another_property_is_restarted(tmp_path: Path) -> None:
    with running_grid(tmp_path, THREE) as grid:
        before = wait_all(grid, *THREE)
        assert grid.driver.deploy(grid.describe(THREE)) == DeployReport()
        file = grid.describe(THREE, properties={"Indexer-0": {"omero.example": "c"}})
        wanted = DeployReport(restarted=("Indexer-0",))
        assert grid.driver.preview(file) == wanted
        assert grid.pids() == before, "a preview does nothing"
        assert grid.driver.deploy(file) == wanted
        after = wait_all(grid, *THREE)
        assert after["Indexer-0"] != before["Indexer-0"]
        assert {**after, "Indexer-0": None} == {**before, "Indexer-0": None}
        configuration = grid.instance.node_directory("master") / "servers/Indexer-0/config/config"
        assert "omero.example=c\n" in configuration.read_text()
        assert "deployed: restarted Indexer-0" in grid.log


def test_a_property_of_the_profile_concerns_those_that_read_it(tmp_path: Path) -> None:
    """Every server is given the whole profile; the catalogue says who must be restarted."""
    with running_grid(tmp_path, THREE) as grid:
        before = wait_all(grid, *THREE)
        profile = {"omero.search.batch": "77", "omero.jvmcfg.heap_size.blitz": "1g", "omero.backup.target": "/b"}
        report = grid.driver.deploy(grid.describe(THREE, properties={"*": profile}))
        assert report == DeployReport(restarted=("Indexer-0",))
        after = wait_all(grid, *THREE)
        assert (after["Blitz-0"], after["Tables-0"]) == (before["Blitz-0"], before["Tables-0"])
        assert after["Indexer-0"] != before["Indexer-0"]
        client.stop_server(grid.instance, "Blitz-0")
        grid.wait("Blitz-0", lambda server: server.is_active and server.pid != before["Blitz-0"])
        configuration = grid.instance.node_directory("master") / "servers/Blitz-0/config/config"
        assert "omero.search.batch=77\n" in configuration.read_text()


def test_servers_come_and_go(tmp_path: Path) -> None:
    with running_grid(tmp_path, THREE) as grid:
        before = wait_all(grid, *THREE)
        report = grid.driver.deploy(grid.describe({"Tables-0": "ok", "Blitz-0": "ok", "New": "ok"}))
        assert report == DeployReport(started=("New",), stopped=("Indexer-0",))
        after = wait_all(grid, "New", "Tables-0", "Blitz-0")
        assert list(after) == ["Tables-0", "Blitz-0", "New"]
        assert (after["Blitz-0"], after["Tables-0"]) == (before["Blitz-0"], before["Tables-0"])
        gone = before["Indexer-0"]
        assert gone is not None
        assert not is_alive(gone)
        assert not (grid.instance.node_directory("master") / "servers/Indexer-0").exists(), "it held passwords"
        with pytest.raises(AdminError, match="no server 'Indexer-0'"):
            grid.driver.start_server("Indexer-0")


def test_what_failed_is_tried_again_when_it_changes(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"A": "ok", "B": "wrong", "C": "ok", "M": "manual:ok"}) as grid:
        grid.wait("B", lambda server: server.has_failed)
        grid.driver.disable_server("C")
        report = grid.driver.deploy(grid.describe({"A": "ok", "B": "ok", "C": "slow", "M": "manual:slow"}))
        assert (set(report.restarted), report.updated) == ({"B", "C"}, ("M",))
        grid.wait_active("B")
        server = grid.wait("C", lambda server: server.pid is None)
        assert (server.describe(), server.cause) == ("inactive (disabled)", "admin")
        assert grid.server("M").describe() == "inactive (enabled)"


def test_what_was_started_by_hand_runs_again(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"M": "manual:ok"}) as grid:
        grid.driver.start_server("M")
        before = grid.server("M").pid
        assert grid.driver.deploy(grid.describe({"M": "manual:slow"})).restarted == ("M",)
        assert grid.wait("M", lambda server: server.is_active).pid != before


def test_a_broken_descriptor_changes_nothing(tmp_path: Path) -> None:
    with running_grid(tmp_path, THREE) as grid:
        before = wait_all(grid, *THREE)
        grid.instance.default_xml.write_text(descriptor(THREE).replace("</application>", "<nonsense/></application>"))
        with pytest.raises(AdminError) as caught:
            grid.driver.deploy(grid.instance.default_xml)
        assert (caught.value.code, "line 1" in caught.value.message) == ("descriptor-invalid", True)
        assert grid.pids() == before


def test_targets_count_for_this_deployment(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"A": "ok"}) as grid:
        grid.wait_active("A")
        text = descriptor({"A": "ok", "B": "ok"})
        start, end = text.index('<server id="B"'), text.index("</node>")
        grid.instance.default_xml.write_text(f'{text[:start]}<target name="b">{text[start:end]}</target>{text[end:]}')
        assert grid.driver.deploy(grid.instance.default_xml) == DeployReport()
        assert grid.driver.deploy(grid.instance.default_xml, ("b",)).started == ("B",)
        assert grid.driver.application().targets == ("b",)
        assert len(grid.driver.application().deployed_at) == 3
        assert grid.driver.deploy(grid.instance.default_xml).stopped == ("B",)


def test_many_at_once_and_a_shutdown_between(tmp_path: Path) -> None:
    """Whatever is asked for at the same time: no process outlives the node."""
    with running_grid(tmp_path, THREE) as grid:
        pids = set(wait_all(grid, *THREE).values())
        failures: list[AdminError] = []

        def deploy(number: int) -> None:
            file = grid.instance.grid_directory / f"{number}.xml"
            file.write_text(descriptor(THREE, properties={"*": {"omero.example": str(number)}}))
            try:
                grid.driver.deploy(file)
            except AdminError as error:
                failures.append(error)

        threads = [threading.Thread(target=deploy, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        assert wait_until(lambda: not pids & set(grid.pids().values()), timeout=30)
        pids |= set(grid.pids().values())
        client.shutdown(grid.instance)
        for thread in threads:
            thread.join(timeout=60)
        assert {error.code for error in failures} <= {"node-down"}
        assert wait_until(lambda: client.node_process(grid.instance) is None, timeout=30)
        assert not [pid for pid in pids if pid is not None and is_alive(pid)]
        assert "Traceback" not in grid.log
