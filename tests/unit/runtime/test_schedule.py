from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.runtime.kernel.schedule import Schedule, ticks
from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.schema.values.cron import cron_problem

START = datetime(2026, 1, 30, 22, 59, 58)  # noqa: DTZ001 - expressions are in the machine's own time


@pytest.mark.parametrize(
    ("expression", "moment"),
    [
        ("*/2 * * * * ?", "2026-01-30 23:00:00"),
        ("0 0 2 * * ?", "2026-01-31 02:00:00"),
        ("59 59 22 * * ?", "2026-01-30 22:59:59"),
        ("0 15,45 6-8/2 ? * MON-FRI", "2026-02-02 06:15:00"),
        ("0 0 0 L * ?", "2026-01-31 00:00:00"),
        ("0 0 0 LW 2 ?", "2026-02-27 00:00:00"),
        ("0 0 0 L-2 2 ?", "2026-02-26 00:00:00"),
        ("0 0 0 15W 2,3 ?", "2026-02-16 00:00:00"),
        ("0 0 0 1W 8 ?", "2026-08-03 00:00:00"),
        ("0 0 0 ? * 6L", "2026-02-27 00:00:00"),
        ("0 0 0 ? * FRI#2", "2026-02-13 00:00:00"),
        ("0 0 0 ? * L", "2026-01-31 00:00:00"),
        ("0 0 12 29 2 ?", "2028-02-29 12:00:00"),
        ("0 0 12 1 1 ? 2030", "2030-01-01 12:00:00"),
        ("0 0 12 1 1 ? 2020", None),
        ("0 0 0 31 2 ?", None),
        ("", None),
    ],
)
def test_the_next_moment(expression: str, moment: str | None) -> None:
    assert not expression or cron_problem(expression) is None
    found = Schedule(expression).next_after(START)
    assert (found and str(found)) == moment


@given(
    st.lists(st.integers(0, 59), min_size=1, max_size=3),
    st.integers(1, 59),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
)
def test_moments_are_later_and_of_the_expression(seconds: list[int], step: int, moment: datetime) -> None:
    schedule = Schedule(f"{','.join(map(str, seconds))} */{step} * * * ?")
    found = schedule.next_after(moment)
    assert found is not None
    assert found > moment
    assert found.second in seconds
    assert found.minute % step == 0
    assert schedule.next_after(found) != found


def test_ticks_come_at_the_moments_and_in_between() -> None:
    stop = Stop()
    try:
        seen: list[bool] = []
        for is_due in ticks(Schedule("* * * * * ?"), stop, poll=0.01):
            seen.append(is_due)
            if seen.count(True) == 2:
                stop.request()
        assert seen[0] is False
        assert seen.count(True) == 2
        assert seen.count(False) > 5
    finally:
        stop.close()


def test_no_expression_is_no_moment() -> None:
    stop = Stop()
    try:
        seen: list[bool] = []
        for is_due in ticks(Schedule(""), stop, poll=0.01):
            seen.append(is_due)
            if len(seen) == 20:
                stop.request()
        assert not any(seen)
    finally:
        stop.close()
