"""omero install: planned, carried out, and then nothing is left to do."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.errors import AdminError
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost
from omeroadmin.workflows.install import ExternalDatabase, InstallWish, plan_install
from tests.support.database import DatabaseUnderTest
from tests.support.omero import Omero


@pytest.fixture
def omero(tmp_path: Path) -> Omero:
    """A home without an instance."""
    if os.geteuid() == 0:
        pytest.skip("PostgreSQL refuses root; the unprivileged run of this suite covers this")
    return Omero(tmp_path)


def arguments(omero: Omero, *more: str) -> list[str]:
    """``omero install`` in the home."""
    return ["install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded", *more]


def test_dry_run_changes_nothing(omero: Omero) -> None:
    output = omero.ok(*arguments(omero, "--dry-run"))
    assert "load the schema OMERO5.4__0" in output
    assert list(omero.home.iterdir()) == []


def test_second_run_has_nothing_to_do(omero: Omero) -> None:
    first = omero.run(*arguments(omero, "--ports-prefix", "1", "--yes"))
    assert first.returncode == 0, first.stderr
    password_file = omero.omerodir / "etc" / "root_password"
    assert first.stdout.splitlines()[-1].endswith(str(password_file))
    assert password_file.read_text().strip() not in first.stdout + first.stderr
    assert stat.S_IMODE(password_file.stat().st_mode) == 0o600
    for directory in ("etc", "var"):
        assert stat.S_IMODE((omero.omerodir / directory).stat().st_mode) == 0o700
    config = omero.omerodir / "etc" / "grid" / "config.xml"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    before = config.stat().st_mtime_ns
    second = omero.run(*arguments(omero, "--yes"))
    assert second.returncode == 0
    assert "nothing to do" in second.stdout
    assert config.stat().st_mtime_ns == before


def test_a_password_of_ones_own(omero: Omero) -> None:
    password_file = omero.home / "mine"
    password_file.write_text("something of mine\n")
    omero.ok(*arguments(omero, "--root-password-file", str(password_file), "--yes"))
    assert not (omero.omerodir / "etc" / "root_password").exists()


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--db-host", "db.example.org"), "exclude"),
        (("--ports-prefix", "7"), "port"),
        (("--ports-prefix", "x"), "port"),
        (("--root-password-file", "/nowhere"), "/nowhere"),
    ],
)
def test_bad_input_makes_nothing(omero: Omero, more: tuple[str, ...], word: str) -> None:
    done = omero.run(*arguments(omero, *more, "--yes"))
    assert 2 <= done.returncode <= 6
    assert word in done.stderr.splitlines()[0]
    assert list(omero.home.iterdir()) == []


def test_without_a_directory(omero: Omero) -> None:
    done = omero.run("install", "--yes", environment={"OMERODIR": ""})
    assert done.returncode == 2
    assert "no directory" in done.stderr
    assert list(omero.home.iterdir()) == []


def test_a_distribution_is_left_alone(omero: Omero) -> None:
    (omero.omerodir / "lib" / "server").mkdir(parents=True)
    done = omero.run(*arguments(omero, "--yes"))
    assert done.returncode == 3
    assert "real OMERO.server" in done.stderr


def test_an_external_database(embedded_instance: DatabaseUnderTest, tmp_path: Path) -> None:
    """The fixture's database plays the one that others run; its schema is there already."""
    address = embedded_instance.address
    external = ExternalDatabase(address.host, address.port, address.name, address.user, address.password)
    wish = InstallWish(Instance(tmp_path / "OMERO.server"), tmp_path / "OMERO", external)
    result = plan_install(wish)
    assert not any("PostgreSQL" in line for line in result.plan.lines())
    apply_plan(result.plan, LocalHost())
    assert not plan_install(wish).plan
    with connect(DatabaseAddress.from_settings(load_settings(wish.instance))) as connection:
        assert connection.execute("select count(*) from experimenter").fetchone() == (2,)


def test_a_database_that_the_properties_name_is_kept(embedded_instance: DatabaseUnderTest, tmp_path: Path) -> None:
    omero, address = Omero(tmp_path / "other"), embedded_instance.address
    (omero.omerodir / "etc" / "grid").mkdir(parents=True)
    values = {"embedded": False, "host": address.host, "port": address.port, "name": address.name}
    values |= {"user": address.user, "pass": address.password}
    properties = json.dumps({f"omero.db.{name}": value for name, value in values.items()})
    omero.ok("config", "apply", "-", "--format", "json", input_text=properties)
    words = ("install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--detailed-exitcode")
    assert omero.run(*words, "--dry-run").returncode == 8
    assert omero.run(*words, "--yes").returncode == 8
    assert omero.ok(*words, "--dry-run")
    assert omero.ok("config", "get", "omero.db.port") == f"{address.port}\n"


def test_an_external_database_that_is_down(tmp_path: Path) -> None:
    external = ExternalDatabase("127.0.0.1", 9, "omero", "omero", "secret")
    with pytest.raises(AdminError) as caught:
        plan_install(InstallWish(Instance(tmp_path / "OMERO.server"), tmp_path / "OMERO", external))
    assert caught.value.exit_status == 4
    assert "127.0.0.1" in caught.value.message
    assert list(tmp_path.iterdir()) == []
