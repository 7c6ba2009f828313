"""How often tests repeat what may go wrong at any moment."""

from __future__ import annotations

import os


def rounds(usual: int) -> int:
    """Number of repetitions: the usual one, or what ``OMERO_TEST_ROUNDS`` says for a thorough run."""
    return int(os.environ.get("OMERO_TEST_ROUNDS", "0")) or usual
