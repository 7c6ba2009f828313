"""What a node and its servers write to stdout and stderr: into files that are replaced before they grow too long."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

LARGEST = 5_000_000
"""Bytes; as ``omero.logging.logsize``, so that all logs of the grid are of a size."""
OLDER = 9
"""Earlier files that are kept, as ``omero.logging.lognum``."""
_MODE = 0o600


class Output:
    """One of the two streams of this process.

    All that a server writes comes through a pipe of the node, so that nobody else holds the file when it is replaced.

    :param number: its file descriptor
    :param path: the file behind it; ``None`` where it isn't ours: a terminal, or the journal
    :param largest: bytes after which the file is replaced, at the next end of a line
    :param older: how many earlier files stay, as ``<path>.1`` and so on
    """

    def __init__(self, number: int, path: Path | None = None, *, largest: int = LARGEST, older: int = OLDER) -> None:
        self._number = number
        self._path = path
        self._largest = largest
        self._older = older
        self._at_line_end = True

    def write(self, data: bytes) -> None:
        """Write at the end; a full disk or a reader that has gone doesn't stop the node."""
        with contextlib.suppress(OSError):
            if self._path is not None and self._is_full(len(data)):
                self._rotate(self._path)
            view = memoryview(data)
            while view:
                view = view[os.write(self._number, view) :]
            self._at_line_end = data.endswith(b"\n")

    def _is_full(self, more: int) -> bool:
        size = os.fstat(self._number).st_size
        if self._at_line_end:
            return size > 0 and size + more > self._largest
        return size > 2 * self._largest

    def _rotate(self, path: Path) -> None:
        for number in range(self._older - 1, 0, -1):
            earlier = _numbered(path, number)
            if earlier.exists():
                earlier.replace(_numbered(path, number + 1))
        path.replace(_numbered(path, 1))
        redirect(self._number, path)


@dataclass(frozen=True)
class Outputs:
    """Both streams of a node."""

    output: Output
    errors: Output


def redirect(number: int, path: Path) -> None:
    """Let a file descriptor of this process append to a file, mode 0600.

    :raises OSError: as the system says
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _MODE)
    os.dup2(descriptor, number)
    os.close(descriptor)


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
