"""``omero node`` and ``omero admin deploy`` with servers that are test programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.profiles.store import update_profile
from tests.support.grid import Grid, descriptor
from tests.support.omero import Omero

SERVERS = {"Blitz-0": "ok", "Indexer-0": "ok", "node1/Processor-1": "ok", "node2/Processor-2": "ok"}
pytestmark = pytest.mark.skipif(os.geteuid() == 0, reason="root can't run servers")


def with_profile(modes: dict[str, str]) -> str:
    """Servers that are given the admin's settings."""
    text = descriptor(modes).replace("</server>", '<properties refid="__ACTIVE__"/></server>')
    return text.replace('<node name="master">', '<include file="config.xml"/><node name="master">')


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    """An instance that was never started; its descriptor has three nodes."""
    grid = Grid(tmp_path, {})
    for name in ("data", "OMERO.server/var", "OMERO.server/etc/grid"):
        (tmp_path / name).mkdir(exist_ok=True, parents=True)
    settings = {"omero.data.dir": str(tmp_path / "data"), "omero.ports.registry": str(grid.port)}
    update_profile(grid.instance.config_xml, settings)
    file = grid.instance.grid_directory / "site.xml"
    file.write_text(with_profile(SERVERS))
    yield grid
    grid.stop()


@pytest.fixture
def omero(grid: Grid) -> Omero:
    return Omero(grid.instance.omerodir.parent)


def start_master(grid: Grid, omero: Omero) -> str:
    """The master with the site's descriptor, whose files are rendered."""
    omero.ok("admin", "rewrite")
    file = grid.instance.grid_directory / "site.xml"
    grid.instance.default_xml.unlink()
    grid.instance.default_xml.symlink_to(file.name)
    grid.launch()
    for name in ("Blitz-0", "Indexer-0"):
        grid.wait_active(name)
    return str(file)


def test_nodes_of_one_host(grid: Grid, omero: Omero) -> None:
    done = omero.run("node", "node1", "start")
    assert (done.returncode, "the master does not answer" in done.stderr) == (4, True)
    start_master(grid, omero)
    assert omero.ok("node", "node1", "start") == ""
    assert grid.server("Processor-1").is_active
    done = omero.run("node", "start", environment={"OMERO_NODE": "node2"})
    assert (done.returncode, done.stderr) == (0, "")
    assert grid.server("Processor-2").is_active
    lines = omero.ok("node", "node2", "status").splitlines()
    assert [line.partition(" (")[0] for line in lines] == ["node node2 is up", "Processor-2 active"]
    document = omero.json("node", "status", "node2", "--json")
    assert (document["up"], document["servers"][0]["id"]) == (True, "Processor-2")
    before = grid.server("Processor-2").pid
    omero.ok("node", "node2", "restart")
    assert grid.server("Processor-2").pid != before
    assert omero.run("node", "node1", "start").returncode == 3
    omero.ok("node", "node1", "stop")
    done = omero.run("node", "node1", "stop")
    assert (done.returncode, done.stderr) == (0, "node node1 not running\n")
    done = omero.run("node", "node1", "status")
    assert (done.returncode, done.stdout) == (1, "node node1 is down\n")
    grid.stop_node("master")
    assert omero.ok("node", "node2", "status").startswith("node node2 is up")
    omero.ok("node", "node2", "stop")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("nodeX", "start"), 2, "there is no node 'nodeX'; known: master, node1, node2"),
        (("../../x", "status"), 2, "there is no node '../../x'"),
        (("nodeX", "stop"), 2, "there is no node 'nodeX'"),
        (("master", "stop"), 2, "the node master is the server itself"),
        (("node1",), 2, "doesn't say what to do"),
        (("node1", "sync", "explode"), 2, "doesn't say what to do"),
        (("node1", "status", "--foreground"), 2, "--foreground is for start"),
    ],
)
def test_what_is_refused(grid: Grid, omero: Omero, words: tuple[str, ...], status: int, says: str) -> None:
    start_master(grid, omero)
    done = omero.run("node", *words)
    assert (done.returncode, says in done.stderr) == (status, True), done.stderr
    assert sorted(path.name for path in grid.instance.var.iterdir() if path.name.startswith("node")) == []


def test_a_node_whose_server_cannot_start(grid: Grid, omero: Omero) -> None:
    (grid.instance.grid_directory / "site.xml").write_text(with_profile({**SERVERS, "node1/Processor-1": "crash"}))
    start_master(grid, omero)
    done = omero.run("node", "node1", "start", "--wait", "60")
    assert done.returncode == 5
    assert "Processor-1 did not start: failed 5 times; ended with status 3: ValueError: it can't be" in done.stderr


def test_deploy(grid: Grid, omero: Omero) -> None:
    done = omero.run("admin", "deploy")
    assert (done.returncode, "the server is not running" in done.stderr) == (4, True), done.stderr
    file = start_master(grid, omero)
    omero.ok("node", "node1", "start")
    before = grid.pids()
    assert omero.ok("admin", "deploy", file) == "No server is affected\n"
    omero.ok("config", "set", "omero.search.batch", "77")
    dry = omero.ok("admin", "deploy", file, "--dry-run").splitlines()
    assert dry[-1] == "Indexer-0 would be restarted"
    assert grid.pids() == before
    document = omero.json("admin", "deploy", file, "--json")
    assert (document["restarted"], document["dry_run"]) == (["Indexer-0"], False)
    after = grid.pids()
    assert after["Indexer-0"] != before["Indexer-0"]
    assert {**after, "Indexer-0": None} == {**before, "Indexer-0": None}
    assert not list(grid.instance.temporary_directory.glob("deploy-*"))


def test_what_cannot_be_deployed_is_not_written(grid: Grid, omero: Omero) -> None:
    file = Path(start_master(grid, omero))
    before = grid.pids()
    rendered = grid.instance.internal_cfg.read_text()
    omero.ok("config", "set", "omero.ports.registry", str(grid.port + 1))
    done = omero.run("admin", "deploy", str(file))
    assert (done.returncode, "omero admin restart" in done.stderr) == (3, True)
    omero.ok("config", "set", "omero.ports.registry", str(grid.port))
    file.write_text("<icegrid/>")
    done = omero.run("admin", "deploy", str(file))
    assert (done.returncode, "holds 0 applications" in done.stderr) == (3, True), done.stderr
    assert grid.instance.internal_cfg.read_text() == rendered
    assert grid.pids() == before
    for words in ("nonsense", "", "."):
        done = omero.run("admin", "deploy", words)
        assert (done.returncode, "neither a file nor a target" in done.stderr) == (2, True), done.stderr


def test_a_deployment_that_a_server_does_not_survive(grid: Grid, omero: Omero) -> None:
    file = Path(start_master(grid, omero))
    file.write_text(with_profile({**SERVERS, "Indexer-0": "wrong"}))
    done = omero.run("admin", "deploy", str(file))
    assert (done.returncode, "Indexer-0 did not start: the database is too old" in done.stderr) == (5, True)
    assert grid.server("Blitz-0").is_active


def test_ice_is_not_needed(omero: Omero) -> None:
    assert omero.ok("admin", "checkice") == "Ice is not needed: omero.grid.driver is embedded\n"


def test_another_name_for_the_master(omero: Omero) -> None:
    done = omero.run("node", "node1", "start", environment={"OMERO_MASTER": "chief"})
    assert (done.returncode, "OMERO_MASTER is 'chief'" in done.stderr) == (3, True)
