"""Finds files that have settled: their size and time have stayed the same for a while."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DroppedFile:
    """A file in a user's folder.

    :param user: name of the folder
    :param size: bytes
    :param mtime: nanoseconds since 1970
    """

    user: str
    path: str
    size: int
    mtime: int


@dataclass
class _Candidate:
    file: DroppedFile
    since: float


class Settling:
    """Files on their way from first sight to settled; no clock of its own and no threads.

    :param root: the directory with a folder for each user
    :param interval: seconds without a change
    """

    def __init__(self, root: Path, interval: float) -> None:
        self._root = root
        self._interval = interval
        self._candidates: dict[str, _Candidate] = {}
        self._settled: dict[str, DroppedFile] = {}

    @property
    def settled(self) -> tuple[DroppedFile, ...]:
        """Everything that has settled and is still there."""
        return tuple(self._settled.values())

    @property
    def is_waiting(self) -> bool:
        """Whether a file is on its way."""
        return bool(self._candidates)

    def scan(self, now: float) -> None:
        """Look through all folders; events may have been missed."""
        seen = set()
        for path in _files_below(self._root):
            seen.add(path)
            self.look(path, now)
        for path in [*self._candidates, *self._settled]:
            if path not in seen:
                self._forget(path)

    def look(self, path: str, now: float) -> None:
        """Look at a file, or at what there is below a directory."""
        if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114 - called for every event
            for inner in _files_below(Path(path)):
                self.look(inner, now)
            return
        file = self._file_of(path)
        if file is None:
            self._forget(path)
        elif self._settled.get(path) != file:
            self._settled.pop(path, None)
            candidate = self._candidates.get(path)
            if candidate is None or candidate.file != file:
                self._candidates[path] = _Candidate(file, now)

    def newly_settled(self, now: float) -> list[DroppedFile]:
        """Files that have settled since the last call, those of one folder in the order of their names."""
        result: list[DroppedFile] = []
        for path in sorted(self._candidates):
            self.look(path, now)
            candidate = self._candidates.get(path)
            if candidate is not None and now - candidate.since >= self._interval:
                del self._candidates[path]
                self._settled[path] = candidate.file
                result.append(candidate.file)
        return result

    def _forget(self, path: str) -> None:
        self._candidates.pop(path, None)
        self._settled.pop(path, None)

    def _file_of(self, path: str) -> DroppedFile | None:
        relative = Path(path).relative_to(self._root) if path.startswith(f"{self._root}/") else None
        if relative is None or len(relative.parts) < 2 or any(part.startswith(".") for part in relative.parts):
            return None
        try:
            status = os.lstat(path)
        except OSError:
            return None
        # Links could name any file that the server may read.
        if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
            return None
        return DroppedFile(relative.parts[0], path, status.st_size, status.st_mtime_ns)


def _files_below(directory: Path) -> Iterator[str]:
    for folder, names, file_names in os.walk(directory):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(file_names):
            if not name.startswith("."):
                yield f"{folder}/{name}"
