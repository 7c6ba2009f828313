"""When to start a server again that ended by itself, and when to give it up."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

FIRST_PAUSE = 0.25
"""Seconds before the first new start; doubles with each failure."""
LONGEST_PAUSE = 60.0
"""Seconds between starts at most."""
JITTER = 0.2
"""Share by which a pause varies, so that servers that died together don't come back together."""
HEALTHY_AFTER = 10.0
"""Seconds of readiness after which earlier failures no longer count."""
FAILURES = 5
"""That many failures within the window are a crash loop."""
WINDOW = 60.0
"""Seconds."""


@dataclass
class Backoff:
    """The failures of one server.

    :param pause: seconds of the next pause, before jitter
    :param moments: when it failed, in seconds of a monotonic clock
    """

    pause: float = FIRST_PAUSE
    moments: deque[float] = field(default_factory=deque)

    def reset(self) -> None:
        """Forget all failures."""
        self.pause = FIRST_PAUSE
        self.moments.clear()

    def failed(self, now: float, healthy_for: float) -> float | None:
        """Count a failure.

        :param now: seconds of a monotonic clock
        :param healthy_for: seconds for which the server was ready before it ended
        :return: seconds to wait before the next start; ``None``: give it up
        """
        if healthy_for >= HEALTHY_AFTER:
            self.reset()
        self.moments.append(now)
        while now - self.moments[0] > WINDOW:
            self.moments.popleft()
        if len(self.moments) >= FAILURES:
            return None
        pause = self.pause
        self.pause = min(pause * 2, LONGEST_PAUSE)
        return pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret depends on it
