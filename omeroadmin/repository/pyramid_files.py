"""Pyramids as files below ``Pixels``: which there are, of which byte order, who is writing them, and their end."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.repository.layout import pyramid_lock_path, pyramid_path
from omeroadmin.system import files, locks

_NAME = re.compile(r"([0-9]{1,19})_pyramid", re.ASCII)
_BESIDE = re.compile(r"\.([0-9]{1,19}_pyramid).*\.(?:tmp|pyr_lock)", re.ASCII)


class Endian(StrEnum):
    """Byte order of a TIFF file."""

    LITTLE = "little"
    BIG = "big"
    UNKNOWN = "unknown"


_ORDERS = {b"II": Endian.LITTLE, b"MM": Endian.BIG}


@dataclass(frozen=True)
class PyramidFile:
    """A pyramid.

    :param size: bytes; nobody can read an empty one
    :param held_by: name of a lock or temporary file beside it, of somebody who writes it; empty: nobody does
    """

    path: Path
    pixels_id: int
    size: int
    held_by: str = ""

    @property
    def endian(self) -> Endian:
        """Its byte order, by its first two bytes."""
        try:
            with self.path.open("rb") as stream:
                return _ORDERS.get(stream.read(2), Endian.UNKNOWN)
        except OSError:
            return Endian.UNKNOWN


def scan_pyramids(data_directory: Path, problems: list[str]) -> Iterator[PyramidFile]:
    """All pyramids, directory by directory; links aren't followed, and a file in another place than its own is none.

    :param problems: gets a line for each directory that can't be read
    """
    pending = [data_directory / "Pixels"]
    while pending:
        directory = pending.pop()
        found: list[os.DirEntry[str]] = []
        held: dict[str, str] = {}
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(Path(entry.path))
                    elif (beside := _BESIDE.fullmatch(entry.name)) is not None:
                        held[beside[1]] = entry.name
                    elif _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                        found.append(entry)
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(f"{directory} can't be read: {error.strerror}")
            continue
        yield from _pyramids(data_directory, found, held)


def _pyramids(data_directory: Path, found: list[os.DirEntry[str]], held: dict[str, str]) -> Iterator[PyramidFile]:
    for entry in found:
        number = int(entry.name.partition("_")[0])
        path = Path(entry.path)
        try:
            size = entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
        if path == pyramid_path(data_directory, number):
            yield PyramidFile(path, number, size, held.get(entry.name, ""))


def remove_pyramid(pyramid: PyramidFile) -> bool:
    """Remove a pyramid unless somebody is writing it, or has replaced it.

    :return: whether it is gone
    :raises AdminError: ``file-not-written``
    """
    if pyramid.held_by:
        return False
    lock = pyramid_lock_path(pyramid.path)
    try:
        with locks.exclusive(lock, what=f"pyramid {pyramid.path.name}", timeout=0):
            try:
                return _remove_unchanged(pyramid)
            finally:
                lock.unlink(missing_ok=True)
    except AdminError as error:
        if error.exit_status is not ExitStatus.LOCKED:
            raise
        return False


def _remove_unchanged(pyramid: PyramidFile) -> bool:
    try:
        if pyramid.path.lstat().st_size != pyramid.size:
            return False
        pyramid.path.unlink()
        files.sync_directory(pyramid.path.parent)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise files.file_error("written", pyramid.path, error) from error
    return True
