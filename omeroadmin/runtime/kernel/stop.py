"""The wish to stop: SIGTERM and SIGINT, turned into something that threads and event loops can wait for."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Callable


class Stop:
    """Set once, by a signal or by the server itself."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._reader, self._writer = os.pipe()

    def install(self) -> None:
        """Listen for SIGTERM and SIGINT; main thread only."""
        # An Event must not be set in a handler that may interrupt a wait for it; SimpleQueue.put is reentrant.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _frame: self._signals.put(received))
        threading.Thread(target=self._watch, name="signals", daemon=True).start()

    @property
    def requested(self) -> bool:
        """Whether the server shall stop."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask the server to stop."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks = list(self._callbacks)
        os.write(self._writer, b"\0")
        for callback in callbacks:
            callback()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the server shall stop.

        :param timeout: seconds; ``None`` for as long as the server lives
        :return: whether it shall stop
        """
        return self._event.wait(timeout)

    def on_request(self, callback: Callable[[], None]) -> None:
        """Call back, from another thread, when the server shall stop; at once if that is already so."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def fileno(self) -> int:
        """A descriptor that becomes readable when the server shall stop, for ``select``."""
        return self._reader

    def close(self) -> None:
        """Give the descriptors back."""
        for descriptor in (self._reader, self._writer):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _watch(self) -> None:
        self._signals.get()
        self.request()
