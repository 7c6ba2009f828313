"""What plans and reports of many hosts look like."""

from __future__ import annotations

import pytest

from omeroadmin.cli.views.rollout_reports import print_report
from omeroadmin.cli.views.rollouts import plan_lines, print_differences
from omeroadmin.provisioning.rollout_plan import HostPlan, HostState, PlannedChange, Problem, RolloutPlan
from omeroadmin.provisioning.rollout_report import Done, HostReport, RolloutReport


def change(text: str) -> PlannedChange:
    return PlannedChange("p/s/1", "p/s", "", "write /etc/motd", "old\n", f"{text}\n")


def planned(names: str, state: HostState = HostState.CHANGES, text: str = "new") -> list[HostPlan]:
    changes = (change(text),) if state is HostState.CHANGES else ()
    return [HostPlan(name, state, changes, operations=2) for name in names.split()]


def report(*hosts: HostReport) -> RolloutReport:
    return RolloutReport("20261124-101500-314159", "apply", "", "me", ("p",), hosts, True, 2.0)


def test_twenty_hosts_with_the_same_changes_are_one_block() -> None:
    names = " ".join(f"web{number}" for number in range(20))
    hosts = [
        *planned(names),
        *planned("db", text="db"),
        *planned("w1 w2", HostState.UNCHANGED),
        *planned("w3", HostState.UNREACHABLE),
    ]
    assert list(plan_lines(RolloutPlan(("p",), tuple(hosts)), ())) == [
        f"{names.replace(' ', ', ')} (20 hosts): 1 change each, 2 operations",
        "  p/s: write /etc/motd",
        "      @@ -1 +1 @@",
        "      -old",
        "      +new",
        "db: 1 change, 2 operations",
        "  p/s: write /etc/motd",
        "      @@ -1 +1 @@",
        "      -old",
        "      +db",
        "w1, w2: nothing to do, 2 operations",
        "w3: unreachable",
        "21 changes on 21 hosts; nothing to do on 2 hosts; 1 host not planned",
    ]


def test_differences_are_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    print_differences(RolloutPlan(("p",), (*planned("a b"), *planned("c", text="other"))))
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("+++")] == [
        "+++ a, b write /etc/motd",
        "+++ c write /etc/motd",
    ]


def test_a_report_groups_hosts_and_says_where_it_failed(capsys: pytest.CaptureFixture[str]) -> None:
    done = (Done("p/s/1", ("write /etc/motd",), 0.1),)
    again = (Done("p/s/1", ("write /etc/motd",), 0.2),)
    odd = Problem("host-odd", "it is odd", "look", "p/s/2")
    print_report(
        report(
            HostReport("a", HostState.CHANGED, done, seconds=1.0),
            HostReport("b", HostState.FAILED, done, odd, 1.0),
            HostReport("c", HostState.CHANGED, again, seconds=1.5),
        ),
        quiet=False,
    )
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "a, c: changed, 1 change each, at most 1.5 s",
        "  write /etc/motd  (p/s/1)",
        "b: failed, 1 change, 1.0 s",
        "  write /etc/motd  (p/s/1)",
        "apply 20261124-101500-314159: 2 changed, 1 failed; 2.0 s",
    ]
    assert said.err == "omero: b: it is odd  (p/s/2)\n  -> look\n"


def test_long_texts_and_lines_are_cut_in_a_plan_and_whole_in_differences(capsys: pytest.CaptureFixture[str]) -> None:
    plan = RolloutPlan(("p",), tuple(planned("a", text="\n".join(["x" * 5000, *map(str, range(100))]))))
    lines = list(plan_lines(plan, ()))
    assert lines[4] == f"      +{'x' * 298}…"
    assert lines[-2] == "      … 43 more lines: omero hosts diff"
    print_differences(plan)
    assert f"+{'x' * 5000}\n" in capsys.readouterr().out
