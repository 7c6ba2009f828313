"""The server as a child of a service manager, whose socket hears how it is."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.grid.drivers.embedded import EmbeddedDriver
from omeroadmin.profiles.store import load_settings, update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from omeroadmin.workflows import lifecycle
from omeroadmin.workflows.availability import availability
from omeroadmin.workflows.driver import instance_driver
from tests.support.components import require_program
from tests.support.grid import descriptor
from tests.support.omero import Omero
from tests.support.service_manager import ServiceManager, service_manager
from tests.support.start_faults import small_grid


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Omero:
    """An instance that was installed and never started."""
    if os.geteuid() == 0:
        pytest.skip("PostgreSQL refuses root; the unprivileged run of this suite covers this")
    omero = Omero(tmp_path_factory.mktemp("foreground"))
    omero.ok("install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded", "--yes")
    small_grid(Instance(omero.omerodir))
    return omero


@pytest.fixture
def instance(made: Omero) -> Iterator[Instance]:
    """The instance, down and with the embedded driver afterwards."""
    found = Instance(made.omerodir)
    yield found
    lifecycle.stop(found)
    update_profile(found.config_xml, {}, ["omero.grid.driver"])


@contextlib.contextmanager
def service(
    omero: Omero, manager: ServiceManager, *arguments: str, **variables: str
) -> Iterator[subprocess.Popen[str]]:
    """``admin start --foreground`` with a manager; killed at the end if it still runs."""
    command = [sys.executable, "-m", "omeroadmin", "admin", "start", "--foreground", *arguments]
    environment = {**omero.environment, "NOTIFY_SOCKET": manager.address, **variables}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def test_ready_alive_and_stopped(made: Omero, instance: Instance, tmp_path: Path) -> None:
    with service_manager(tmp_path) as manager, service(made, manager, WATCHDOG_USEC="1000000") as process:
        ready = manager.hear_until("READY")
        assert ready == {"READY": "1", "MAINPID": str(process.pid), "STATUS": "2 of 2 servers active"}
        assert availability(instance).up
        assert "starting PostgreSQL" in manager.statuses
        assert any(re.match(r"\[[012]/2\] Blitz-0 activ", status) for status in manager.statuses)
        assert all(
            int(heard["EXTEND_TIMEOUT_USEC"])
            for heard in manager.heard
            if "READY" not in heard and heard != {"WATCHDOG": "1"}
        )
        for _ in range(3):
            manager.hear_until("WATCHDOG")
        blitz = EmbeddedDriver(instance).state().server("Blitz-0")
        assert blitz
        assert blitz.pid
        os.kill(blitz.pid, signal.SIGKILL)
        assert manager.hear_until("STATUS")["STATUS"].startswith("1 of 2 servers active; Blitz-0 ")
        while manager.hear_until("STATUS")["STATUS"] != "2 of 2 servers active":
            pass
        process.send_signal(signal.SIGTERM)
        assert manager.hear_until("STOPPING")["STATUS"] == "stopping the servers"
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert not embedded.status(instance).running


def test_a_hung_node_gives_no_sign_of_life(made: Omero, instance: Instance, tmp_path: Path) -> None:
    file = instance.grid_directory / "test.xml"
    file.write_text(descriptor({"A": "ok"}))
    with service_manager(tmp_path) as manager, service(made, manager, str(file), WATCHDOG_USEC="300000") as process:
        manager.hear_until("READY")
        manager.hear_until("WATCHDOG")
        process.send_signal(signal.SIGSTOP)
        manager.hear_rest()
        with pytest.raises(TimeoutError):
            manager.hear(1)
        process.send_signal(signal.SIGCONT)
        manager.hear_until("WATCHDOG")
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.parametrize("keep", [False, True])
def test_a_server_cannot_start(made: Omero, instance: Instance, *, keep: bool) -> None:
    file = instance.grid_directory / "test.xml"
    file.write_text(descriptor({"A": "ok", "B": "wrong"}))
    words = [str(file), *(["--keep"] if keep else [])]
    with service_manager(None) as manager, service(made, manager, *words) as process:
        if keep:
            assert manager.hear_until("READY")["STATUS"].startswith("1 of 2 servers active; B inactive (disabled): ")
            process.terminate()
        _, error_output = process.communicate(timeout=60)
        manager.hear_rest()
    assert process.returncode == (0 if keep else 5), error_output
    assert ("omero: B did not start: the database is too old" in error_output) is not keep
    assert any("READY" in heard for heard in manager.heard) is keep
    assert not embedded.status(instance).running


def test_the_time_is_over(made: Omero, instance: Instance) -> None:
    file = instance.grid_directory / "test.xml"
    file.write_text(descriptor({"A": "never"}))
    with service_manager(None) as manager, service(made, manager, str(file), "--wait", "3") as process:
        _, error_output = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "after 3 seconds: A activating (enabled): warming up" in error_output
    assert instance_driver(instance).node_process() is None


def test_a_stop_while_it_starts_is_no_failure(made: Omero, instance: Instance) -> None:
    file = instance.grid_directory / "test.xml"
    file.write_text(descriptor({"A": "never"}))
    with service_manager(None) as manager, service(made, manager, str(file)) as process:
        while not manager.hear_until("STATUS")["STATUS"].startswith("[0/1] A activating"):
            pass
        process.terminate()
        manager.hear_until("STOPPING")
        process.communicate(timeout=60)
        manager.hear_rest()
    assert process.returncode == 0
    assert not any("READY" in heard for heard in manager.heard)


def test_a_stop_before_there_is_a_node_leaves_no_database(made: Omero, instance: Instance) -> None:
    with service_manager(None) as manager, service(made, manager) as process:
        while manager.hear_until("STATUS")["STATUS"] != "starting PostgreSQL":
            pass
        assert wait_until(lambda: embedded.status(instance).running, timeout=20, longest_pause=0.01)
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    assert not embedded.status(instance).running
    assert instance_driver(instance).node_process() is None


def test_icegrid_in_the_foreground(made: Omero, instance: Instance, tmp_path: Path) -> None:
    for name in ("icegridnode", "icegridadmin"):
        require_program(name)
    update_profile(instance.config_xml, {"omero.grid.driver": "icegrid"})
    assert instance_driver(instance).name == "icegrid"
    with service_manager(tmp_path) as manager, service(made, manager, WATCHDOG_USEC="4000000") as process:
        assert manager.hear_until("READY")["STATUS"] == "2 of 2 servers active"
        assert instance_driver(instance).node_process() != process.pid
        assert availability(instance).up
        manager.hear_until("WATCHDOG")
        process.terminate()
        manager.hear_until("STOPPING")
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert instance_driver(instance).node_process() is None
    assert load_settings(instance).text("omero.grid.driver") == "icegrid"
