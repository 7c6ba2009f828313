"""Holds a stream of work to so much a second."""

from __future__ import annotations

import threading
import time

_LONGEST_DEBT = 0.2
"""Seconds of work that may be caught up with after a break."""


class StoppedError(RuntimeError):
    """The work is not wanted any more."""


class Pace:
    """A limit that several threads share.

    :param rate: units a second, such as bytes; 0: as fast as it goes
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._free = time.monotonic()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let nobody go on, nor wait any longer: threads can't be interrupted from outside."""
        self._stopped.set()

    def take(self, count: float) -> None:
        """Wait until so many units are due.

        :param count: units that are done next, or were just done
        :raises StoppedError: after :meth:`stop`
        """
        if self._stopped.is_set():
            raise StoppedError
        if not self._rate:
            return
        with self._lock:
            now = time.monotonic()
            self._free = max(self._free, now - _LONGEST_DEBT) + count / self._rate
            pause = self._free - now
        if pause > 0 and self._stopped.wait(pause):
            raise StoppedError
