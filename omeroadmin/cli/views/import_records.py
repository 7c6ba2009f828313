"""Shows how long imports took, as OMERO does."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator

from omeroadmin.cli.output import print_lines, say
from omeroadmin.workflows.import_records import METRICS, PHASES, Times


def print_times(times: Times) -> None:
    """A line for each phase."""
    print_lines(*time_lines(times))


def time_lines(times: Times) -> Iterator[str]:
    """What :func:`print_times` prints."""
    for word, time, number, noun in PHASES:
        if time not in times.metrics:
            continue
        seconds = times.metrics[time] / 1000
        line = f"{word:>9} time of {seconds:6.2f}s"
        count = times.metrics.get(number, 0)
        if count:
            unit = "rdef" if noun == "rendering setting" else noun
            line += f" for {count} {noun}{'' if count == 1 else 's'} ({seconds / count:.3f}s/{unit})"
        yield line


def print_summary(found: Iterable[Times]) -> None:
    """Rows of CSV: the fileset, and what was kept of its import."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    any_row = False
    for times in found:
        if not any_row:
            print_lines(",".join(f'"{name}"' for name in ("fileset", *METRICS)))
        any_row = True
        writer.writerow([times.fileset_id, *(times.metrics.get(name, "") for name in METRICS)])
    if not any_row:
        say("no import times to report")
