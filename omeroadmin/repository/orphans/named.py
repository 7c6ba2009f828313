"""The names that the database has for directories, met by a walk in the same order: one pass, no memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class NamedDirectory(NamedTuple):
    """A directory with the names that rows give its files.

    :param path: below the root, with a slash at its end; empty for the root itself
    :param names: slashes between them
    """

    path: str
    names: str


class NamedDirectories:
    """Reads along while a walk proceeds.

    :param rows: in byte order of their paths
    """

    def __init__(self, rows: Iterable[NamedDirectory]) -> None:
        self._rows = iter(rows)
        self._key: bytes | None = b""
        self._names = ""
        self._next()

    def names_of(self, key: bytes) -> str | None:
        """The names of a directory; later calls have greater keys.

        :param key: its path with a slash at its end
        """
        self._advance(key)
        return self._names if self._key == key else None

    def begins(self, key: bytes) -> bool:
        """Whether rows name anything in a directory or below it; later calls have greater keys."""
        self._advance(key)
        return self._key is not None and self._key.startswith(key)

    def _advance(self, key: bytes) -> None:
        while self._key is not None and self._key < key:
            self._next()

    def _next(self) -> None:
        row = next(self._rows, None)
        self._key, self._names = (None, "") if row is None else (row.path.encode(), row.names)
