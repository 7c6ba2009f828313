"""The lifecycle's commands where there is more than one node, or where a stop takes its time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.errors import AdminError
from omeroadmin.grid import client
from omeroadmin.profiles.store import update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.workflows import lifecycle
from omeroadmin.workflows.driver import instance_driver
from tests.support.components import require_program
from tests.support.grid import descriptor
from tests.support.omero import Omero
from tests.support.start_faults import small_grid

SERVERS = {"A": "ok", "node1/B": "ok"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Omero:
    """An instance that was installed and never started."""
    if os.geteuid() == 0:
        pytest.skip("PostgreSQL refuses root; the unprivileged run of this suite covers this")
    omero = Omero(tmp_path_factory.mktemp("nodes"))
    omero.ok("install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded", "--yes")
    small_grid(Instance(omero.omerodir))
    return omero


@pytest.fixture
def omero(made: Omero) -> Iterator[Omero]:
    """The instance, stopped afterwards."""
    yield made
    instance = Instance(made.omerodir)
    driver = instance_driver(instance)
    if driver.node_process("node1") is not None:
        driver.shutdown("node1")
    lifecycle.stop(instance)


def application(omero: Omero, modes: dict[str, str], attributes: str = "") -> str:
    """A descriptor with these servers."""
    file = Instance(omero.omerodir).grid_directory / "site.xml"
    file.write_text(descriptor(modes, attributes))
    return str(file)


def test_status_of_an_instance_that_was_never_started(made: Omero) -> None:
    done = made.run("admin", "status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Missing internal configuration. Run `omero admin rewrite`.\n"


def test_other_nodes_are_told_of(omero: Omero) -> None:
    instance = Instance(omero.omerodir)
    omero.ok("admin", "start", application(omero, SERVERS))
    down = omero.run("admin", "status", "node1", "--nodeonly")
    assert (down.returncode, down.stderr) == (1, "The node node1 does not answer\n")
    omero.ok("node", "node1", "start")
    assert omero.run("admin", "status", "node1", "--nodeonly").returncode == 0
    done = omero.run("admin", "status", "--json")
    assert done.returncode == 1
    assert '"schema": "omeroadmin/status/1"' in done.stdout
    document = omero.json("admin", "status", "--nodeonly", "--json")
    assert {node["name"]: node["up"] for node in document["nodes"]} == {"master": True, "node1": True}
    assert {server["id"]: server["node"] for server in document["servers"]} == {"A": "master", "B": "node1"}
    pid = instance_driver(instance).node_process("node1")
    stopped = omero.run("admin", "stop")
    assert stopped.returncode == 0
    assert stopped.stderr == f"The node node1 (process {pid}) still runs; stop it: omero node node1 stop\n"
    omero.ok("node", "node1", "stop")
    assert omero.run("admin", "stop").stderr == "Server not running\n"


def test_a_stop_that_takes_longer_than_it_may(omero: Omero) -> None:
    instance = Instance(omero.omerodir)
    omero.ok("admin", "start", application(omero, {"A": "stubborn"}, 'deactivation-timeout="3"'))
    server = client.grid_state(instance).server("A")
    assert server
    done = omero.run("admin", "stop", "--wait", "1")
    assert done.returncode == 5
    assert f"Failed to shutdown some components after 1 seconds: A (process {server.pid})" in done.stderr
    assert f"kill -9 {client.node_process(instance)}" in done.stderr
    assert embedded.status(instance).running
    assert omero.run("admin", "stop").returncode == 0
    assert not embedded.status(instance).running


def test_restartasync(omero: Omero) -> None:
    instance = Instance(omero.omerodir)
    file = application(omero, {"A": "slow"})
    omero.ok("admin", "restartasync", file)
    first = client.node_process(instance)
    omero.ok("admin", "restartasync", file, "--wait", "30")
    assert client.node_process(instance) not in (None, first)
    omero.ok("admin", "stopasync")
    omero.ok("admin", "waitdown", "--wait", "30")


def test_what_was_started_is_kept(omero: Omero) -> None:
    instance = Instance(omero.omerodir)
    done = omero.run("admin", "start", "--keep", application(omero, {"A": "ok", "B": "wrong"}))
    assert done.returncode == 5
    assert "B did not start: the database is too old" in done.stderr
    assert [server.is_active for server in client.grid_state(instance).servers] == [True, False]
    assert "B inactive (disabled): the database is too old" in omero.run("admin", "status").stderr


@pytest.mark.parametrize("driver", ["auto", "icegrid"])
def test_a_distribution(omero: Omero, monkeypatch: pytest.MonkeyPatch, driver: str) -> None:
    instance = Instance(omero.omerodir)
    require_program("icegridnode")
    instance.server_jars.mkdir(parents=True)
    update_profile(instance.config_xml, {"omero.grid.driver": driver})
    monkeypatch.setenv("PATH", without_java(omero.home / "bin"))
    try:
        with pytest.raises(AdminError) as caught:
            lifecycle.start(instance)
    finally:
        instance.server_jars.rmdir()
        update_profile(instance.config_xml, {}, ["omero.grid.driver"])
    assert caught.value.exit_status == 3
    expected = ("java-missing", "which PATH lacks") if driver == "icegrid" else ("distribution-unsupported", "IceGrid")
    assert (caught.value.code, expected[1] in caught.value.message) == (expected[0], True)


def without_java(directory: Path) -> str:
    """A PATH with IceGrid's programs alone."""
    directory.mkdir(exist_ok=True)
    for name in ("icegridnode", "icegridadmin"):
        found = shutil.which(name)
        if found and not (directory / name).exists():
            (directory / name).symlink_to(found)
    return str(directory)
