"""What becomes of services, by what their manager says."""

from __future__ import annotations

from typing import Any

import pytest

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.operations.catalog import declarations
from omeroadmin.provisioning.operations.declared.services import unit_fault
from tests.support.wishes import planned, planned_words


def service(**more: Any) -> dict[str, Any]:
    return {"manager": "systemd", "known": True, "active": True, "enabled": True, "masked": False, **more}


@pytest.mark.parametrize(
    ("facts", "wished", "expected"),
    [
        (service(), {"state": "started", "enabled": True}, []),
        (service(), {}, []),
        (service(active=False, enabled=False), {"state": "started", "enabled": True}, ["enable", "start"]),
        (service(), {"state": "stopped", "enabled": False}, ["stop", "disable"]),
        (service(active=False), {"state": "stopped"}, []),
        (service(enabled=None), {"enabled": True}, []),
        (service(), {"state": "restarted"}, ["restart"]),
        (service(), {"state": "reloaded"}, ["reload"]),
        (service(active=False), {"state": "reloaded"}, ["reload"]),
        (service(known=False, active=False, enabled=False), {"state": "stopped", "enabled": False}, []),
    ],
)
def test_plan(facts: dict[str, Any], wished: dict[str, Any], expected: list[str]) -> None:
    assert planned("service", facts, name="nginx", **wished) == expected


def test_service_that_an_earlier_operation_brings_is_started_later() -> None:
    facts = service(known=False, active=False, enabled=False)
    assert planned_words("service", facts, name="nginx", state="started", enabled=True) == [
        "have nginx start with the machine, once it is installed", "start nginx, once it is installed",
    ]  # fmt: skip


def test_masked_service_is_not_started_in_silence() -> None:
    with pytest.raises(HostError) as caught:
        planned("service", service(masked=True, active=False), name="nginx", state="started")
    assert caught.value.code == "host-service-masked"


def test_unit_needs_content_from_one_place() -> None:
    usual = {field.name: field.default for field in declarations()["unit"].fields}
    assert unit_fault(usual)
    assert unit_fault({**usual, "content": "[Unit]", "template": "x.j2"})
    assert unit_fault({**usual, "content": "[Unit]", "state": "absent"})
    assert not unit_fault({**usual, "content": "[Unit]"})
    assert not unit_fault({**usual, "state": "absent"})
