"""Remembers across crashes which row was being dealt with: an image that ends the process must not end it forever."""

from __future__ import annotations

import threading
from pathlib import Path

from omeroadmin.system import files


class Attempts:
    """Counts the attempts at the rows that are being dealt with; safe to use from any thread.

    :param path: a small file; its directory is made where it is missing
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        files.make_directory(path.parent, mode=0o700)
        self._counts = self._read()
        self.left = frozenset(self._counts)
        """Rows that a process was at when it ended; one of them may have ended it."""

    def begin(self, row: int) -> int:
        """Note that a row is being dealt with.

        :param row: id in the eventlog
        :return: which attempt it is, from 1
        :raises AdminError: ``file-not-written``
        """
        with self._lock:
            self._counts[row] = self._counts.get(row, 0) + 1
            self._write()
            return self._counts[row]

    def end(self, row: int) -> None:
        """Note that the row is dealt with."""
        with self._lock:
            if self._counts.pop(row, None) is not None:
                self._write()

    def _write(self) -> None:
        if self._counts:
            files.write_atomically(self._path, "".join(f"{row} {count}\n" for row, count in self._counts.items()))
        else:
            self._path.unlink(missing_ok=True)

    def _read(self) -> dict[int, int]:
        try:
            pairs = [line.split() for line in self._path.read_text().splitlines()]
            return {int(row): int(count) for row, count in pairs}
        except (FileNotFoundError, ValueError):
            return {}
