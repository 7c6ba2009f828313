"""Holds a stream of work to so much a second."""

from __future__ import annotations

import threading
import time

_LONGEST_DEBT = 0.2
"""Seconds of work that may be caught up with after a break."""


class Pace:
    """A limit that several threads share.

    :param rate: units a second, such as bytes
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._free = time.monotonic()

    def take(self, count: float) -> None:
        """Wait until so many units are due.

        :param count: units that are done next, or were just done
        """
        with self._lock:
            now = time.monotonic()
            self._free = max(self._free, now - _LONGEST_DEBT) + count / self._rate
            pause = self._free - now
        if pause > 0:
            time.sleep(pause)
