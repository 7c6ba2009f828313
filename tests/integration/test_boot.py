"""What starts the server with the machine: systemd's units and the script for init, checked and run."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.cli.main import load_command
from omeroadmin.cli.registry import GROUPS
from omeroadmin.database import embedded
from omeroadmin.profiles.store import update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.workflows import lifecycle
from omeroadmin.workflows.availability import availability
from omeroadmin.workflows.driver import instance_driver
from tests.support.components import require_program
from tests.support.omero import Omero
from tests.support.service_manager import service_manager
from tests.support.start_faults import small_grid
from tests.support.units import UNITS, Unit, read_unit

SCRIPT = UNITS.parent / "init.d" / "omero"
SERVICES = sorted(UNITS.glob("*.service"))
PROGRAM = Path(sys.executable).with_name("omero")


def name_of(path: Path) -> str:
    return path.name


@pytest.fixture(scope="module")
def omero(tmp_path_factory: pytest.TempPathFactory) -> Omero:
    """An instance that was installed and never started."""
    if os.geteuid() == 0:
        pytest.skip("PostgreSQL refuses root; the unprivileged run of this suite covers this")
    made = Omero(tmp_path_factory.mktemp("boot"))
    made.ok("install", "--dir", str(made.omerodir), "--data-dir", str(made.data), "--db", "embedded", "--yes")
    small_grid(Instance(made.omerodir))
    return made


@pytest.fixture
def instance(omero: Omero) -> Iterator[Instance]:
    """The instance, stopped afterwards."""
    yield Instance(omero.omerodir)
    lifecycle.stop(Instance(omero.omerodir))


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    analyze = require_program("systemd-analyze")
    for path in UNITS.iterdir():
        text = path.read_text()
        # It looks for the programs, which aren't where the manual puts them.
        (tmp_path / path.name).write_text(
            re.sub(r"^ExecStart=/opt/\S+", f"ExecStart={sys.executable}", text, flags=re.MULTILINE)
        )
    done = subprocess.run(
        [analyze, "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("path", SERVICES, ids=name_of)
def test_units_are_hardened(path: Path) -> None:
    analyze = require_program("systemd-analyze")
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=25", path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "unrecognized option" in done.stderr:
        pytest.skip(f"systemd is too old for this: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout[-500:]


@pytest.mark.parametrize("path", SERVICES, ids=name_of)
def test_units_may_write_where_their_commands_do(path: Path) -> None:
    unit = read_unit(path)
    writable = [word.lstrip("-") for value in unit.values("ReadWritePaths") for word in value.split()]
    assert any(unit.environment["OMERODIR"].startswith(f"{place}/") for place in writable)
    assert unit.values("NoNewPrivileges") == ["yes"]
    assert unit.values("User") != ["root"]


@pytest.mark.parametrize("path", SERVICES, ids=name_of)
def test_commands_of_units_exist(path: Path) -> None:
    words = read_unit(path).command
    if words[0].endswith("/sh"):
        words = ["omero", *words[2].split(">")[0].split()[1:]]
    assert Path(words[0]).name == "omero"
    group, name, *arguments = words[1:]
    if group == "web" and name not in GROUPS["web"].commands:
        pytest.skip("OMERO.web's own program starts it")
    load_command(group, name).make_context(name, arguments)


def places(omero: Omero) -> dict[str, str]:
    """Our paths instead of the manual's."""
    return {
        "/opt/omero/server/OMERO.server": str(omero.omerodir),
        "/opt/omero/server/venv3/bin": str(PROGRAM.parent),
        "/var/lib/prometheus/node-exporter/omero": str(omero.home / "textfiles"),
    }


def variables(unit: Unit, omero: Omero) -> dict[str, str]:
    """What a service of the unit has as environment, with what coverage needs."""
    kept = {name: value for name, value in omero.environment.items() if name.startswith(("COVERAGE", "PYTHON"))}
    return {**kept, "HOME": str(omero.home), "LANG": "C.UTF-8", **unit.environment}


