"""Directories, logs, environment variables and disk space."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.schema.settings import Settings
from omeroadmin.workflows.causes import mend_for
from omeroadmin.workflows.checks.model import Category, Item, Status, Subject, plain_size
from omeroadmin.workflows.logs import RESTARTED, LogFacts
from omeroadmin.workflows.preconditions import check_repository

VARIABLES = (
    "OMERO_HOME",
    "OMERODIR",
    "OMERO_NODE",
    "OMERO_MASTER",
    "OMERO_USERDIR",
    "OMERO_TMPDIR",
    "PATH",
    "PYTHONPATH",
    "ICE_HOME",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
)
LITTLE_SPACE = 0.10
"""Share of free space below which there is a warning."""
NO_SPACE = 0.02
"""Share of free space below which it is a failure."""


def log_directory(subject: Subject) -> Category:
    """Where the logs are."""
    directory = subject.instance.log_directory
    found = Item(str(directory), Status.OK, "exists")
    if not directory.is_dir():
        found = Item(str(directory), Status.SKIP, "does not exist", "omero admin start makes it")
    return Category("log-directory", "Log dir", (found,))


def log_files(logs: list[LogFacts]) -> Category:
    """Size of each log, with the number of errors and warnings in it."""
    items = [_log_file(log) for log in logs]
    total = sum(log.size or 0 for log in logs)
    items.append(Item("Total size", Status.OK, f"{total / 1_000_000:.2f} MB"))
    return Category("log-files", "Log files", tuple(items))


def _log_file(log: LogFacts) -> Item:
    if log.problem:
        return Item(log.name, Status.WARN, log.problem, "run this command as the user who owns the instance")
    if log.size is None:
        return Item(log.name, Status.SKIP, "n/a")
    if log.size == 0:
        return Item(log.name, Status.OK, "empty")
    size = plain_size(log.size)
    if not log.errors and not log.warnings:
        return Item(log.name, Status.OK, size)
    evidence = f"{size:<12} errors={log.errors:<4} warnings={log.warnings}"
    if not log.errors:
        return Item(log.name, Status.OK, evidence)
    return Item(log.name, Status.WARN, evidence, f"see the last ones: grep -a ERROR var/log/{log.name} | tail")


def known_issues(logs: list[LogFacts]) -> list[Category]:
    """What the logs of Blitz say that is well known, a category for each log."""
    return [
        Category(
            "known-issues",
            f"Parsing {log.name}",
            tuple(
                Item(f"[line:{number}]", Status.OK if meaning == RESTARTED else Status.WARN, meaning, mend_for(meaning))
                for number, meaning in log.findings
            ),
        )
        for log in logs
        if log.size is not None and log.name.startswith("Blitz-")
    ]


def environment(subject: Subject) -> Category:
    """Variables that change what OMERO does."""
    items = [Item(name, Status.OK, f"{name}={subject.environment.get(name) or '(unset)'}", "") for name in VARIABLES]
    return Category("environment", "Environment", tuple(items))


def directories(subject: Subject) -> Category:
    """Data and temporary directory: there, and writable?"""
    data = subject.settings.data_directory
    temporary = Path(subject.environment.get("OMERO_TMPDIR") or subject.user_directory / "tmp")
    read_only = {name: _is_read_only(subject.settings, name) for name in ("db", "repo")}
    items = [_data_directory(data, read_only=read_only["repo"])]
    try:
        check_repository(subject.instance, subject.settings)
    except AdminError as error:
        items.append(Item("repository", Status.FAIL, error.message, error.hint))
    if any(read_only.values()):
        evidence = ", ".join(f"{name}={str(flag).lower()}" for name, flag in read_only.items())
        items.append(Item("read-only", Status.OK, f"{evidence}: the server refuses changes"))
    size = tree_size(temporary) if temporary.is_dir() else 0
    status = Status.OK if not temporary.exists() or os.access(temporary, os.W_OK | os.X_OK) else Status.WARN
    hint = "" if status is Status.OK else f"chown or remove {temporary}, or set OMERO_TMPDIR"
    items.append(Item("temp", status, f"{_access(temporary)}  (Size: {size})", hint))
    return Category("directories", "OMERO", tuple(items))


def _is_read_only(settings: Settings, name: str) -> bool:
    return settings.flag("omero.cluster.read_only") or settings.flag(f"omero.cluster.read_only.{name}")


def _data_directory(path: Path, *, read_only: bool) -> Item:
    if not path.is_dir():
        hint = f"make it for the user of the servers, or correct omero.data.dir: ls -ld {path}"
        return Item("data", Status.FAIL, _access(path), hint)
    if read_only or os.access(path, os.W_OK | os.X_OK):
        return Item("data", Status.OK, _access(path))
    return Item("data", Status.FAIL, _access(path), f"give it to the user of the servers: ls -ld {path}")


def _access(path: Path) -> str:
    return f"'{path}'  Exists? {path.exists()}  Is writable? {os.access(path, os.W_OK | os.X_OK)}"


def tree_size(directory: Path) -> int:
    """Bytes of the files below a directory; what vanishes meanwhile, or isn't ours to see, doesn't count."""
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            try:
                total += (Path(parent) / name).lstat().st_size
            except OSError:
                continue
    return total


def disk_space(subject: Subject) -> Category:
    """Free space where data, state and logs are written."""
    places = {"data": subject.settings.data_directory, "var": subject.instance.var}
    return Category("disk-space", "Disk space", tuple(_space(path) for path in dict.fromkeys(places.values())))


def _space(path: Path) -> Item:
    try:
        usage = shutil.disk_usage(path)
    except OSError as error:
        return Item(str(path), Status.SKIP, f"unknown: {error.strerror}")
    share = usage.free / usage.total if usage.total else 0.0
    evidence = f"{plain_size(usage.free)} free of {plain_size(usage.total)} ({share:.0%})"
    if share >= LITTLE_SPACE:
        return Item(str(path), Status.OK, evidence)
    return Item(
        str(path), Status.FAIL if share < NO_SPACE else Status.WARN, evidence, "make room, or move to a larger disk"
    )


def failed(category: str, title: str, error: AdminError | OSError) -> Category:
    """The category in place of one that couldn't be looked at."""
    if isinstance(error, AdminError):
        return Category(category, title, (Item(error.code, Status.FAIL, error.message, error.hint),))
    return Category(category, title, (Item("error", Status.FAIL, str(error)),))
