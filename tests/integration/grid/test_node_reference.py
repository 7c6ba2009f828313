"""The reference server with nodes beside the master, changed while it runs; and three of them on one machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.grid.drivers.embedded import EmbeddedDriver
from omeroadmin.schema.instance import Instance
from omeroadmin.system.sockets import port_is_free
from tests.support.omero import Omero, free_prefix

pytestmark = pytest.mark.skipif(os.geteuid() == 0, reason="root can't run servers")

NODES = "master:Blitz-0,Indexer-0,Processor-0 node1:Processor-1 node2:Processor-2"


WHOLE = 10
"""Servers of the default grid that always run, TestDropBox being the eleventh."""


def install(home: Path, prefix: str, nodes: str = "") -> Omero:
    omero = Omero(home, prefix)
    home.mkdir(exist_ok=True)
    arguments = ["--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded", "--yes"]
    omero.ok("install", *arguments, *(("--ports-prefix", prefix) if prefix else ()), timeout=300)
    if nodes:
        omero.ok("config", "set", "omero.server.nodedescriptors", nodes)
    return omero


@pytest.fixture(scope="module")
def omero(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Omero]:
    omero = install(tmp_path_factory.mktemp("nodes"), free_prefix(), NODES)
    yield omero
    for node in ("node1", "node2"):
        omero.run("node", node, "stop")
    omero.run("admin", "stop")


def pids(omero: Omero) -> dict[str, int | None]:
    return {server.id: server.pid for server in EmbeddedDriver(Instance(omero.omerodir)).state().servers}


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


def test_three_servers_on_one_machine(omero: Omero, tmp_path: Path) -> None:
    """As the manual has it: one without a prefix, the others with one each."""
    prefixes = ["", {"1": "2", "2": "1"}[omero.prefix]]
    taken = [f"{prefix}{port}" for prefix in prefixes for port in (4061, 4063, 4064) if not is_free(prefix, port)]
    if taken:
        pytest.skip(f"the ports {', '.join(taken)} are taken")
    others = [install(tmp_path / f"server{prefix}", prefix) for prefix in prefixes]
    try:
        for other in others:
            other.ok("admin", "start")
        found = [pids(one) for one in (omero, *others)]
        assert [len(one) for one in found[1:]] == [WHOLE + 1] * 2
        everybody = [pid for one in found for pid in one.values() if pid is not None]
        assert len(everybody) == len(set(everybody)) >= 2 * WHOLE + len(found[0]) - 1
        for one in (omero, *others):
            one.ok("admin", "status")
        others[0].ok("admin", "stop")
        assert others[0].run("admin", "status").returncode == 1
        others[1].ok("admin", "status")
    finally:
        for other in others:
            other.run("admin", "stop")
    omero.ok("admin", "status")
    assert pids(omero) == found[0]


def is_free(prefix: str, port: int) -> bool:
    return port_is_free(int(f"{prefix}{port}"))
