"""Runs programs in pairs and holds the medians against a goal.

A machine's speed changes from second to second, so each benchmark runs in pairs, the order changing from pair to
pair, and a goal is a ratio or a difference of medians.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.profiles import environment

COUNT = "@COUNT@"
"""Stands for another number in each run, so that a change is one every time."""
_TIMEOUT = 600
_numbers = itertools.count()


@dataclass(frozen=True)
class Program:
    """A program and the instance that it works on.

    :param arguments: may hold :data:`COUNT`
    :param config_xml: of the instance
    :param fresh: whether each run begins without a config.xml
    """

    arguments: tuple[str, ...]
    config_xml: Path
    fresh: bool = False


@dataclass(frozen=True)
class Benchmark:
    """Two programs and how much longer the first may take.

    :param name: what it measures
    :param times: how many times as long as ``beside`` it may take; else ``None``
    :param more: how many milliseconds longer than ``beside`` it may take; else ``None``
    :param share: of the usual number of pairs, for what takes long
    """

    name: str
    ours: Program
    beside: Program
    times: float | None = None
    more: float | None = None
    share: float = 1.0


@dataclass(frozen=True)
class Result:
    """Medians of a benchmark, in milliseconds."""

    benchmark: Benchmark
    ours: float
    beside: float

    @property
    def figure(self) -> float:
        """The ratio, or the difference in milliseconds."""
        return self.ours / self.beside if self.benchmark.more is None else self.ours - self.beside

    @property
    def goal(self) -> float:
        """What the figure may be at most."""
        goal = self.benchmark.times if self.benchmark.more is None else self.benchmark.more
        assert goal is not None
        return goal

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.figure <= self.goal

    def line(self) -> str:
        """The row of the table."""
        figure, goal = (
            f"{number:.2f} x" if self.benchmark.more is None else f"{number:+.0f} ms"
            for number in (self.figure, self.goal)
        )
        row = f"{self.benchmark.name:<50} {self.ours:9.1f} {self.beside:9.1f} {figure:>9} {goal:>9}"
        return row if self.is_met else f"{row}  MISSED"


HEADING = f"{'benchmark':<50} {'ours ms':>9} {'beside ms':>9} {'figure':>9} {'at most':>9}"


def measure(benchmark: Benchmark, pairs: int) -> Result:
    """Run a benchmark; the first pair only warms the file cache."""
    count = max(3, round(pairs * benchmark.share))
    return Result(benchmark, *paired_medians(benchmark.ours, benchmark.beside, count))


def paired_medians(ours: Program, beside: Program, pairs: int, *, warm_up: bool = True) -> tuple[float, float]:
    """Milliseconds that two programs take, run in turns.

    :param warm_up: whether one more pair runs before
    """
    order = [ours, beside]
    times: tuple[list[float], list[float]] = ([], [])
    for pair in range(pairs + warm_up):
        for program in order:
            taken = run(program)
            if pair >= warm_up:
                times[program is beside].append(taken)
        order.reverse()
    return statistics.median(times[0]), statistics.median(times[1])


def run(program: Program) -> float:
    """Run a program that must succeed.

    :return: milliseconds
    """
    if program.fresh:
        for file in program.config_xml.parent.iterdir():
            file.unlink()
    number = str(next(_numbers))
    command = [word.replace(COUNT, number) for word in program.arguments]
    start = time.perf_counter()
    # The end of its output tells the end of the program; waiting with a deadline alone looks only at 16, 32, 64 ms.
    subprocess.run(command, env=user_environment(program.config_xml), capture_output=True, check=True, timeout=_TIMEOUT)
    return (time.perf_counter() - start) * 1000


def median(program: Program, runs: int) -> float:
    """Milliseconds that a program takes."""
    return statistics.median(run(program) for _ in range(runs))


def user_environment(config_xml: Path) -> dict[str, str]:
    """A user's own variables: nothing that measures coverage or keeps Python from using its bytecode."""
    unwanted = ("COVERAGE", "PYTHON")
    return {name: text for name, text in environment(config_xml).items() if not name.startswith(unwanted)}
