"""Ends that Python can't see coming: a library in C that aborts, most often because it gets no memory.

The interpreter writes where it was to ``var/run/<server id>.fault`` while it dies; the next process of the server says
in the log what became of the one before.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import re
from pathlib import Path

_MOST = 65536
_NO_MEMORY = re.compile(
    rb"memory allocation of \d+ bytes failed|failed to allocate \d+ bytes|std::bad_alloc|out of memory|cannot allocate"
    rb" memory",
    re.IGNORECASE,
)


class Faults:
    """What a process leaves when it dies of a fault.

    :param path: ``var/run/<server id>.fault``
    :param error_logs: where the node puts what servers write to stderr; libraries say there what they lacked
    """

    def __init__(self, path: Path, error_logs: list[Path]) -> None:
        self._path = path
        self._error_logs = error_logs

    def report(self, log: logging.Logger, exhausted: str) -> None:
        """Say what became of the process before this one, if it died of a fault.

        :param exhausted: the line for want of memory
        """
        lines = _tail(self._path, 0).decode("utf-8", "replace").splitlines()
        if not lines:
            return
        # The first line names the fault, the first that begins with File is the innermost call of the thread.
        where = next((line.strip() for line in lines if line.lstrip().startswith("File ")), "an unknown place")
        if any(_NO_MEMORY.search(_tail(file, -4096)) for file in self._error_logs):
            log.error("%s", exhausted)
        log.error("The process before this one ended by a fault: %s, at %s", lines[0], where)

    def watch(self) -> int:
        """Have faults written down from now on.

        :return: the descriptor that is kept open for it
        :raises OSError: if the file can't be made
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        faulthandler.enable(descriptor)
        return descriptor

    def forget(self) -> None:
        """This process ends by itself: remove the file, unless there is something in it."""
        with contextlib.suppress(OSError):
            if not self._path.stat().st_size:
                self._path.unlink()


def _tail(path: Path, offset: int) -> bytes:
    """A file from an offset, which counts from its end where it is negative."""
    try:
        with path.open("rb") as stream:
            if offset < 0:
                size = stream.seek(0, os.SEEK_END)
                stream.seek(max(0, size + offset))
            return stream.read(_MOST)
    except OSError:
        return b""
