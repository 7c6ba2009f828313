"""Measures what is claimed to be fast, beside its peers: ``make bench``.

Root measures roll-outs, whose hosts only root can make, and nothing else; all the rest is the unprivileged account's.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.backups import measure_backups
from tests.benchmarks.grid import measure_grid
from tests.benchmarks.imports import measure_imports
from tests.benchmarks.index import measure_index
from tests.benchmarks.jobs import measure_config
from tests.benchmarks.logins import measure_logins
from tests.benchmarks.people import measure_people
from tests.benchmarks.repository import measure_repository
from tests.benchmarks.rollout import measure_rollout


def main() -> int:
    """Measure everything, print the tables, and give 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--pairs", type=int, default=31, help="runs of each program")
    parser.add_argument("--rounds", type=int, default=3, help="starts of each grid, imports of a large file")
    parser.add_argument("--no-peers", action="store_true", help="leave others' programs out, which take minutes")
    parser.add_argument("--files", type=int, default=100_000, help="files in the tree of the backups")
    parser.add_argument("--repository-files", type=int, default=1_000_000, help="files of the repository to cleanse")
    parser.add_argument("--size", type=int, default=4 << 30, help="bytes of that tree")
    names = ["config", "grid", "people", "logins", "imports", "backups", "index", "repository", "rollout"]
    parser.add_argument("--objects", type=int, default=200_000, help="objects in the search index")
    parser.add_argument("--only", choices=names, help="measure one part")
    options = parser.parse_args()
    peers = not options.no_peers
    parts: dict[str, Callable[[Path], bool]] = {
        "config": lambda directory: measure_config(directory, options.pairs, peers=peers),
        "grid": lambda directory: measure_grid(directory, options.rounds, peers=peers),
        "imports": lambda directory: measure_imports(directory, options.rounds),
        "people": lambda directory: measure_people(directory, 3 * options.rounds, peers=peers),
        "logins": lambda directory: measure_logins(directory, options.rounds),
        "backups": lambda directory: measure_backups(
            directory, options.rounds, files=options.files, size=options.size, peers=peers
        ),
        "index": lambda directory: measure_index(directory, options.rounds, objects=options.objects),
        "repository": lambda directory: measure_repository(
            directory, options.rounds, files=options.repository_files, peers=peers
        ),
    }
    if os.geteuid() == 0:
        parts = {"rollout": lambda directory: measure_rollout(directory, options.rounds, peers=peers)}
    met = True
    for name, measure_part in parts.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory(prefix="omeroadmin-bench-") as directory:
                met = measure_part(Path(directory)) and met
            print(flush=True)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
