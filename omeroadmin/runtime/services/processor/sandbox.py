"""Becomes a script, after giving up what the script shall not have. Runs alone, with the standard library only.

Usage: python -I sandbox.py SCRIPT CPU_SECONDS MEMORY_BYTES FILE_BYTES
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_MOST_FILES = 256


def main(arguments: list[str]) -> None:
    """Limit this process and replace it by the script."""
    script, cpu_seconds, memory_bytes, file_bytes = arguments[0], *map(int, arguments[1:])
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        # A script doesn't outlive Processor, and gains nothing from set-user-id programs.
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for what, limit in (
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_DATA, memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, _MOST_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (wanted, wanted))
    os.umask(0o077)
    os.execv(sys.executable, [sys.executable, "-I", script])  # noqa: S606 - a shell is what it avoids


if __name__ == "__main__":
    main(sys.argv[1:])
