"""Signals that end a program, as the exception that lets it tidy up."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def endings_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP are as good as Ctrl-C inside the block: they raise KeyboardInterrupt.

    What is ignored, as ``nohup`` does it, stays so. In other threads than the main one, which no signal reaches,
    nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ENDING}
    caught = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
    for number in caught:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in caught.items():
            signal.signal(number, handler)
