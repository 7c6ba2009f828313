"""The reference server with nodes beside the master, changed while it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.omero import Omero, free_prefix, install, pids

pytestmark = pytest.mark.skipif(os.geteuid() == 0, reason="root can't run servers")

NODES = "master:Blitz-0,Indexer-0,Processor-0 node1:Processor-1 node2:Processor-2"


@pytest.fixture(scope="module")
def omero(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Omero]:
    omero = install(tmp_path_factory.mktemp("nodes"), free_prefix(), NODES)
    yield omero
    for node in ("node1", "node2"):
        omero.run("node", node, "stop")
    omero.run("admin", "stop")


def test_three_processors(omero: Omero) -> None:
    omero.ok("admin", "start")
    assert omero.ok("admin", "ice", "server", "list").split() == [
        "Blitz-0",
        "Indexer-0",
        "OMERO.Glacier2",
        "Processor-0",
        "Processor-1",
        "Processor-2",
    ]
    for node in ("node1", "node2"):
        omero.ok("node", node, "start")
    found = omero.run("admin", "diagnostics").stdout
    active = [line for line in found.splitlines() if "Processor-" in line and "active (pid = " in line]
    assert len(active) == 3, found


def test_one_server_s_property(omero: Omero) -> None:
    before = pids(omero)
    assert all(before.values())
    assert omero.ok("admin", "deploy") == "No server is affected\n"
    omero.ok("config", "set", "omero.search.batch", "77")
    assert omero.ok("admin", "deploy") == "Indexer-0 restarted\n"
    after = pids(omero)
    assert after["Indexer-0"] not in (None, before["Indexer-0"])
    assert {**after, "Indexer-0": None} == {**before, "Indexer-0": None}
    omero.ok("config", "set", "omero.jvmcfg.heap_size.blitz", "700m")
    assert omero.ok("admin", "deploy") == "Blitz-0 restarted\n"
    assert {name for name, pid in pids(omero).items() if pid != after[name]} == {"Blitz-0"}
    omero.ok("admin", "status")


def test_another_number_of_processors(omero: Omero) -> None:
    before = pids(omero)
    omero.ok("config", "set", "omero.server.nodedescriptors", NODES.replace("Processor-2", "Processor-2,Processor-3"))
    assert omero.ok("admin", "deploy") == "Processor-3 started\n"
    after = pids(omero)
    assert after.pop("Processor-3") is not None
    assert after == before


def test_the_master_stops_alone(omero: Omero) -> None:
    done = omero.run("admin", "stop")
    assert done.returncode == 0
    assert "node1" in done.stderr
    assert "node2" in done.stderr
    assert omero.run("node", "node1", "status").returncode == 0
    omero.ok("admin", "start")
    omero.ok("node", "node1", "stop")
    assert "Processor-1" in omero.run("admin", "status").stderr
