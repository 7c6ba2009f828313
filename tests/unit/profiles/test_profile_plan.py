"""Properties in a plan: only what differs, and no secrets shown."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.profiles.plan import plan_properties
from omeroadmin.profiles.store import read_profile
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost
from tests.support.profiles import config_file


def test_plan_shows_what_differs_and_applied_is_empty(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    wanted = {"omero.data.dir": "/OMERO", "omero.db.pass": "s3cret", "omero.db.name": "omero"}
    plan = plan_properties({"omero.db.name": "omero"}, wanted, file)
    assert plan.lines() == ["set omero.data.dir=/OMERO, omero.db.pass=********"]
    assert "s3cret" not in repr(plan)
    apply_plan(plan, LocalHost())
    assert read_profile(file).values == {"omero.data.dir": "/OMERO", "omero.db.pass": "s3cret"}
    assert not plan_properties(read_profile(file).values, {"omero.data.dir": "/OMERO"}, file)
