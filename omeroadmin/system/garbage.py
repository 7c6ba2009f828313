"""Python's collector of garbage, where millions of tuples pass and hardly a cycle."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_THRESHOLDS = (100_000, 50, 100)


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for garbage a hundred times less often inside the block: each look is at all that lives."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
