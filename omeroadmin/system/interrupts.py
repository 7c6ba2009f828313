"""Signals that end a program, as the exception that lets it tidy up."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def endings_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP are as good as Ctrl-C inside the block: they raise KeyboardInterrupt.

    Signals reach the main thread only, so this belongs there.
    """
    before = {number: signal.signal(number, signal.default_int_handler) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
