"""What a new descriptor means for a running server."""

from __future__ import annotations

import pytest

from omeroadmin.grid.application import Changes, compare
from omeroadmin.grid.driver import DeployReport
from tests.support.specifications import specification

OLD = specification()


@pytest.mark.parametrize(
    "change",
    [
        {"executable": "java"},
        {"options": ("-m", "runtime", "-Xmx1g")},
        {"environment": (("A", "c"),)},
        {"working_directory": "/"},
        {"activation": "manual"},
        {"properties": (("omero.example", "other"),)},
        {"properties": (("omero.example", "a b"), ("omero.cluster.read_only", "true"))},
        {"properties": ()},
        {"properties": (("omero.example", "a b"), ("somebody.else", "1"))},
    ],
    ids=str,
)
def test_what_needs_a_restart(change: dict[str, object]) -> None:
    assert compare({"Blitz-0": OLD}, [specification(**change)]) == Changes((), ("Blitz-0",), ())


@pytest.mark.parametrize(
    "change",
    [
        {"activation_timeout": 1},
        {"deactivation_timeout": 1},
        {"properties": (("omero.example", "x"), ("omero.example", "a b"))},
        {"properties": (("omero.jvmcfg.percent", "20"), ("omero.example", "a b"))},
        {"properties": (("omero.example", "a b"), ("omero.backup.target", "/backup"))},
        {"properties": (("omero.example", "a b"), ("omero.web.debug", "true"))},
    ],
    ids=str,
)
def test_what_does_not(change: dict[str, object]) -> None:
    assert compare({"Blitz-0": OLD}, [specification(**change)]) == Changes((), (), ())


def test_comes_and_goes() -> None:
    new = [specification(identifier="B"), specification(identifier="C")]
    assert compare({"A": specification(identifier="A"), "B": new[0]}, new) == Changes(("C",), (), ("A",))


def test_a_report_in_words() -> None:
    assert DeployReport().describe() == "nothing has changed"
    report = DeployReport(("A",), ("B", "C"), ("D",), ("E",))
    assert report.describe() == "started A; restarted B, C; stopped D"
    assert not DeployReport(updated=("E",))
