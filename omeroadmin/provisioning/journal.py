"""Journals of runs: a file each, a line for each thing that happened, as it happens; no secrets in them."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.provisioning.rollout_plan import HostState, Problem
from omeroadmin.provisioning.rollout_report import Done, HostReport, RolloutReport
from omeroadmin.system.clock import monotonic, utc_now, utc_stamp
from omeroadmin.system.files import file_error, make_directory, read_bytes

KEPT_RUNS = 500
"""Journals that are kept; the oldest go first."""
_RUN = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{6}")

Line = dict[str, Any]


class Journal:
    """Writes what happens in a run; several threads may.

    :param directory: of the journals; it is made where it is missing
    :raises AdminError: ``file-not-written``
    """

    def __init__(self, directory: Path) -> None:
        self.begun = utc_now()
        self.run = f"{self.begun:%Y%m%d-%H%M%S-%f}"
        self.directory = directory
        self._path = directory / f"{self.run}.jsonl"
        self._start = monotonic()
        make_directory(directory, mode=0o700)
        _prune(directory)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise file_error("written", self._path, error) from error

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return round(monotonic() - self._start, 3)

    def begin(self, action: str, who: str, playbooks: tuple[str, ...], hosts: list[str], undoes: str = "") -> None:
        """The first line.

        :param undoes: the run that is taken back
        """
        line = {"begin": self.run, "action": action, "at": utc_stamp(self.begun), "who": who, "undoes": undoes}
        self._write({**line, "playbooks": playbooks, "hosts": hosts})

    def done(self, host: str, done: Done) -> None:
        """An operation has changed something."""
        line = {"host": host, "key": done.key, "words": done.words, "seconds": done.seconds}
        self._write({**line, "undone": done.undone})

    def host(self, report: HostReport) -> None:
        """A host is through."""
        problem = report.problem and list(astuple(report.problem))
        self._write({"host": report.host, "state": report.state.value, "problem": problem, "seconds": report.seconds})

    def end(self) -> None:
        """The last line."""
        self._write({"end": self.run, "seconds": self.seconds})
        os.close(self._descriptor)
        self._descriptor = -1

    def _write(self, line: Line) -> None:
        content = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        try:
            # One write for one line: a kill leaves the lines before it whole.
            os.write(self._descriptor, content)
            if "begin" in line or "end" in line or "state" in line:
                os.fsync(self._descriptor)
        except OSError as error:
            raise file_error("written", self._path, error) from error


def list_runs(directory: Path) -> list[str]:
    """Names of the runs that have a journal, the newest last."""
    return sorted(path.stem for path in directory.glob("*.jsonl") if _RUN.fullmatch(path.stem))


def read_journal(directory: Path, run: str = "") -> RolloutReport:
    """What a journal says.

    :param run: its name, or the beginning of it; the newest by default
    :raises AdminError: ``run-unknown``, ``run-ambiguous``, ``file-not-read``, ``journal-damaged``
    """
    there = list_runs(directory)
    found = [name for name in there if name.startswith(run)] if run else there[-1:]
    if not found:
        words = f"there is no run {run!r}" if run else "there has been no run"
        raise configuration_error("run-unknown", f"{words} in {directory}", "see them: omero hosts report --list")
    if len(found) > 1:
        words = f"{run!r} is the beginning of {len(found)} runs, {found[0]} …"
        raise configuration_error("run-ambiguous", words, "see them: omero hosts report --list")
    path = directory / f"{found[0]}.jsonl"
    lines = list(_lines(read_bytes(path)))
    if not lines or "begin" not in lines[0]:
        raise configuration_error("journal-damaged", f"{path} does not begin as a journal does")
    return _report(lines)


def read_journals(directory: Path, after: str = "") -> list[RolloutReport]:
    """What all journals say, the newest last; those of runs that were killed before their first line say nothing.

    :param after: only those of runs after this one
    """
    found = []
    for run in list_runs(directory):
        if run > after:
            with contextlib.suppress(AdminError):
                found.append(read_journal(directory, run))
    return found


def _report(lines: list[Line]) -> RolloutReport:
    head = lines[0]
    end = next((line for line in lines if "end" in line), None)
    return RolloutReport(
        head["begin"],
        head["action"],
        head["at"],
        head["who"],
        tuple(head["playbooks"]),
        tuple(_host(name, lines) for name in head["hosts"]),
        end is not None,
        end["seconds"] if end is not None else 0.0,
        head["undoes"],
    )


def _host(name: str, lines: list[Line]) -> HostReport:
    own = [line for line in lines if line.get("host") == name]
    done = tuple(
        Done(line["key"], tuple(line["words"]), line["seconds"], undone=line["undone"]) for line in own if "key" in line
    )
    last = next((line for line in own if "state" in line), None)
    if last is None:
        return HostReport(name, HostState.INTERRUPTED, done)
    problem = Problem(*last["problem"]) if last["problem"] else None
    return HostReport(name, HostState(last["state"]), done, problem, last["seconds"])


def _lines(content: bytes) -> Iterator[Line]:
    """Whole lines; a kill may have cut the last one."""
    for text in content.splitlines():
        with contextlib.suppress(ValueError):
            line = json.loads(text)
            if isinstance(line, dict):
                yield line


def _prune(directory: Path) -> None:
    for run in list_runs(directory)[: -(KEPT_RUNS - 1)]:
        with contextlib.suppress(OSError):
            (directory / f"{run}.jsonl").unlink()
