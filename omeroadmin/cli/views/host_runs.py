"""What a program did on hosts, for people and programs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from omeroadmin.cli.output import print_json, print_lines, say
from omeroadmin.errors import printable

if TYPE_CHECKING:
    from omeroadmin.workflows.run_on_hosts import HostRun, RunWish


def print_run(run: HostRun) -> None:
    """One host: how it went, then what the program printed, what went to stderr marked with ``!``."""
    if run.problem is not None:
        print_lines(f"{run.host}: {run.state}: {run.problem.code}: {printable(run.problem.message)}")
        if run.problem.hint:
            print_lines(f"  -> {printable(run.problem.hint)}")
    else:
        print_lines(f"{run.host}: {run.state}, status {run.status}, {run.seconds:.1f} s")
    print_lines(*(f"  {_shown(line)}" for line in run.output.splitlines()))
    print_lines(*(f"  ! {_shown(line)}" for line in run.error_output.splitlines()))
    sys.stdout.flush()


def say_sum(runs: Sequence[HostRun]) -> None:
    """How many hosts there were, on stderr."""
    counts = Counter(run.state.value for run in runs)
    words = ", ".join(f"{number} {state}" for state, number in counts.items())
    say(f"{len(runs)} host{'' if len(runs) == 1 else 's'}: {words or 'nothing to do'}")


def print_runs_json(runs: Sequence[HostRun], wish: RunWish) -> None:
    """All hosts, in the order of the inventory."""
    print_json("hosts/run", {"arguments": wish.arguments, "hosts": runs})


def _shown(line: str) -> str:
    return printable(line.replace("\t", "        "))
