"""What becomes of virtual environments, by what is in them."""

from __future__ import annotations

from typing import Any

import pytest

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.requirements import parse_requirement, read_requirements
from tests.support.wishes import planned, planned_words


def environment(**more: Any) -> dict[str, Any]:
    usual = {
        "state": "whole", "why": "", "python": "3.11", "wished_python": "3.11", "owner": "root",
        "versions": {}, "recorded": [], "wanted": [],
    }  # fmt: skip
    return {**usual, **more}


@pytest.mark.parametrize(
    ("packages", "facts", "expected"),
    [
        (["redis"], {"versions": {"redis": "5.0"}}, []),
        (["redis>=5,<6"], {"versions": {"redis": "5.0"}}, []),
        (["Django==5.2.*", "redis"], {"versions": {"redis": "5.0", "django": "4.2.1"}}, ["install"]),
        (["redis[hiredis]"], {"versions": {"redis": "5.0"}}, ["install"]),
        (["redis[hiredis]"], {"versions": {"redis": "5.0"}, "recorded": ["redis[hiredis]"]}, []),
        (["/x/omero-1-py3-none-any.whl"], {"versions": {"omero": "1"}}, ["install"]),
        (["redis"], {"versions": {"redis": "5.0"}, "wished_python": "3.13"}, ["rebuild", "install"]),
        (["redis"], {"versions": {"redis": "5.0"}, "wished_python": ""}, []),
        (["redis"], {"state": "absent", "python": ""}, ["make", "install"]),
        (["redis"], {"state": "broken", "why": "its Python is gone"}, ["rebuild", "install"]),
        ([], {"wanted": ["gunicorn==23.0"], "versions": {"gunicorn": "22.0"}}, ["install"]),
        ([], {"wanted": ["gunicorn==23.0"], "versions": {"gunicorn": "23.0"}}, []),
    ],
)
def test_plan(packages: list[str], facts: dict[str, Any], expected: list[str]) -> None:
    assert planned("virtualenv", environment(**facts), path="/v", packages=packages) == expected


def test_requirements_file_that_comes_with_an_earlier_operation() -> None:
    facts = environment(state="absent", python="")
    assert planned_words("virtualenv", facts, path="/v", requirements="/r.txt") == [
        "make the virtual environment /v with python3", "install what /r.txt names in /v",
    ]  # fmt: skip


def test_owner_is_mended_and_foreign_directories_stay() -> None:
    assert planned("virtualenv", environment(), path="/v", owner="omero-web") == ["own"]
    assert planned("virtualenv", environment(), path="/v", state="absent") == ["remove"]
    for state in ("present", "absent"):
        with pytest.raises(HostError) as caught:
            planned("virtualenv", environment(state="foreign"), path="/v", state=state)
        assert caught.value.code == "host-not-a-virtualenv"


def test_requirements_file_is_read_without_options_hashes_and_comments() -> None:
    text = (
        "# ours\n--index-url https://u:p@index.example.org/simple\n-r other.txt\n\nredis==5.0 \\\n"
        "    --hash=sha256:00 \\\n    --hash=sha256:11\nDjango>=5.2  # the long-lived one\nx @ https://example.org/x.zip#sha256=1\n"
    )
    assert read_requirements(text) == ["redis==5.0", "Django>=5.2", "x @ https://example.org/x.zip#sha256=1"]
    assert parse_requirement("x @ https://example.org/x.zip").name == "x"
    assert not parse_requirement("x; python_version < '3.12'").plain
