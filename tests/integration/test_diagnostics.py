"""Diagnostics of real instances: never started, running, and broken in every way."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.database.connection import connect
from omeroadmin.profiles.store import update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.workflows.checks.model import Diagnosis, Item, Status
from omeroadmin.workflows.diagnostics import diagnose
from tests.support.database import DatabaseUnderTest
from tests.support.grid import running_grid
from tests.support.omero import Omero

pytestmark = pytest.mark.skipif(os.geteuid() == 0, reason="servers refuse to run as root")


def look(instance: Instance, **environment: str) -> dict[str, dict[str, Item]]:
    """Items by category and name."""
    found = diagnose(instance, {**os.environ, **environment}, instance.omerodir / "home")
    return by_category(found)


def by_category(diagnosis: Diagnosis) -> dict[str, dict[str, Item]]:
    """Items by category and name."""
    return {category.id: {item.name: item for item in category.items} for category in diagnosis.categories}


@pytest.fixture
def omero(tmp_path: Path) -> Omero:
    """An instance of which only the directory exists."""
    omero = Omero(tmp_path)
    omero.omerodir.mkdir()
    return omero


def test_an_instance_that_was_never_started(omero: Omero) -> None:
    done = omero.run("admin", "diagnostics")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[1:4] == ["=" * 80, "OMERO Diagnostics (admin)", "=" * 80]
    assert "Server:     icegridnode                    not started (never was)" in lines
    assert "OMERO:      SSL port                       4064" in lines
    assert f"Environment:OMERODIR={omero.omerodir}" in lines
    assert any(
        re.fullmatch(r"Commands:   python -V {21} 3\.\S+ +\(\S+\)|Commands:   python -V .*", line) for line in lines
    )
    assert omero.run("admin", "diagnostics", "--strict").returncode == 1
    assert [path.name for path in omero.omerodir.iterdir()] == [], "looking changes nothing"


def test_a_database_that_hides_its_tables(embedded_instance: DatabaseUnderTest) -> None:
    """What was restored as another role: neither diagnostics nor others take it for a bug of theirs."""
    instance, home = embedded_instance.instance, embedded_instance.instance.omerodir.parent
    update_profile(instance.config_xml, embedded_instance.settings.explicit())
    superuser = dataclasses.replace(embedded_instance.superuser, name=embedded_instance.address.name)
    with connect(superuser, autocommit=True) as connection:
        connection.execute("ALTER TABLE public.dbpatch OWNER TO postgres")
    denied = look(instance)["database"]["database-denied"]
    assert denied.status is Status.FAIL
    assert "permission denied for table dbpatch" in denied.evidence
    assert denied.hint.endswith("omero db check")
    done = Omero(home).run("fs", "check")
    assert done.returncode == 3
    assert "permission denied for table dbpatch" in done.stderr


def test_without_logs(omero: Omero) -> None:
    assert "Log files" not in omero.ok("admin", "diagnostics", "--no-logs")
    assert "Log files" in omero.ok("admin", "diagnostics")


def test_as_json(omero: Omero) -> None:
    document: dict[str, Any] = omero.json("admin", "diagnostics", "--json")
    assert document["schema"] == "omeroadmin/diagnostics/1"
    assert {item["status"] for category in document["categories"] for item in category["items"]} <= set(Status)


def test_everything_is_broken(omero: Omero) -> None:
    grid = omero.omerodir / "etc" / "grid"
    grid.mkdir(parents=True)
    (grid / "config.xml").write_text("<icegrid><properties")
    (grid / "templates.xml").write_text("not XML")
    (omero.omerodir / "etc" / "internal.cfg").write_text("")
    (omero.omerodir / "var").mkdir()
    (omero.omerodir / "var" / "log").write_text("a file")
    done = omero.run("admin", "diagnostics", "--json")
    assert done.returncode == 0, done.stderr
    categories = {category["id"]: category["items"] for category in json.loads(done.stdout)["categories"]}
    assert categories["configuration"][0]["status"] == "fail"
    assert "config.xml" in categories["configuration"][0]["evidence"]
    assert categories["jvm"][0]["status"] == "fail"
    assert categories["servers"][0]["evidence"] == "not started"


@pytest.mark.parametrize(
    ("name", "value", "category"),
    [
        ("omero.ports.ssl", "high", "ports"),
        ("omero.db.port", "x", "database"),
        ("omero.cluster.read_only.repo", "perhaps", "directories"),
        ("omero.backup.target", "/etc", "backup"),
        ("omero.data.dir", "${omero.managed.dir}", "directories"),
    ],
)
def test_one_wrong_value_spoils_one_category(omero: Omero, name: str, value: str, category: str) -> None:
    instance = Instance(omero.omerodir)
    instance.grid_directory.mkdir(parents=True)
    update_profile(instance.config_xml, {"omero.data.dir": str(omero.home), name: value})
    found = look(instance)
    [item] = found[category].values()
    assert item.status is Status.FAIL
    assert item.hint
    assert found["commands"]
    assert found["environment"]


def test_an_instance_of_another_user(omero: Omero) -> None:
    instance = Instance(omero.omerodir)
    instance.grid_directory.mkdir(parents=True)
    instance.log_directory.mkdir(parents=True)
    instance.server_jars.mkdir(parents=True)
    closed = (instance.etc, instance.var, instance.server_jars.parent)
    for directory in closed:
        directory.chmod(0)
    try:
        done = omero.run("admin", "diagnostics")
        metrics = omero.run("metrics", "show")
    finally:
        for directory in closed:
            directory.chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert "Permission denied" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert metrics.returncode in range(2, 7)
    assert "config.xml" in metrics.stderr
    assert "Traceback" not in metrics.stderr


def test_states_of_running_servers(tmp_path: Path) -> None:
    modes = {"Blitz-0": "ready", "Tables-0": "optional", "Indexer-0": "wrong", "TestDropBox": "manual:ready"}
    with running_grid(tmp_path, modes) as grid:
        grid.wait_active("Blitz-0")
        grid.wait("Tables-0", lambda server: not server.enabled)
        grid.wait("Indexer-0", lambda server: not server.enabled)
        grid.instance.internal_cfg.write_text("")
        servers = look(grid.instance)["servers"]
        pid = grid.server("Blitz-0").pid
    assert list(servers) == ["icegridnode", "Blitz-0", "Indexer-0", "Tables-0", "TestDropBox"]
    assert servers["icegridnode"].evidence == "running"
    assert servers["Blitz-0"] == Item("Blitz-0", Status.OK, f"active (pid = {pid}, enabled)")
    assert servers["Tables-0"].evidence == "inactive (disabled): PyTables is not installed"
    assert servers["Tables-0"].status is Status.SKIP
    assert servers["Indexer-0"].evidence == "inactive (disabled): the database is too old"
    assert servers["Indexer-0"].status is Status.FAIL
    assert servers["TestDropBox"].evidence == "inactive (enabled)"
    assert look(grid.instance)["servers"]["icegridnode"].evidence == "not started"


def test_database_and_its_schema(embedded_instance: DatabaseUnderTest) -> None:
    instance, settings = embedded_instance.instance, embedded_instance.settings
    update_profile(instance.config_xml, settings.explicit())
    [item] = look(instance)["database"].values()
    assert item.status is Status.OK
    assert re.fullmatch(r"PostgreSQL \d+\.\d+, OMERO5\.4__0", item.evidence)
    update_profile(instance.config_xml, {"omero.db.pass": "wrong"})
    [item] = look(instance)["database"].values()
    assert item.status is Status.FAIL
    assert "password" in item.evidence
    assert "wrong" not in item.evidence
