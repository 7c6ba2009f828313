"""Parts of the grid that need no process."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import GridState, ServerSpecification, ServerState
from omeroadmin.grid.node.backoff import FAILURES, FIRST_PAUSE, JITTER, LONGEST_PAUSE, Backoff
from omeroadmin.grid.node.node import server_environment
from omeroadmin.grid.node.registry import Registry
from omeroadmin.grid.node.server_files import configuration_text, last_log_line, write_configuration
from omeroadmin.grid.ports import Port, client_host, master_host, used_ports
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings

SERVER = ServerSpecification(
    "Blitz-0", "python", (), "", (), "always", 1, 1, (("b", "1=2"), ("a", 'two\nlines\u2028"x"'), ("b", "3")), "master"
)


def test_pauses_double() -> None:
    backoff = Backoff()
    wanted = FIRST_PAUSE
    for number in range(15):
        # So far apart that they make no crash loop.
        pause = backoff.failed(number * 30.0, healthy_for=0)
        assert pause is not None
        assert wanted * (1 - JITTER) <= pause <= wanted * (1 + JITTER)
        wanted = min(wanted * 2, LONGEST_PAUSE)


def test_a_crash_loop_is_given_up() -> None:
    backoff = Backoff()
    pauses = [backoff.failed(float(number), healthy_for=1) for number in range(FAILURES)]
    assert [pause is None for pause in pauses] == [False] * (FAILURES - 1) + [True]


def test_health_makes_up_for_failures() -> None:
    backoff = Backoff()
    for number in range(20):
        pause = backoff.failed(float(number), healthy_for=10)
        assert pause is not None
        assert pause <= FIRST_PAUSE * (1 + JITTER)


def test_states_in_words() -> None:
    assert ServerState("a", "active", 5163, True).describe() == "active (pid = 5163, enabled)"
    assert ServerState("a", "activating", 5163, True).describe() == "activating (enabled)"
    assert ServerState("a", "inactive", None, False).describe() == "inactive (disabled)"
    assert ServerState("a", "inactive", None, False, cause="not-installed").optional
    state = GridState(True, (ServerState("a", "active", 1, True),))
    assert state.server("a") is state.servers[0]
    assert state.server("b") is None


def test_the_registry_remembers(tmp_path: Path) -> None:
    file = tmp_path / "disabled.json"
    registry = Registry(file)
    registry.set_disabled("a", disabled=True)
    registry.set_disabled("b", disabled=True)
    registry.set_disabled("b", disabled=False)
    assert file.stat().st_mode & 0o777 == 0o600
    assert Registry(file).is_disabled("a")
    assert not Registry(file).is_disabled("b")
    file.write_text("{}")
    with pytest.raises(AdminError, match=r"disabled\.json"):
        Registry(file)


def test_a_configuration_file(tmp_path: Path) -> None:
    text = 'Ice.ServerId=Blitz-0\nIce.Admin.ServerId=Blitz-0\nb=1=2\na=two lines\u2028"x"\nb=3\n'
    assert configuration_text(SERVER) == text
    layout = NodeLayout(Instance(tmp_path))
    write_configuration(layout, SERVER)
    file = tmp_path / "var/master/servers/Blitz-0/config/config"
    assert file.read_text() == text
    assert file.stat().st_mode & 0o777 == 0o600


def test_server_ids_stay_inside(tmp_path: Path) -> None:
    layout = NodeLayout(Instance(tmp_path))
    for place in (layout.configuration, layout.health_socket, layout.failure_file, layout.server_log):
        with pytest.raises(AdminError, match="leaves"):
            place("../../../x")


def test_the_last_line_of_a_log(tmp_path: Path) -> None:
    layout = NodeLayout(Instance(tmp_path))
    assert last_log_line(layout, "a") == ""
    layout.instance.log_directory.mkdir(parents=True)
    layout.server_log("a").write_bytes(b"x" * 20000 + b"\nlast  \xff line\n\n")
    assert last_log_line(layout, "a") == "last \ufffd line"


def test_servers_get_a_clean_environment() -> None:
    layout = NodeLayout(Instance(Path("/srv/omero")))
    given = {
        "PATH": "/bin",
        "OMERO_PASSWORD": "x",
        "PYTHONPATH": "y",
        "LC_ALL": "C",
        "OMERODIR": "/other",
        "SSH_TTY": "z",
    }
    assert server_environment(given, layout) == {
        "PATH": "/bin",
        "PYTHONPATH": "y",
        "LC_ALL": "C",
        "OMERODIR": "/srv/omero",
    }


def test_ports_and_hosts() -> None:
    settings = Settings(
        {"omero.ports.prefix": "2", "omero.client.icetransports": "ssl, ws", "Ice.Default.Host": "10.0.0.1"}
    )
    assert used_ports(settings) == (
        Port(24061, "omero.ports.registry", "10.0.0.1"),
        Port(24064, "omero.ports.ssl", "10.0.0.1"),
        Port(24065, "omero.ports.ws", "10.0.0.1"),
    )
    assert (master_host(Settings({})), client_host(Settings({}))) == ("127.0.0.1", "localhost")
    assert master_host(Settings({"omero.master.host": "omero"})) == "omero"
