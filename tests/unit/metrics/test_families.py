"""Families are declared well, and samples become Prometheus' text."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from omeroadmin.metrics import families
from omeroadmin.metrics.exposition import exposition
from omeroadmin.metrics.families import FAMILIES, Family, Sample
from tests.support.components import require_program

RULES = Path(__file__).resolve().parents[3] / "contrib" / "prometheus" / "omero.rules.yml"


def test_every_family_is_listed_once() -> None:
    declared = {value for value in vars(families).values() if isinstance(value, Family)}
    assert len(FAMILIES) == len(declared) == len({family.name for family in FAMILIES})
    assert set(FAMILIES) == declared


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: str(family.name))
def test_names(family: Family) -> None:
    assert re.fullmatch(r"omero(_[a-z]+)+", family.name)
    assert family.help.endswith(".")
    assert not family.unit or family.name.endswith(f"_{family.unit}")
    assert not family.name.endswith("_total"), "these are gauges"


def test_exposition() -> None:
    text = exposition(
        [
            Sample(families.SERVER_UP, 1, ("Blitz-0",)),
            Sample(families.UP, 0),
            Sample(families.SERVER_UP, 0, ('a"b\\c\nd',)),
        ]
    )
    assert text == (
        "# HELP omero_up Whether the node and all servers that it is to run answer (1) or not (0).\n"
        "# TYPE omero_up gauge\n"
        "omero_up 0.0\n"
        "# HELP omero_server_up Whether a server runs and says that it is ready.\n"
        "# TYPE omero_server_up gauge\n"
        'omero_server_up{server="Blitz-0"} 1.0\n'
        'omero_server_up{server="a\\"b\\\\c\\nd"} 0.0\n'
    )


def test_promtool_finds_nothing_to_say() -> None:
    text = exposition(Sample(family, 1, tuple("x" for _ in family.labels)) for family in FAMILIES)
    promtool = require_program("promtool")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_alert_rules_name_families_that_exist() -> None:
    names = {family.name for family in FAMILIES}
    used = set(re.findall(r"\bomero_[a-z_]+", RULES.read_text()))
    assert used
    assert used <= names


def test_promtool_takes_the_alert_rules() -> None:
    promtool = require_program("promtool")
    for action, file in (("check", RULES), ("test", RULES.with_name("omero.rules.test.yml"))):
        done = subprocess.run(
            [promtool, action, "rules", file], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
