"""Where the files of a manifest were on the disk, which is how other programs name them.

A manifest follows links, other programs don't: the file behind a link is known to them by its real path. There may be
millions, so they are kept in a database on the disk.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Self

from omeroadmin.backups.engines.archiver import Stored
from omeroadmin.backups.manifest import Entry, entry_line, line_writer, parse_line, read_lines
from omeroadmin.backups.scan import Found, Root

PLACES_NAME = "places.jsonl.zst"
"""Name of the file beside the manifest."""
_BATCH = 1000
_UNPRINTABLE = re.compile("[\udc80-\udcff\ufffd]")
"""Bytes that are not UTF-8, as Python has them, and as restic prints them; borg prints question marks."""


def key_of(path: str) -> str:
    """A path as all programs print it: without the slash, and with a question mark for each byte that is not UTF-8."""
    path = path.lstrip("/")
    return path if path.isascii() else _UNPRINTABLE.sub("?", path)


class Places:
    """Files by their real paths.

    :param database: a file that doesn't exist yet
    """

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("CREATE TABLE file (key TEXT, place BLOB, size INTEGER, mtime INTEGER, line BLOB)")
        self._batch: list[tuple[str, bytes, int, int, bytes]] = []
        self._real: deque[tuple[str, str]] = deque()
        self._indexed = False
        # For one walk only: links may lead elsewhere by the next.
        self._real_directory = functools.lru_cache(maxsize=256)(os.path.realpath)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def noting(self, found: Iterable[Found]) -> Iterator[Found]:
        """Pass on what a walk finds, and note where it really is."""
        for item in found:
            if item.link is None and item.problem is None and not item.path.endswith("/"):
                self._real.append((item.path, _real(item.source, self._real_directory)))
            yield item

    def noted(self, item: Entry | bytes) -> None:
        """An entry that a collector made of what was noted, in the same order."""
        entry = parse_line(item) if isinstance(item, bytes) else item
        if not entry.is_file:
            return
        while self._real:
            path, place = self._real.popleft()
            if path == entry.path:
                self.add(entry, place)
                return
        raise AssertionError(f"{entry.path!r} comes from the walk")

    def add(self, entry: Entry, place: str) -> None:
        """A file and its place."""
        self._batch.append((key_of(place), os.fsencode(place), entry.size, entry.mtime_ns // 1000, entry_line(entry)))
        if len(self._batch) >= _BATCH:
            self._write()

    def _write(self) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO file VALUES (?, ?, ?, ?, ?)", self._batch)
        self._connection.execute("COMMIT")
        self._batch.clear()

    def _index(self) -> None:
        if not self._indexed:
            self._write()
            self._connection.execute("CREATE INDEX file_key ON file (key)")
            self._indexed = True

    def write_list(self, path: Path) -> None:
        """Write all places, each once and ended by a zero, in the order of the manifest."""
        self._index()
        query = "SELECT place FROM file GROUP BY place ORDER BY min(rowid)"
        with path.open("wb") as stream:
            for (place,) in self._connection.execute(query):
                stream.write(place + b"\0")

    def write_exceptions(self, path: Path, roots: Iterable[Root]) -> None:
        """Write which files are not where their path in the manifest says."""
        self._index()
        real = {root.name: os.path.realpath(root.directory) for root in roots}
        with line_writer(path) as writer:
            writer.write(json.dumps({"roots": real}).encode() + b"\n")
            for place, line in self._connection.execute("SELECT place, line FROM file ORDER BY rowid"):
                entry = parse_line(line)
                if os.fsdecode(place) != _usual(entry.path, real):
                    document = {"path": entry.path, "place": os.fsdecode(place)}
                    writer.write(json.dumps(document).encode() + b"\n")

    def compare(self, stored: Iterable[Stored]) -> None:
        """Take out all files that an archive has with this size and time."""
        self._index()
        for item in stored:
            key = key_of(item.path)
            # Borg rounds by way of a floating point number.
            query = "DELETE FROM file WHERE key = ? AND mtime BETWEEN ? AND ?"
            values = (key, item.mtime_us - 1, item.mtime_us + 1)
            if item.size is None:
                self._connection.execute(query, values)
            else:
                self._connection.execute(f"{query} AND size = ?", (*values, item.size))

    def take(self, path: str) -> list[Entry]:
        """The files of a place; they are taken out."""
        self._index()
        query = "DELETE FROM file WHERE key = ? RETURNING line"
        return [parse_line(line) for (line,) in self._connection.execute(query, (key_of(path),)).fetchall()]

    def remaining(self) -> Iterator[tuple[str, list[Entry]]]:
        """What hasn't been taken out: places, and the files there."""
        self._index()
        query = "SELECT DISTINCT place FROM file ORDER BY rowid"
        for (place,) in self._connection.execute(query).fetchall():
            name = os.fsdecode(place)
            yield name, self.take(name)


class Locator:
    """Tells where the files of a finished snapshot were.

    :param path: what :meth:`Places.write_exceptions` wrote
    """

    def __init__(self, path: Path) -> None:
        lines = read_lines(path)
        self._roots: Mapping[str, str] = json.loads(next(lines))["roots"]
        documents = (json.loads(line) for line in lines)
        self._exceptions = {document["path"]: document["place"] for document in documents}

    def place(self, entry: Entry) -> str:
        """The real path of a file."""
        return self._exceptions.get(entry.path) or _usual(entry.path, self._roots)


def _usual(path: str, roots: Mapping[str, str]) -> str:
    name, _, relative = path.partition("/")
    return f"{roots.get(name, '')}/{relative}"


def _real(source: str, real_directory: Callable[[str], str]) -> str:
    directory, name = os.path.split(source)
    if os.path.islink(source):  # noqa: PTH114 - inner loop
        with contextlib.suppress(OSError):
            return os.path.realpath(source)
    return f"{real_directory(directory)}/{name}"
