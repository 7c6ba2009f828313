"""Reports of roll-outs for people and programs."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Sequence
from typing import Any

from omeroadmin.cli.boundary import say
from omeroadmin.cli.output import Style, print_json, print_lines, print_table
from omeroadmin.cli.views.host_groups import alike, each, names_of
from omeroadmin.cli.views.rollouts import say_problem
from omeroadmin.errors import printable
from omeroadmin.provisioning.rollout_plan import HostState
from omeroadmin.provisioning.rollout_report import Done, HostReport, RolloutReport, count_states

_RUN_COLUMNS = ("run", "action", "begun", "who", "playbooks", "hosts")


def print_applied(report: RolloutReport, *, quiet: bool) -> None:
    """As :func:`print_report`; off a terminal nothing is printed where all is as it was."""
    idle = all(host.state is HostState.UNCHANGED for host in report.hosts) and not sys.stdout.isatty()
    print_report(report, quiet=quiet or idle)


def print_report(report: RolloutReport, *, quiet: bool = False) -> None:
    """Hosts and what was changed there, said once of those that changed in the same way; what failed is on stderr.

    :param quiet: whether only what failed is said
    """
    if not quiet:
        _print_hosts(report)
    _say_problems(report)


def _print_hosts(report: RolloutReport) -> None:
    for hosts in alike(report.hosts, _became):
        print_lines(_headline(hosts))
        print_lines(*(f"  {printable(words)}{_place(done)}" for done in hosts[0].changes for words in done.words))
    print_lines(f"{report.action} {report.run}: {_states(report)}{_time(report)}")


def _say_problems(report: RolloutReport) -> None:
    for host in report.hosts:
        if host.problem is not None:
            say_problem(host.host, host.problem)


def _became(host: HostReport) -> Hashable:
    return (host.state, *((done.key, done.words, done.undone) for done in host.changes))


def _headline(hosts: Sequence[HostReport]) -> str:
    first, seconds = hosts[0], max(host.seconds for host in hosts)
    count = f", {each(first.change_count, 'change', len(hosts))}" if first.change_count else ""
    time = f", {'at most ' if len(hosts) > 1 else ''}{seconds:.1f} s" if seconds else ""
    return f"{names_of([host.host for host in hosts])}: {first.state.value}{count}{time}"


def _place(done: Done) -> str:
    return f"  ({done.key})" if done.key else ""


def _time(report: RolloutReport) -> str:
    return f"; {report.seconds:.1f} s" if report.complete else "; it did not come to its end"


def print_report_json(report: RolloutReport) -> None:
    """All of it."""
    print_json("hosts/report", {**_head(report), "hosts": report.hosts})
    _say_problems(report)


def _head(report: RolloutReport) -> dict[str, Any]:
    return {
        "run": report.run,
        "action": report.action,
        "undoes": report.undoes or None,
        "begun": report.begun,
        "who": report.who,
        "playbooks": report.playbooks,
        "complete": report.complete,
        "seconds": report.seconds,
    }


def _counts(report: RolloutReport) -> dict[str, int]:
    return {state.value: count for state, count in count_states(report.hosts).items()}


def print_runs(reports: Sequence[RolloutReport], *, as_json: bool) -> None:
    """A line each; as JSON what :func:`print_report_json` has, but how many hosts are in which state."""
    if as_json:
        print_json("hosts/runs", {"runs": [{**_head(report), "counts": _counts(report)} for report in reports]})
        return
    rows = [
        (
            report.run,
            report.action,
            report.begun,
            report.who,
            report.undoes or ",".join(report.playbooks),
            _states(report),
        )
        for report in reports
    ]
    print_table("hosts/runs", _RUN_COLUMNS, rows, Style.SQL)


def _states(report: RolloutReport) -> str:
    return ", ".join(f"{count} {state}" for state, count in _counts(report).items())


def say_changes(report: RolloutReport, hosts: Sequence[str]) -> None:
    """What a run has changed on some hosts, last first: what undoing it takes back."""
    for host in report.hosts:
        if host.host in hosts:
            say(f"{host.host}: takes back, where there is a way back:")
            for done in reversed(host.changes):
                for words in reversed(done.words):
                    say(f"  {printable(words)}")
