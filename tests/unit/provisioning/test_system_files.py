"""Schedules, limits and parameters of the kernel are checked before anything is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.provisioning.agent.operations import cron_operation, limits_operation, sysctl_operation
from omeroadmin.provisioning.operations.catalog import complete, declarations
from omeroadmin.provisioning.operations.declared.system_files import schedule_fault

NOTHING = {"exists": False, "unfinished": False}


@pytest.mark.parametrize(
    "schedule",
    ["* * * * *", "30 2 * * *", "*/15 0-6/2 1,15 jan-MAR Mon-fri", "0 0 31 12 7", "@daily", "@reboot", " 1  2 3 4 5 "],
)
def test_schedules(schedule: str) -> None:
    assert schedule_fault(schedule) == ""


@pytest.mark.parametrize(
    "schedule",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *",
     "*/0 * * * *", "*/x * * * *", "a * * * *", "1, * * * *", "5/2 * * * *", "@often", "@daily root", "-1 * * * *",
     "² * * * *"],
)  # fmt: skip
def test_no_schedules(schedule: str) -> None:
    assert schedule_fault(schedule) != ""


@given(st.text(max_size=30))
def test_any_text_is_a_schedule_or_not(schedule: str) -> None:
    assert isinstance(schedule_fault(schedule), str)


@pytest.mark.parametrize(
    ("kind", "fields", "fault"),
    [
        ("cron", {"name": "a.b", "schedule": "@daily", "command": "x"}, "letters, digits"),
        ("cron", {"name": "a", "schedule": "@daily", "command": "x\ny"}, "one line"),
        ("cron", {"name": "a", "schedule": "@daily", "command": "x", "environment": {"A": "1\n2"}}, "crontab"),
        ("cron", {"name": "a", "schedule": "", "command": "", "state": "absent"}, ""),
        ("sysctl", {"name": "a", "values": {"vm": 1}}, "no parameter"),
        ("sysctl", {"name": "a", "values": {"vm/../../etc": 1}}, "no parameter"),
        ("sysctl", {"name": "a", "values": {"vm.swappiness": "1\nx = 2"}}, "one line"),
        ("sysctl", {"name": "a"}, "values are needed"),
        ("limits", {"name": "a", "domain": "*", "values": {"nofiles": 1}}, "no limit"),
        ("limits", {"name": "a", "domain": "x y", "values": {"nofile": 1}}, "domain"),
        ("limits", {"name": "a", "domain": "@g", "values": {"nofile": "many"}}, "number or unlimited"),
        ("limits", {"name": "a", "domain": "@g", "values": {"nofile": -1}}, ""),
    ],
)
def test_fields_are_checked_together(kind: str, fields: dict[str, object], fault: str) -> None:
    check = declarations()[kind].check
    assert check is not None
    said = check(complete(kind, **fields))
    assert fault in said
    assert bool(said) == bool(fault)


def test_what_is_written() -> None:
    cron = complete(
        "cron", name="n", schedule="1 2  * * *", user="u", command=r"date +%F \%", environment={"PATH": "/bin", "A": ""}
    )
    assert (cron_operation.plan(cron, NOTHING)[0].after or "").splitlines()[1:] == [
        'A=""', "PATH=/bin", r"1 2 * * * u date +\%F \%",
    ]  # fmt: skip
    limits = complete("limits", name="n", domain="@g", values={"nofile": 65536, "core": "unlimited"})
    assert (limits_operation.plan(limits, NOTHING)[0].after or "").splitlines()[1:] == [
        "@g - nofile 65536", "@g - core unlimited",
    ]  # fmt: skip


def test_values_in_force_are_compared_by_their_words() -> None:
    wish = complete("sysctl", name="n", values={"net.ipv4.tcp_rmem": "1 2 3", "vm.swappiness": 10, "net.later": 1})
    live = {"net.ipv4.tcp_rmem": "1 2 3", "vm.swappiness": "60", "net.later": None}
    facts = {"exists": True, "kind": "file", "mode": "0644", "owner": "root", "group": "root", "same": True}
    changes = sysctl_operation.plan(wish, {**facts, "unfinished": False, "live": live})
    assert [change.words for change in changes] == ["set vm.swappiness now"]
