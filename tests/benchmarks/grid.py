"""The default grid of eleven servers: how long it takes to start, stop and come back after a kill; and its memory."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.measure import median
from tests.benchmarks.supervisors import Grid, Memory, Replacement, Supervisor, kill, memory, supervisors
from tests.support.omero import free_prefix

VICTIMS = ("Blitz-0", "OMERO.Glacier2", "Indexer-0", "Processor-0")
_IDLE_AFTER = 5.0
_STATUS_RUNS = 11


@dataclass
class Figures:
    """What was measured of one supervisor; times in seconds, a figure for each round."""

    starts: list[float] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)
    kills: list[Replacement] = field(default_factory=list)
    statuses: list[float] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """One claim.

    :param figure: of what was measured
    :param goal: what ours may be at most; ``None`` for a figure that is only shown
    """

    name: str
    figure: Callable[[Figures], float]
    goal: float | None = None
    format: str = ".2f"

    def line(self, measured: list[Figures]) -> str:
        """The row of the table; supervisors of which the figure can't be had show none."""
        cells = "".join(f"{self._cell(figures):>12}" for figures in measured)
        goal = "" if self.goal is None else format(self.goal, self.format)
        return f"{self.name:<50} {cells}{goal:>10}{'' if self.is_met(measured) else '  MISSED'}"

    def is_met(self, measured: list[Figures]) -> bool:
        """Whether ours, which is the first, reaches the goal."""
        return self.goal is None or self.figure(measured[0]) <= self.goal

    def _cell(self, figures: Figures) -> str:
        try:
            return format(self.figure(figures), self.format)
        except statistics.StatisticsError:
            return "-"


ROWS = [
    Row("start until all servers are ready, s", lambda of: statistics.median(of.starts), 4.0),
    Row("stop, s", lambda of: statistics.median(of.stops), 2.0),
    Row("kill -9 until there is another process, s", lambda of: _median(of, lambda one: one.another), 0.6),
    Row("    at worst, s", lambda of: max(one.another for one in of.kills)),
    Row("  and until that is ready, s", lambda of: _median(of, lambda one: one.ready), 1.5),
    Row("    at worst, s", lambda of: max(one.ready for one in of.kills)),
    Row("omero admin status, s", lambda of: statistics.median(of.statuses), 0.3),
    Row(
        "resident memory of the idle grid, MB", lambda of: statistics.median(one.resident for one in of.memories),
        500, ".0f",
    ),
    Row(
        "    with PostgreSQL, shared pages counted once, MB",
        lambda of: statistics.median(one.everything for one in of.memories), 500, ".0f",
    ),
]  # fmt: skip


def _median(figures: Figures, part: Callable[[Replacement], float]) -> float:
    return statistics.median(part(one) for one in figures.kills)


def measure_grid(directory: Path, rounds: int, *, peers: bool) -> bool:
    """Measure, print the table.

    :param directory: for the instances
    :param rounds: starts of each supervisor, in turn
    :param peers: whether to measure others than ours
    :return: whether all goals are met
    """
    if os.geteuid() == 0:
        print("The grid isn't measured: its servers refuse root; make bench takes an unprivileged account for it")
        return False
    found, missing = supervisors(directory, free_prefix(), peers=peers)
    busy = os.getloadavg()[0]
    measured = [Figures() for _ in found]
    for _ in range(rounds):
        for supervisor, figures in zip(found, measured, strict=True):
            _one_round(supervisor, figures)
    print(f"{'grid of eleven servers':<50} {''.join(f'{one.name:>12}' for one in found)}{'at most':>10}")
    for row in ROWS:
        print(row.line(measured))
    if busy > (os.cpu_count() or 1):
        print(f"(others keep this machine busy, its load was {busy:.1f}: goals in seconds are for a quiet one)")
    for line in missing:
        print(line)
    if len(found) > 1:
        print("(omero admin start and stop have PostgreSQL to start and stop as well; supervisor has not)", flush=True)
    return all(row.is_met(measured) for row in ROWS)


def _one_round(supervisor: Supervisor, figures: Figures) -> None:
    figures.starts.append(supervisor.start())
    try:
        time.sleep(_IDLE_AFTER)
        figures.memories.append(memory(supervisor))
        if isinstance(supervisor, Grid):
            figures.statuses.append(median(supervisor.command("status"), _STATUS_RUNS) / 1000)
        figures.kills += [kill(supervisor, server) for server in VICTIMS]
    finally:
        figures.stops.append(supervisor.stop())
