"""Properties are compared without the toolkit, and set by it."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.provisioning.agent.config_xml import is_secret
from omeroadmin.schema.catalog import settings
from tests.support.agents import Worker

PROGRAM = str(Path(sys.executable).parent / "omero")


@pytest.fixture
def omerodir(tmp_path: Path) -> Path:
    """An instance without properties."""
    directory = tmp_path / "OMERO.server"
    (directory / "etc" / "grid").mkdir(parents=True)
    return directory


def wish(omerodir: Path, **fields: Any) -> dict[str, Any]:
    return Worker.wish("omero-config", omerodir=str(omerodir), program=PROGRAM, user=getpass.getuser(), **fields)


def value(omerodir: Path, name: str) -> str:
    environment = {**os.environ, "OMERODIR": str(omerodir)}
    done = subprocess.run(
        [PROGRAM, "config", "get", name], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout.rstrip("\n")


def test_set_removed_and_given_back(local: Worker, omerodir: Path) -> None:
    path = omerodir / "etc" / "grid" / "config.xml"
    first = wish(
        omerodir, set={"omero.data.dir": "/OMERO", "omero.db.poolsize": 30}, set_secret={"omero.db.pass": "s'\"é"}
    )
    assert local.apply(first) == [f"make {path} and set omero.data.dir, omero.db.pass, omero.db.poolsize"]
    assert (value(omerodir, "omero.db.pass"), value(omerodir, "omero.db.poolsize")) == ("s'\"é", "30")
    assert path.stat().st_mode & 0o077 == 0
    assert local.apply(first) == []
    second = wish(
        omerodir, set={"omero.db.host": "db1"}, set_secret={"omero.db.pass": "new"}, remove=["omero.db.poolsize"]
    )  # fmt: skip
    [change] = local.messages(second)[1]["changes"]
    assert change["before"] == "omero.db.pass=********\nomero.db.poolsize=30\n"
    assert change["after"] == "omero.db.host=db1\nomero.db.pass=******** (another)\n"
    [words] = local.undo()
    assert words.endswith("left omero.db.pass: earlier secrets are not kept")
    assert (value(omerodir, "omero.db.host"), value(omerodir, "omero.db.poolsize")) == ("", "30")
    assert value(omerodir, "omero.db.pass") == "new"


def test_facts_hold_values_of_what_is_no_secret(local: Worker, omerodir: Path) -> None:
    local.apply(
        wish(omerodir, set={"omero.data.dir": "/a"}, set_secret={"omero.ldap.password": "hush", "my.own": "hush"})
    )
    fields = wish(omerodir, set={"omero.data.dir": "/b", "omero.ldap.password": "x"}, set_secret={"my.own": "x"})
    facts = local.facts(**{name: value for name, value in fields.items() if name != "key"})
    assert "hush" not in str(facts)
    assert facts["properties"]["omero.data.dir"] == {"is": "other", "value": "/a"}


def test_what_the_toolkit_refuses_is_one_line(local: Worker, omerodir: Path) -> None:
    error = local.failure(wish(omerodir, set={"omero.db.port": "many"}))
    assert error["code"] == "host-omero-failed"
    assert "omero.db.port" in error["message"]
    assert error["hint"]
    assert not (omerodir / "etc" / "grid" / "config.xml").exists()


@pytest.mark.parametrize(
    "text",
    ["<!DOCTYPE x [<!ENTITY a 'b'>]><icegrid/>", "<icegrid>", "<other/>", "<?xml version='1.0' encoding='x'?><i/>"],
)
def test_a_file_that_is_no_configuration_is_left(local: Worker, omerodir: Path, text: str) -> None:
    path = omerodir / "etc" / "grid" / "config.xml"
    path.write_text(text)
    assert local.failure(wish(omerodir, set={"omero.data.dir": "/a"}))["code"] == "host-config-unparsable"
    assert path.read_text() == text


def test_names_of_all_declared_secrets_are_known_to_the_agent() -> None:
    declared = {name for name, setting in settings().items() if setting.is_secret}
    assert declared
    assert {name for name in settings() if is_secret(name)} == declared | {"omero.web.show_forgot_password"}
    assert is_secret("omero.db.pass.Blitz-0")
