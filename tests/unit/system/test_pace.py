"""So much a second, and no more once it is stopped."""

from __future__ import annotations

import threading

import pytest

from omeroadmin.system.pace import Pace, StoppedError


def test_whoever_waits_is_let_go() -> None:
    pace = Pace(1)
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            pace.take(10_000)
        except StoppedError as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    pace.stop()
    thread.join(30)
    assert len(outcome) == 1
    with pytest.raises(StoppedError):
        pace.take(0)


def test_without_a_rate_nobody_waits() -> None:
    pace = Pace(0)
    pace.take(10**18)
    pace.stop()
    with pytest.raises(StoppedError):
        pace.take(1)
