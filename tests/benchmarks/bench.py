"""Measures what is claimed to be fast, beside its peer: ``make bench``.

A machine's speed changes from second to second, so each benchmark runs in pairs, the order changing from pair to
pair, and its goal is a ratio of medians. A benchmark is an entry of ``BENCHMARKS``.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.profiles.store import update_profile
from tests.support.profiles import config_file, environment

OMERO = str(Path(sys.executable).with_name("omero"))
"""The console script, as users start it."""


@dataclass(frozen=True)
class Benchmark:
    """Two programs and how much longer the first may take.

    :param name: what it measures
    :param ours: program and arguments
    :param peer: the same for what it is measured beside
    :param goal: ratio of the medians at most
    """

    name: str
    ours: tuple[str, ...]
    peer: tuple[str, ...]
    goal: float


@dataclass(frozen=True)
class Result:
    """Medians of a benchmark, in milliseconds."""

    benchmark: Benchmark
    ours: float
    peer: float

    @property
    def ratio(self) -> float:
        """How many times as long as the peer ours takes."""
        return self.ours / self.peer

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.ratio <= self.benchmark.goal


def python(code: str) -> tuple[str, ...]:
    """A Python program."""
    return (sys.executable, "-c", code)


GET = (OMERO, "config", "get", "omero.db.host")

BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("omero version / import typer", (OMERO, "version"), python("import typer"), 1.5),
    Benchmark("omero config get KEY / python", GET, python("pass"), 4.0),
    Benchmark("omero config get KEY / import typer", GET, python("import typer"), 1.0),
    Benchmark("omero --help / import typer", (OMERO, "--help"), python("import typer"), 2.5),
)


def measure(benchmark: Benchmark, pairs: int, variables: dict[str, str]) -> Result:
    """Run a benchmark; the first pair only warms the file cache."""
    times: dict[tuple[str, ...], list[float]] = {benchmark.ours: [], benchmark.peer: []}
    order = [benchmark.ours, benchmark.peer]
    for pair in range(pairs + 1):
        for command in order:
            taken = run(command, variables)
            if pair:
                times[command].append(taken)
        order.reverse()
    return Result(benchmark, statistics.median(times[benchmark.ours]), statistics.median(times[benchmark.peer]))


def run(command: Sequence[str], variables: dict[str, str]) -> float:
    """Run a program that must succeed.

    :return: milliseconds
    """
    start = time.perf_counter()
    # The end of its output tells the end of the program; waiting with a deadline alone looks only at 16, 32, 64 ms.
    subprocess.run(command, env=variables, stdout=subprocess.PIPE, check=True, timeout=60)
    return (time.perf_counter() - start) * 1000


def main() -> int:
    """Measure everything, print the table, and give 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--pairs", type=int, default=31, help="runs of each program")
    pairs: int = parser.parse_args().pairs
    print(f"{'benchmark':<38} {'ours ms':>8} {'peer ms':>8} {'ratio':>6} {'goal':>6}")
    met = True
    with tempfile.TemporaryDirectory(prefix="omeroadmin-bench-") as directory:
        file = config_file(Path(directory))
        update_profile(file, {"omero.db.host": "localhost", "omero.data.dir": "/OMERO"}, profile="default")
        # A user's own environment: nothing that measures coverage or keeps Python from using its bytecode.
        unwanted = ("COVERAGE", "PYTHON")
        variables = {name: text for name, text in environment(file).items() if not name.startswith(unwanted)}
        for benchmark in BENCHMARKS:
            result = measure(benchmark, pairs, variables)
            met = met and result.is_met
            line = (
                f"{benchmark.name:<38} {result.ours:8.1f} {result.peer:8.1f} {result.ratio:6.2f} {benchmark.goal:6.2f}"
            )
            print(line if result.is_met else f"{line}  MISSED", flush=True)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
