"""The previous snapshot's manifest, walked through beside the disk: lines are compared as bytes and seldom parsed."""

from __future__ import annotations

from collections.abc import Iterable

from omeroadmin.backups.manifest import Entry, parse_line, sort_key

_LAST = b"\xff"
"""Sorts after every path: roots have ASCII names."""


class Previous:
    """A place in the previous manifest, which only goes on.

    :param lines: of a manifest whose checksum was compared
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self._entry: Entry | None = None
        self._key = b""
        self.line = b""
        self.advance()

    def advance(self) -> None:
        """Go to the next line; after the last one it is empty."""
        self.line = next(self._lines, b"")
        self._key = b""

    def at(self, path: str) -> Entry | None:
        """The entry of a path; asked for in order. It stays the present line."""
        key = sort_key(path)
        while self._present_key() < key:
            self.advance()
        return self._entry if self._key == key else None

    def _present_key(self) -> bytes:
        if not self._key:
            if self.line:
                self._entry = parse_line(self.line)
                self._key = sort_key(self._entry.path)
            else:
                self._entry, self._key = None, _LAST
        return self._key
