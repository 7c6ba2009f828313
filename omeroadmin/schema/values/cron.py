"""Cron expressions as Quartz reads them, which OMERO schedules with: with seconds in front, and a ``?`` for a day."""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class _Field:
    """One field of an expression.

    :param names: words that stand for the numbers from ``low`` on
    :param special: what else the field may be, as a pattern
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    special: str = ""


_FIELDS = (
    _Field("seconds", 0, 59),
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of the month", 1, 31, special=r"\?|LW?|L-([1-9]|[12][0-9]|30)|([1-9]|[12][0-9]|3[01])W"),
    _Field("month", 1, 12, MONTHS),
    _Field("day of the week", 1, 7, DAYS, rf"\?|L|([1-7]|{'|'.join(DAYS)})(L|#[1-5])"),
    _Field("year", 1970, 2099),
)
_PART = re.compile(r"(?:(\*)|([0-9]{1,4}|[A-Z]{3})(?:-([0-9]{1,4}|[A-Z]{3}))?)?(?:/([0-9]{1,4}))?")


def cron_problem(text: str) -> str | None:
    """What is wrong with a cron expression."""
    fields = text.upper().split()
    if len(fields) == 5:
        return "this has five, as a line of crontab does: put 0 in front and a ? for one of the days"
    if not 6 <= len(fields) <= 7:
        return f"this has {len(fields) or 'none'}"
    for field, words in zip(_FIELDS, fields, strict=False):
        if not all(_fits(field, part) for part in words.split(",")) or ("?" in words and words != "?"):
            return f"{words} is no {field.name}"
    if (fields[3] == "?") == (fields[5] == "?"):
        return "one of the day of the month and the day of the week, and only one, is a ?"
    return None


def _fits(field: _Field, part: str) -> bool:
    if field.special and re.fullmatch(field.special, part):
        return True
    found = _PART.fullmatch(part)
    if not found or not part:
        return False
    _, first, last, step = found.groups()
    return (
        all(word is None or _is_one(field, word) for word in (first, last))
        and (step is None or 1 <= int(step) <= field.high)
    )  # fmt: skip


def _is_one(field: _Field, word: str) -> bool:
    return field.low <= int(word) <= field.high if word.isdigit() else word in field.names
