"""When a server looks for work: at the moments of a Quartz expression, in the machine's own time."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.schema.values.cron import DAYS, MONTHS

_MONTHS = {name: number for number, name in enumerate(MONTHS, 1)}
_DAYS = {name: number for number, name in enumerate(DAYS, 1)}
_LONGEST_SEARCH = 366 * 9
"""Days ahead within which a moment must be: 29 February may be eight years away."""


class Schedule:
    """The moments of a valid expression, as :func:`omeroadmin.schema.values.cron.cron_problem` judges it.

    :param expression: seven fields, the last of which may be missing; empty means never
    """

    def __init__(self, expression: str) -> None:
        words = expression.upper().split()
        self._is_never = not words
        if self._is_never:
            return
        self._seconds = _numbers(words[0], 0, 59)
        self._minutes = _numbers(words[1], 0, 59)
        self._hours = _numbers(words[2], 0, 23)
        self._month_days = words[3]
        self._months = set(_numbers(words[4], 1, 12, _MONTHS))
        self._week_days = words[5]
        self._years = set(_numbers(words[6], 1970, 2099)) if len(words) > 6 else None

    def next_after(self, moment: datetime) -> datetime | None:
        """The first of the moments that is later.

        :param moment: in the machine's own time, without a time zone
        :return: ``None`` where there is none any more
        """
        if self._is_never:
            return None
        moment = moment.replace(microsecond=0) + timedelta(seconds=1)
        day, earliest = moment.date(), moment.time()
        for _ in range(_LONGEST_SEARCH):
            if self._has(day):
                found = self._first_time(earliest)
                if found is not None:
                    return datetime.combine(day, found)
            day, earliest = day + timedelta(days=1), time()
        return None

    def _first_time(self, earliest: time) -> time | None:
        for hour in (one for one in self._hours if one >= earliest.hour):
            first_minute = earliest.minute if hour == earliest.hour else 0
            for minute in (one for one in self._minutes if one >= first_minute):
                is_now = (hour, minute) == (earliest.hour, earliest.minute)
                for second in self._seconds:
                    if second >= (earliest.second if is_now else 0):
                        return time(hour, minute, second)
        return None

    def _has(self, day: date) -> bool:
        if day.month not in self._months or (self._years is not None and day.year not in self._years):
            return False
        month_ok = self._month_days == "?" or any(_is_month_day(part, day) for part in self._month_days.split(","))
        week_ok = self._week_days == "?" or any(_is_week_day(part, day) for part in self._week_days.split(","))
        return month_ok and week_ok


def ticks(schedule: Schedule, stop: Stop, *, poll: float = 5.0) -> Iterator[bool]:
    """Wait for the moments of a schedule until the server shall stop.

    :param poll: seconds at most between two answers
    :return: true at each moment, and false at once and in between, where there is time to see whether all is well
    """
    yield False
    due = schedule.next_after(_now())
    while not stop.requested:
        seconds = poll if due is None else (due - _now()).total_seconds()
        if stop.wait(min(max(seconds, 0.0), poll)):
            return
        now = _now()
        following = schedule.next_after(now)
        is_due = due is not None and now >= due
        # A clock that was put back brings the next moment nearer.
        due = following if is_due or due is None or following is None else min(due, following)
        yield is_due


def _now() -> datetime:
    """The machine's own time, which is what administrators write expressions in."""
    return datetime.now().astimezone().replace(tzinfo=None)


def _numbers(words: str, low: int, high: int, names: dict[str, int] | None = None) -> list[int]:
    result: set[int] = set()
    for part in words.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first in ("*", ""):
            start, end = low, high
        else:
            start = _number(first, names)
            end = _number(last, names) if last else (high if step else start)
        values = range(start, end + 1) if start <= end else (*range(start, high + 1), *range(low, end + 1))
        result.update(values[:: int(step) or 1] if step else values)
    return sorted(result)


def _number(word: str, names: dict[str, int] | None) -> int:
    return names[word] if names and word in names else int(word)


def _is_month_day(part: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if part == "L":
        return day.day == last
    if part == "LW":
        return day.day == _nearest_weekday(day, last)
    if part.startswith("L-"):
        return day.day == last - int(part[2:])
    if part.endswith("W"):
        return int(part[:-1]) <= last and day.day == _nearest_weekday(day, int(part[:-1]))
    return day.day in _numbers(part, 1, 31)


def _nearest_weekday(day: date, wanted: int) -> int:
    """The day from Monday to Friday that is nearest to one of a month, in the same month."""
    last = calendar.monthrange(day.year, day.month)[1]
    match day.replace(day=wanted).weekday():
        case 5:
            return wanted - 1 if wanted > 1 else wanted + 2
        case 6:
            return wanted + 1 if wanted < last else wanted - 2
    return wanted


def _is_week_day(part: str, day: date) -> bool:
    number = day.isoweekday() % 7 + 1
    if part == "L":
        return number == 7
    special = re.fullmatch(r"(\w{3}|\d)(?:(L)|#(\d))", part)
    if special is None:
        return number in _numbers(part, 1, 7, _DAYS)
    if number != _number(special[1], _DAYS):
        return False
    if special[2]:
        return day.day + 7 > calendar.monthrange(day.year, day.month)[1]
    return (day.day - 1) // 7 + 1 == int(special[3])
