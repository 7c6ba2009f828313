"""Remembers across crashes which row was being dealt with: an image that ends the process must not end it forever."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.system import files


class Attempts:
    """Counts the attempts at one row after the other.

    :param path: a small file; its directory is made where it is missing
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        files.make_directory(path.parent, mode=0o700)

    def begin(self, row: int) -> int:
        """Note that a row is being dealt with.

        :param row: id in the eventlog
        :return: which attempt it is, from 1
        :raises AdminError: ``file-not-written``
        """
        last_row, count = self._read()
        count = count + 1 if last_row == row else 1
        files.write_atomically(self._path, f"{row} {count}\n")
        return count

    def end(self) -> None:
        """Note that the row is dealt with."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> tuple[int, int]:
        try:
            row, count = self._path.read_text().split()
            return int(row), int(count)
        except (FileNotFoundError, ValueError):
            return 0, 0
