"""Reads images for Blitz in a process of its own: a file that ends it, or makes it large, doesn't harm Blitz.

Usage: python -m omeroadmin.runtime.services.blitz.reading MEMORY_BYTES
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.repository.filesets import read_fileset
from omeroadmin.repository.plates import read_plates
from omeroadmin.runtime.services.blitz.reading.protocol import Contents, contents_line, failure_line, paths_of

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def main(arguments: Sequence[str]) -> None:
    """Answer questions on stdin until it ends."""
    _give_up_rights(int(arguments[0]))
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not look like an answer.
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        answers.write(_answer(paths_of(line)) + b"\n")
        answers.flush()


def _answer(paths: list[Path]) -> bytes:
    try:
        return contents_line(Contents(read_fileset(paths), read_plates(paths)))
    except AdminError as error:
        return failure_line(error)


def _give_up_rights(memory_bytes: int) -> None:
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for what, limit in (
        (resource.RLIMIT_DATA, memory_bytes),
        # It only reads: nothing that it opens can grow.
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (wanted, wanted))


if __name__ == "__main__":
    main(sys.argv[1:])
