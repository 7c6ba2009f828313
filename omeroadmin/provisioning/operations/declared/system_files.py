"""Operations on files that others read: cron, limits, sysctl."""

from __future__ import annotations

import re
from typing import Any

from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType

_STATE = Field("state", FieldType.CHOICE, "`absent` removes the file.", "present", choices=("present", "absent"))
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_RUNS = {"@reboot", "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PLACES: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_LIMITS = {
    *("as", "core", "cpu", "data", "fsize", "locks", "maxlogins", "maxsyslogins", "memlock", "msgqueue", "nice"),
    *("nofile", "nproc", "priority", "rss", "rtprio", "sigpending", "stack"),
}


def schedule_fault(schedule: str) -> str:
    """What is wrong with the times of a crontab's line; empty where nothing is."""
    words = schedule.split()
    if words and words[0].startswith("@"):
        return "" if len(words) == 1 and words[0] in _RUNS else f"{schedule!r} is none of {', '.join(sorted(_RUNS))}"
    if len(words) != len(_PLACES):
        return f"{schedule!r} is not minute, hour, day of the month, month and day of the week"
    for word, (place, least, most, names) in zip(words, _PLACES, strict=True):
        for part in word.split(","):
            if not _is_time(part.lower(), least, most, names):
                return f"{part!r} is no {place} of a schedule"
    return ""


def _is_time(part: str, least: int, most: int, names: tuple[str, ...]) -> bool:
    value, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
        return False
    if value == "*":
        return True
    first, hyphen, last = value.partition("-")
    ends = [_number(word, least, names) for word in ((first, last) if hyphen else (first,))]
    if any(end is None or not least <= end <= most for end in ends) or (slash and not hyphen):
        return False
    return ends == sorted(ends, key=lambda end: end or 0)


def _number(word: str, least: int, names: tuple[str, ...]) -> int | None:
    if word in names:
        return names.index(word) + least
    return int(word) if word.isascii() and word.isdigit() else None


def _cron(fields: dict[str, Any]) -> str:
    if not _FILE_NAME.fullmatch(fields["name"]):
        return "name is of letters, digits, _ and -: cron reads no other files"
    if fields["state"] == "absent":
        return ""
    if not fields["command"].strip() or "\n" in fields["command"]:
        return "command is one line"
    for name, value in fields["environment"].items():
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or "\n" in str(value) or '"' in str(value):
            return f"environment: {name} can't be in a crontab"
    return schedule_fault(fields["schedule"])


def _sysctl(fields: dict[str, Any]) -> str:
    for name, value in fields["values"].items():
        if not re.fullmatch(r"[\w-]+([./][\w*-]+)+", name, re.ASCII):
            return f"{name} is no parameter of the kernel"
        if not str(value).strip() or "\n" in str(value):
            return f"{name} needs a value of one line"
    return _needs_values(fields)


def _limits(fields: dict[str, Any]) -> str:
    if not re.fullmatch(r"[^\s#]+", fields["domain"]):
        return "domain is a user, @GROUP or *"
    for name, value in fields["values"].items():
        if name not in _LIMITS:
            return f"there is no limit {name}: {', '.join(sorted(_LIMITS))}"
        if not re.fullmatch(r"-?[0-9]+|unlimited", str(value)):
            return f"{name} is a number or unlimited, not {value}"
    return _needs_values(fields)


def _needs_values(fields: dict[str, Any]) -> str:
    if "/" in fields["name"]:
        return "name is that of a file, without directory"
    return "" if fields["values"] or fields["state"] == "absent" else "values are needed"


CRON = Declaration(
    "cron",
    "A command that cron runs: a file below /etc/cron.d, for all to read.",
    (
        Field("name", FieldType.NAME, "Name of the file: letters, digits, `_` and `-`.", REQUIRED),
        Field("schedule", FieldType.TEXT, "When: five fields as in a crontab, or `@daily` and the like."),
        Field("user", FieldType.NAME, "Who runs it.", "root"),
        Field("command", FieldType.TEXT, "A line for the shell. `%` is written as cron wants it."),
        Field("environment", FieldType.MAP, "Variables. Cron knows of PATH no more than /usr/bin and /bin."),
        _STATE,
    ),
    undo=True,
    check=_cron,
    example="cron: {name: omero-backup, schedule: 30 2 * * *, user: omero-server, command: omero backup create}",
)
LIMITS = Declaration(
    "limits",
    "What processes of a user or group may have: a file below /etc/security/limits.d. It counts from the next login.",
    (
        Field("name", FieldType.NAME, "Name of the file, without `.conf`.", REQUIRED),
        Field("domain", FieldType.TEXT, "A user, `@GROUP`, or `*` for all but root.", REQUIRED),
        Field("values", FieldType.MAP, "Limits and their values: `nofile: 65536`; `unlimited` is one."),
        Field(
            "type",
            FieldType.CHOICE,
            "Whether users may raise it themselves (`soft`) or not (`hard`).",
            "both",
            choices=("both", "soft", "hard"),
        ),
        _STATE,
    ),
    undo=True,
    check=_limits,
    example="limits: {name: omero, domain: omero-server, values: {nofile: 65536}}",
)
SYSCTL = Declaration(
    "sysctl",
    "Parameters of the kernel: a file below /etc/sysctl.d, and the values in force. One that the kernel doesn't have,"
    " as a module isn't loaded, is only written.",
    (
        Field("name", FieldType.NAME, "Name of the file, without `.conf`.", REQUIRED),
        Field("values", FieldType.MAP, "Parameters and their values: `vm.swappiness: 10`."),
        Field("live", FieldType.BOOLEAN, "Whether the values in force are set, too.", default=True),
        Field(
            "state",
            FieldType.CHOICE,
            "`absent` removes the file; what is in force stays until the next start.",
            "present",
            choices=("present", "absent"),
        ),
    ),
    undo=True,
    check=_sysctl,
    example="sysctl: {name: 60-omero, values: {vm.swappiness: 10}}",
)
DECLARED = (CRON, LIMITS, SYSCTL)
