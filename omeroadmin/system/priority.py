"""Gives way to everything else on the machine."""

from __future__ import annotations

import contextlib
import os

_NICENESS = 10
_LOWEST_OF_ITS_CLASS = 7


def give_way() -> None:
    """Lower this process's priority for processors and disks, and that of what it starts; there is no way back.

    Not the idle class of disks: on a disk that is never idle a backup would never end.
    """
    import psutil

    with contextlib.suppress(OSError):
        os.nice(max(0, _NICENESS - os.nice(0)))
    with contextlib.suppress(psutil.Error, OSError, AttributeError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_BE, value=_LOWEST_OF_ITS_CLASS)
