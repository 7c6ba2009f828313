"""Time: stamps for files and waiting for a condition with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def utc_stamp(moment: datetime | None = None) -> str:
    """A moment as ``2026-11-24T01:02:03Z``; now by default."""
    return (moment or utc_now()).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def monotonic() -> float:
    """Seconds of a clock that never goes back."""
    return time.monotonic()


def wait_until(
    condition: Callable[[], bool], *, timeout: float, first_pause: float = 0.02, longest_pause: float = 0.25
) -> bool:
    """Poll until a condition holds.

    :param condition: what to wait for; called at least once
    :param timeout: seconds to wait at most
    :param first_pause: seconds after the first look; grows by half each time
    :param longest_pause: seconds between looks at most
    :return: whether the condition held in time
    """
    deadline = time.monotonic() + timeout
    pause = first_pause
    while not condition():
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return False
        time.sleep(min(pause, remaining))
        pause = min(pause * 1.5, longest_pause)
    return True
