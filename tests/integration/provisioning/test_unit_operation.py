"""Unit files through an agent on this machine; systemd-analyze is the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.agents import Worker
from tests.support.checkout import ROOT
from tests.support.components import require_program

BACKUP = (ROOT / "contrib" / "systemd" / "omero-backup.timer").read_text()
SERVER = (ROOT / "contrib" / "systemd" / "omero-server.service").read_text()
SITE = "[Service]\nNice=5\n"


def test_units_of_ours_are_accepted_written_once_and_taken_back(local: Worker, tmp_path: Path) -> None:
    where = str(tmp_path)
    wishes = [
        local.wish("unit", name="omero-server.service", content=SERVER, directory=where),
        local.wish("unit", name="omero-backup.timer", content=BACKUP, directory=where),
        local.wish("unit", name="omero-server.service", drop_in="site", content=SITE, directory=where),
    ]
    assert f"write {where}/omero-server.service (0644)" in local.apply(*wishes)
    assert (tmp_path / "omero-server.service").read_text() == SERVER
    assert (tmp_path / "omero-server.service.d" / "site.conf").stat().st_mode & 0o777 == 0o644
    local.undo()
    assert not (tmp_path / "omero-server.service").exists()
    local.apply(*wishes)
    assert local.apply(*wishes) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[Service]\nType=simple\n", "no ExecStart="),
        ("[Service]\nExecStart=/bin/true\nEnviroment=A=b\n", "Unknown key"),
        ("[Service]\nExecStart=/bin/true\nType=sometimes\n", "service type"),
    ],
)
def test_unit_with_a_fault_leaves_the_present_one(local: Worker, tmp_path: Path, content: str, why: str) -> None:
    require_program("systemd-analyze")
    (tmp_path / "x.service").write_text("[Service]\nExecStart=/bin/true\n")
    error = local.failure(local.wish("unit", name="x.service", content=content, directory=str(tmp_path)))
    assert error["code"] == "host-unit-invalid"
    assert why in error["message"]
    assert (tmp_path / "x.service").read_text() == "[Service]\nExecStart=/bin/true\n"
