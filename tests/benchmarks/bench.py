"""Measures what is claimed to be fast, beside its peers: ``make bench``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.jobs import benchmarks, comparisons, full_program_python, make_files
from tests.benchmarks.measure import HEADING, measure, median
from tests.support import peer


def main() -> int:
    """Measure everything, print the tables, and give 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--pairs", type=int, default=31, help="runs of each program")
    parser.add_argument("--no-peers", action="store_true", help="leave omero-py out, which takes a minute")
    options = parser.parse_args()
    met = True
    with tempfile.TemporaryDirectory(prefix="omeroadmin-bench-") as directory:
        files = make_files(Path(directory))
        print(HEADING)
        for benchmark in benchmarks(files):
            result = measure(benchmark, options.pairs)
            met = met and result.is_met
            print(result.line(), flush=True)
        if options.no_peers:
            return 0 if met else 1
        print(f"\n{'beside omero-py':<50} {'ours ms':>9} {'theirs ms':>9} {'theirs':>9}")
        for job in comparisons(files):
            ours, theirs = median(job.ours, 5), median(job.theirs, 1 if job.slow else 5)
            print(f"{job.name:<50} {ours:9.1f} {theirs:9.1f} {theirs / ours:7.1f} x", flush=True)
        if peer.missing_reason():
            print(peer.missing_reason())
        if full_program_python() is None:
            print("omero-py's whole program isn't measured: OMERO_PY names no Python with omero-py and Ice")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