def test_the_servers_unit_runs_the_server(omero: Omero, instance: Instance) -> None:
    unit = read_unit(UNITS / "omero-server.service", places(omero))
    assert unit.values("Type") == ["notify"]
    update_profile(instance.config_xml, {"omero.server.servicemanager.checkenv": "OMERO_SERVICE"})
    assert "a service manager runs this server" in omero.run("admin", "start").stderr
    with service_manager(None) as manager:
        environment = {**variables(unit, omero), "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "60000000"}
        with subprocess.Popen(unit.command, env=environment, cwd="/", stderr=subprocess.PIPE) as process:
            try:
                assert manager.hear_until("READY")["MAINPID"] == str(process.pid)
                assert availability(instance).up
                process.terminate()
                process.communicate(timeout=60)
            finally:
                process.kill()
    assert process.returncode == 0
    assert not embedded.status(instance).running
    update_profile(instance.config_xml, {}, ["omero.server.servicemanager.checkenv"])


def test_the_other_units_do_their_work(omero: Omero, instance: Instance) -> None:
    update_profile(instance.config_xml, {"omero.backup.target": str(omero.home / "backup")})
    (omero.home / "textfiles").mkdir()
    lifecycle.start(instance)
    for name in ("omero-backup", "omero-metrics"):
        unit = read_unit(UNITS / f"{name}.service", places(omero))
        done = subprocess.run(
            unit.command, env=variables(unit, omero), cwd="/", capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), name
    assert omero.ok("backup", "list").endswith("(1 row)\n")
    assert [path.name for path in (omero.home / "textfiles").iterdir()] == ["omero.prom"]
    assert "\nomero_up 1.0\n" in (omero.home / "textfiles" / "omero.prom").read_text()


@pytest.mark.parametrize("shell", ["dash", "bash", "sh"])
def test_shells_understand_the_script(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n", SCRIPT], check=True, timeout=30)


def test_nothing_is_wrong_with_the_script() -> None:
    done = subprocess.run(
        [require_program("shellcheck"), SCRIPT], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_script_says_what_init_wants_to_know() -> None:
    text = SCRIPT.read_text()
    header = text.partition("### BEGIN INIT INFO\n")[2].partition("### END INIT INFO")[0]
    names = {line[2:].partition(":")[0] for line in header.splitlines()}
    assert names >= {
        "Provides",
        "Required-Start",
        "Required-Stop",
        "Default-Start",
        "Default-Stop",
        "Short-Description",
    }
    assert os.access(SCRIPT, os.X_OK)


class Script:
    """The script with our paths, run with the environment that init gives."""

    def __init__(self, omero: Omero, **defaults: str) -> None:
        account = pwd.getpwuid(os.geteuid()).pw_name
        settings = {"OMERODIR": str(omero.omerodir), "OMERO_USER": account, "OMERO": str(program(omero)), **defaults}
        self.defaults = omero.home / "defaults"
        self.defaults.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run an action."""
        return subprocess.run(
            [SCRIPT, *words],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEFAULTS": str(self.defaults)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def program(omero: Omero) -> Path:
    """``omero`` with what coverage needs: the script passes no variables on."""
    path = omero.home / "omero"
    kept = "".join(
        f"export {name}='{value}'\n"
        for name, value in omero.environment.items()
        if name.startswith(("COVERAGE", "PYTHON"))
    )
    path.write_text(f'#!/bin/sh\n{kept}exec {sys.executable} -m omeroadmin "$@"\n')
    path.chmod(0o755)
    return path


def test_the_script_starts_and_stops_the_server(omero: Omero, instance: Instance) -> None:
    script = Script(omero)
    stopped = script.run("status")
    assert (stopped.returncode, stopped.stdout) == (3, "OMERO.server is not running.\n")
    assert script.run("try-restart").returncode == 0
    assert script.run("status").returncode == 3
    started = script.run("start")
    assert started.returncode == 0, started.stderr
    assert availability(instance).up
    assert (script.run("status").returncode, script.run("status").stdout) == (0, "OMERO.server is running.\n")
    again = script.run("start")
    assert (again.returncode, again.stdout) == (0, "OMERO.server runs already.\n")
    before = instance_driver(instance).node_process()
    assert script.run("restart").returncode == 0
    assert instance_driver(instance).node_process() not in (None, before)
    instance_driver(instance).disable_server("OMERO.Glacier2")
    instance_driver(instance).stop_server("OMERO.Glacier2")
    unusable = script.run("status")
    assert unusable.returncode == 1
    assert "OMERO.Glacier2 on 127.0.0.1" in unusable.stdout
    instance_driver(instance).enable_server("OMERO.Glacier2")
    assert script.run("stop").returncode == 0
    assert script.run("stop").returncode == 0
    assert script.run("status").returncode == 3
    assert not embedded.status(instance).running


@pytest.mark.parametrize(
    ("words", "defaults", "status", "complaint"),
    [
        ((), {}, 2, "Usage: "),
        (("begin",), {}, 2, "Usage: "),
        (("start",), {"OMERO_USER": "nobody-has-this-name"}, 5, "There is no account nobody-has-this-name"),
        (("start",), {"OMERO": "/nonexistent/omero"}, 5, "/nonexistent/omero can't be run"),
        (("start",), {"OMERODIR": "/nonexistent"}, 3, "OMERODIR is /nonexistent"),
    ],
)
def test_the_script_says_what_is_wrong(
    omero: Omero, words: tuple[str, ...], defaults: dict[str, str], status: int, complaint: str
) -> None:
    done = Script(omero, **defaults).run(*words)
    assert done.returncode == status
    assert complaint in done.stderr


@pytest.mark.root
def test_root_starts_it_as_the_account(tmp_path_factory: pytest.TempPathFactory) -> None:
    account = os.environ.get("OMERO_TEST_ACCOUNT")
    if not account:
        pytest.skip("no account for servers: make test gives one")
    home = tmp_path_factory.mktemp("root")
    for path in (home, *home.parents):
        if path.stat().st_uid == 0 and path != Path("/") and not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
    (home / "OMERO.server").mkdir(mode=0o755)
    who = home / "who"
    told = f'#!/bin/sh\nid -un >&2\nenv >&2\nexec {sys.executable} -m omeroadmin "$@"\n'
    who.write_text(told)
    who.chmod(0o755)
    done = Script(Omero(home), OMERO_USER=account, OMERO=str(who)).run("start")
    assert done.stderr.splitlines()[0] == account
    assert f"OMERODIR={home / 'OMERO.server'}" in done.stderr.splitlines()
    assert not any(line.startswith("DEFAULTS=") for line in done.stderr.splitlines())
