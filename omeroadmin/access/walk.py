"""Finds the files that an import is to send, in a stable order, and says what it leaves out and why."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import AdminError, failed_error, usage_error

DEFAULT_DEPTH = 4


@dataclass(frozen=True)
class Candidate:
    """A file to import.

    :param path: absolute
    :param size: bytes when it was found
    """

    path: Path
    size: int


@dataclass(frozen=True)
class Found:
    """What a walk came across.

    :param files: to import, sorted below each path that was given
    :param hidden: files and folders whose names start with a dot
    :param too_deep: folders that were not looked into
    :param special: neither files nor folders
    :param problems: what can't be read, one error each
    """

    files: tuple[Candidate, ...]
    hidden: tuple[Path, ...] = ()
    too_deep: tuple[Path, ...] = ()
    special: tuple[Path, ...] = ()
    problems: tuple[tuple[Path, AdminError], ...] = ()


class _Walk:
    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.files: dict[Path, Candidate] = {}
        self.hidden: list[Path] = []
        self.too_deep: list[Path] = []
        self.special: list[Path] = []
        self.problems: list[tuple[Path, AdminError]] = []

    def enter(self, path: Path, level: int) -> None:
        try:
            status = path.stat()
            if stat.S_ISDIR(status.st_mode):
                self._enter_folder(path, level)
            elif stat.S_ISREG(status.st_mode):
                self._take(path, status.st_size)
            else:
                self.special.append(path)
        except OSError as error:
            self.problems.append((path, _unreadable(path, error.strerror or str(error))))

    def _enter_folder(self, folder: Path, level: int) -> None:
        if level > self.depth:
            self.too_deep.append(folder)
            return
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - Path.iterdir makes a Path for every hidden name too
            path = folder / name
            if name.startswith("."):
                self.hidden.append(path)
            elif path.is_symlink() and path.is_dir():
                # A link to a folder may lead back to where the walk came from.
                self.special.append(path)
            else:
                self.enter(path, level + 1)

    def _take(self, path: Path, size: int) -> None:
        try:
            str(path).encode()
        except UnicodeEncodeError:
            self.problems.append((path, failed_error("name-invalid", "the file's name is not UTF-8")))
            return
        if not os.access(path, os.R_OK):
            self.problems.append((path, _unreadable(path, os.strerror(13))))
            return
        self.files.setdefault(path, Candidate(path, size))


def find_files(paths: list[Path], *, depth: int = DEFAULT_DEPTH) -> Found:
    """Look for files to import.

    :param paths: files and folders as typed; each file counts once
    :param depth: how many levels of folders to look into below a given folder
    :raises AdminError: ``path-missing`` if one of ``paths`` is not there
    """
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        names = ", ".join(str(path) for path in missing)
        raise usage_error("path-missing", f"no such file or folder: {names}", "nothing was imported; check the path")
    walk = _Walk(depth)
    for path in paths:
        walk.enter(Path(os.path.abspath(path)), 0)  # noqa: PTH100 - resolve() would follow links
    return Found(
        tuple(walk.files.values()),
        tuple(walk.hidden),
        tuple(walk.too_deep),
        tuple(walk.special),
        tuple(walk.problems),
    )


def _unreadable(path: Path, reason: str) -> AdminError:
    return failed_error("file-not-read", f"can't be read: {reason}", f"check it: ls -ld {path}")
