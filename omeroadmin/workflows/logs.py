"""Counts errors and warnings in the servers' logs, reading each of them once and line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.schema.instance import Instance
from omeroadmin.workflows.causes import MARKERS, cause_in

LOG_NAMES = (
    "Blitz-0.log",
    "DropBox.log",
    "FileServer.log",
    "Indexer-0.log",
    "MonitorServer.log",
    "OMERO.Glacier2.log",
    "OMERO.IceStorm.log",
    "PixelData-0.log",
    "Processor-0.log",
    "Tables-0.log",
    "TestDropBox.log",
    "master.err",
    "master.out",
)
"""The logs that an instance has in any case."""

# A time first, with or without what Ice puts before it, then perhaps the program's name (or, in PostgreSQL's log, time
# zone, process, user and database), then the level. What the servers' children print to master.err has no time; a
# level in capitals at the beginning of the line is taken as one.
_STAMP = rb"(?:[-!]! )?[\d/-]{6,10}[ T][\d:,.]+Z?\s+(?:[\w.-]+: |[A-Z]{1,5} \[\d+\] (?:\S*@\S* )?)?"
_ERROR = re.compile(rb"(?:!! |(?:ERROR|FATAL|CRITICAL)\b|" + _STAMP + rb"(?i:error|fatal|critical|criti)\b)")
_WARNING = re.compile(rb"(?:-! |(?:WARN|WARNING)\b|" + _STAMP + rb"(?i:warning|warni|warn)\b)")

# Most batches of lines hold no level above INFO and no known word: a plain search tells, and no line is looked at.
_LEVELS = (b"error", b"warn", b"fatal", b"criti", b"!! ", b"-! ")
_BATCH = 256 * 1024
_MOST_FINDINGS = 50

Finding = tuple[int, str]
"""Number of a line, from 1, and what it means."""

RESTARTED = "=> Server restarted <="
"""The one known line that is no problem."""

_ISSUES: tuple[tuple[bytes, re.Pattern[bytes], str], ...] = (
    (b"Ready", re.compile(rb"OMERO(?:\.server)? Version:? .{1,80}? Ready", re.IGNORECASE), RESTARTED),
    (b"FullText", re.compile(rb"unable to initialize: FullText", re.IGNORECASE), "Unable to initialize: FullText"),
)
"""What is known besides the causes of a failed start."""

_MARKERS = frozenset({*(marker for marker, _, _ in _ISSUES), *MARKERS})


@dataclass(frozen=True)
class LogFacts:
    """What a log holds.

    :param size: bytes; ``None`` where there is no such file
    :param problem: why it couldn't be read; empty if it could
    :param findings: issues that are well known, with the number of their line; the last ones of many
    """

    name: str
    size: int | None
    errors: int = 0
    warnings: int = 0
    findings: tuple[Finding, ...] = ()
    problem: str = ""


def log_facts(instance: Instance) -> list[LogFacts]:
    """Facts of all logs, those that should be there and those that are, by name."""
    directory = instance.log_directory
    present = [path.name for path in directory.glob("*") if path.suffix in (".log", ".err", ".out")]
    expected = LOG_NAMES if not instance.is_distribution else [name for name in LOG_NAMES if "OMERO." not in name]
    names = sorted({*present, *expected})
    return [read_log(directory / name) for name in names]


def read_log(path: Path) -> LogFacts:
    """Facts of one log."""
    size = first = errors = warnings = 0
    findings: list[Finding] = []
    examine = path.name.startswith("Blitz-")
    try:
        with path.open("rb") as stream:
            while lines := stream.readlines(_BATCH):
                batch = b"".join(lines)
                size += len(batch)
                lowered = batch.lower()
                if any(level in lowered for level in _LEVELS):
                    errors += sum(1 for line in lines if _ERROR.match(line))
                    warnings += sum(1 for line in lines if _WARNING.match(line))
                if examine and any(marker in batch for marker in _MARKERS):
                    found = ((number, known_issue(line)) for number, line in enumerate(lines, start=first + 1))
                    findings += [finding for finding in found if finding[1]]
                first += len(lines)
    except FileNotFoundError:
        return LogFacts(path.name, None)
    except OSError as error:
        return LogFacts(path.name, None, problem=f"can't be read: {error.strerror or error}")
    return LogFacts(path.name, size, errors, warnings, tuple(findings[-_MOST_FINDINGS:]))


def known_issue(line: bytes) -> str:
    """What a line of Blitz's log stands for, if it is well known; else the empty string."""
    for marker, pattern, meaning in _ISSUES:
        # The plain search is much faster than the pattern, and most lines hold none of the words.
        if marker in line and pattern.search(line):
            return meaning
    found = cause_in(line)
    return "" if found is None else found.meaning
