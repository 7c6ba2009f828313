"""Plans of roll-outs for people and programs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Hashable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from omeroadmin.cli.boundary import say
from omeroadmin.cli.output import print_json, print_lines, wants_colour
from omeroadmin.cli.views.host_groups import alike, each, names_of
from omeroadmin.errors import printable
from omeroadmin.provisioning.rollout_plan import HostPlan, HostState, PlannedChange, Problem, RolloutPlan
from omeroadmin.provisioning.rollout_report import Done, HostReport

MOST_LINES = 60
"""Lines of one difference in a plan; omero hosts diff shows all."""
MOST_LETTERS = 300
"""Of one of these lines."""
_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}


class PlanProgress:
    """Counts hosts on the terminal that stderr is; elsewhere it says nothing. A context, and a listener.

    :param quiet: whether it says nothing anywhere
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._is_terminal = sys.stderr.isatty() and not quiet
        self._lock = threading.Lock()
        self._connected = self._planned = 0

    def __enter__(self) -> Self:
        self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self._is_terminal = False

    def connected(self, host: str) -> None:  # noqa: ARG002 - as all listeners
        """One more."""
        with self._lock:
            self._connected += 1
            self._show()

    def planned(self, plan: HostPlan) -> None:  # noqa: ARG002
        """One more."""
        with self._lock:
            self._planned += 1
            self._show()

    def started(self, host: str, title: str, number: int, count: int) -> None:
        """Nothing is started while plans are made."""

    def done(self, host: str, done: Done) -> None:
        """Nothing is done."""

    def halting(self) -> None:
        """Nothing is at work."""

    def ended(self, report: HostReport) -> None:
        """Nothing ends."""

    def _show(self) -> None:
        if self._is_terminal:
            sys.stderr.write(f"\r\x1b[KLooking: {self._connected} connected, {self._planned} done")
            sys.stderr.flush()


def print_plan(plan: RolloutPlan, absent: Sequence[str]) -> None:
    """What would change, with differences."""
    print_lines(*plan_lines(plan, absent, colour=wants_colour()))


def plan_lines(plan: RolloutPlan, absent: Sequence[str], *, colour: bool = False) -> Iterator[str]:
    """A block for all hosts that change in the same way, and a sum.

    :param absent: playbooks that no host is there for
    """
    for hosts in alike(plan.hosts, _change_of):
        yield _headline(hosts)
        for change in hosts[0].changes:
            yield f"  {change.stage}: {printable(change.words)}{_named(change)}"
            lines = change.diff()
            for line in lines[:MOST_LINES]:
                yield f"      {_shown(_cut(line), colour=colour)}"
            if len(lines) > MOST_LINES:
                yield f"      … {len(lines) - MOST_LINES} more lines: omero hosts diff"
    if absent:
        yield f"Without a host: {', '.join(absent)}"
    yield _sum(plan)


def _change_of(host: HostPlan) -> Hashable:
    changes = ((change.stage, change.name, change.words, change.before, change.after) for change in host.changes)
    return (host.state, host.operations, *changes)


def _headline(hosts: Sequence[HostPlan]) -> str:
    names, first = names_of([host.host for host in hosts]), hosts[0]
    operations = _counted(first.operations, "operation")
    if first.state is HostState.CHANGES:
        return f"{names}: {each(first.real_changes, 'change', len(hosts))}, {operations}"
    if first.state is HostState.UNCHANGED:
        return f"{names}: nothing to do, {operations}"
    return f"{names}: {first.state.value}"


def _named(change: PlannedChange) -> str:
    return f"  ({printable(change.name)})" if change.name else ""


def _sum(plan: RolloutPlan) -> str:
    count = sum(host.state is HostState.CHANGES for host in plan.hosts)
    changes = sum(host.real_changes for host in plan.hosts)
    same = sum(host.state is HostState.UNCHANGED for host in plan.hosts)
    other = len(plan.hosts) - count - same
    text = f"{_counted(changes, 'change')} on {_counted(count, 'host')}; nothing to do on {_counted(same, 'host')}"
    return text + (f"; {_counted(other, 'host')} not planned" if other else "")


def print_differences(plan: RolloutPlan) -> None:
    """The differences of texts alone, and a line for each other change."""
    colour = wants_colour()
    for hosts in alike(plan.hosts, _change_of):
        names = names_of([host.host for host in hosts])
        for change in hosts[0].changes:
            lines = change.diff()
            if lines:
                print_lines(f"--- {names} now", f"+++ {names} {printable(change.words)}")
                print_lines(*(_shown(line, colour=colour) for line in lines))
            else:
                print_lines(f"{names}: {printable(change.words)}")


def say_plan_problems(plan: RolloutPlan) -> None:
    """A line on stderr for each host that could not be planned."""
    for host in plan.hosts:
        if host.problem is not None:
            say_problem(host.host, host.problem)


def say_problem(host: str, problem: Problem) -> None:
    """Why a host is left alone."""
    place = f"  ({problem.key})" if problem.key else ""
    say(f"omero: {host}: {printable(problem.message)}{place}")
    if problem.hint:
        say(f"  -> {printable(problem.hint)}")


def print_plan_json(plan: RolloutPlan) -> None:
    """All of it."""
    print_json("hosts/plan", {"playbooks": plan.playbooks, "hosts": [_host_data(host) for host in plan.hosts]})


def _host_data(host: HostPlan) -> dict[str, Any]:
    return {
        "host": host.host,
        "state": host.state,
        "operations": host.operations,
        "seconds": host.seconds,
        "problem": host.problem,
        "changes": [
            {
                "key": change.key,
                "stage": change.stage,
                "name": change.name,
                "words": change.words,
                "diff": change.diff(),
                "waits": change.waits,
            }
            for change in host.changes
        ],
    }


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _cut(line: str) -> str:
    return line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 1]}…"


def _shown(line: str, *, colour: bool) -> str:
    """A line of a difference; tabs are part of many a file, all else that steers a terminal is escaped."""
    start = _COLOURS.get(line[:1], "") if colour else ""
    text = "\t".join(map(printable, line.split("\t")))
    return f"{start}{text}\x1b[0m" if start else text
