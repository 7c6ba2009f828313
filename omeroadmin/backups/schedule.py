"""Daily backups by a systemd timer or a script for cron: values checked, files as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from omeroadmin.errors import usage_error
from omeroadmin.render.engine import render
from omeroadmin.steps.kinds import WriteFile
from omeroadmin.steps.plan import Plan

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\$?")


class ScheduleKind(StrEnum):
    """What starts the backups."""

    SYSTEMD = "systemd"
    CRON = "cron"


PLACES = {ScheduleKind.SYSTEMD: Path("/etc/systemd/system"), ScheduleKind.CRON: Path("/etc/cron.daily")}
"""Where the system looks for such files."""


@dataclass(frozen=True)
class Schedule:
    """What is to be done when.

    :param omerodir: the instance
    :param user: whom the servers run as
    :param commands: programs and arguments, one after the other; the first failure ends it
    :param mounts: directories that must be mounted
    :param at: ``HH:MM``; cron has its own time for daily scripts
    :param jitter: minutes that a start may be late, by chance
    """

    kind: ScheduleKind
    omerodir: Path
    user: str
    commands: tuple[tuple[str, ...], ...]
    mounts: tuple[Path, ...] = ()
    at: str = "01:30"
    jitter: int = 15


def plan_schedule(schedule: Schedule, directory: Path) -> Plan:
    """The files of a schedule, those that are not there as they should be.

    :param directory: where they go
    :raises AdminError: ``schedule-invalid``
    """
    if not _TIME.fullmatch(schedule.at):
        raise usage_error("schedule-invalid", f"{schedule.at!r} is no time of day", "e.g. 01:30")
    if not _USER.fullmatch(schedule.user):
        raise usage_error("schedule-invalid", f"{schedule.user!r} is no name of a user", "see: getent passwd")
    words = [word for command in schedule.commands for word in command]
    for text in (str(schedule.omerodir), *map(str, schedule.mounts), *words):
        if not text.isprintable():
            raise usage_error("schedule-invalid", f"{text!r} can't stand in a file that others read line by line")
    names = {
        ScheduleKind.SYSTEMD: {"omero-backup.service": 0o644, "omero-backup.timer": 0o644},
        ScheduleKind.CRON: {"omero-backup": 0o755},
    }[schedule.kind]
    context = {**vars(schedule), "omerodir": str(schedule.omerodir), "mounts": [str(path) for path in schedule.mounts]}
    steps = [
        WriteFile(directory / name, render(f"{schedule.kind}/{name}.j2", context).encode(), mode, "daily backup")
        for name, mode in names.items()
    ]
    return Plan(f"back up daily by {schedule.kind}", tuple(step for step in steps if not _is_so(step)))


def _is_so(step: WriteFile) -> bool:
    try:
        same = step.path.read_bytes() == step.content
        return same and step.path.stat().st_mode & 0o7777 == step.mode
    except OSError:
        return False
