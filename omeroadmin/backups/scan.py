"""Walks through what a backup saves, in the order of manifests, with one stat per file."""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import itertools
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from omeroadmin.backups.manifest import sort_key

REBUILDABLE = ("BioFormatsCache", "FullText")
"""Directories of the data directory that the servers make anew; a restored instance indexes again."""

TEMPORARY = ("lost+found", ".*.tmp", ".pyr_lock", "*.pyr_lock", ".omero/repository/*/.lock")
"""Locks and files being written, by name or by the end of the path."""

_ODD_ENDS = ("_lock", "lost+found")
"""All names that are left out end so, or begin with a dot."""
_PERMISSIONS = 0o7777
_TOGETHER = 1000
"""Files that are handed on together."""
_MOST_OPEN = 100
"""Directories one in another that are kept open: a process may have only so many descriptors."""


@dataclass(frozen=True)
class Root:
    """A tree to save.

    :param name: first component of its paths in the manifest
    :param directory: where it is; links on the way are followed
    :param skip: directories and files at its top that are left out
    """

    name: str
    directory: Path
    skip: frozenset[str] = frozenset()


class Found(NamedTuple):
    """Something on the disk. A tuple, because there may be millions.

    :param path: path in the manifest; directories end in a slash
    :param source: path on the disk
    :param link: target of a link that leads nowhere
    :param problem: why it can't be looked at
    """

    path: str
    source: str
    size: int
    mtime_ns: int
    mode: int
    link: str | None = None
    problem: str | None = None


class _Place(NamedTuple):
    """A directory being walked through, with the identities of those above it against circles of links."""

    path: str
    source: str
    identities: tuple[tuple[int, int], ...]
    is_top: bool


def walk(roots: Iterable[Root], never: Sequence[Path] = ()) -> Iterator[Found]:
    """All files and directories below the roots, in byte order of their paths.

    Links to files and directories are followed: what the database calls a file must be whole in the backup. Sockets
    and devices are left out.

    :param never: directories not to enter: the target itself
    """
    return itertools.chain.from_iterable(walk_together(roots, never))


def walk_together(roots: Iterable[Root], never: Sequence[Path] = ()) -> Iterator[list[Found]]:
    """The same in pieces, which costs half of the time: one after another, some that lie in the same directory."""
    forbidden = {identity for directory in never if (identity := _identity(str(directory))) is not None}
    for root in sorted(roots, key=lambda root: sort_key(root.name + "/")):
        yield from _walk_root(root, forbidden)


def _walk_root(root: Root, forbidden: set[tuple[int, int]]) -> Iterator[list[Found]]:
    source = str(root.directory)
    try:
        status = os.stat(source)  # noqa: PTH116 - strings throughout: this is the inner loop
    except OSError as error:
        yield [Found(f"{root.name}/", source, 0, 0, 0, problem=f"can't be read: {error.strerror}")]
        return
    place = _Place(f"{root.name}/", source, ((status.st_dev, status.st_ino),), is_top=True)
    yield [_directory(place.path, source, status)]
    stack = [_children(place, root.skip)]
    while stack:
        for found, below in stack[-1]:
            if below is None:
                yield found
            elif below.identities[-1] not in forbidden:
                yield found
                stack.append(_children(below, root.skip))
                break
        else:
            stack.pop()


def _children(place: _Place, skip: frozenset[str]) -> Iterator[tuple[list[Found], _Place | None]]:
    """What lies in a directory: files, some at a time, and directories, each before what is in it."""
    with contextlib.ExitStack() as opened:
        where: int | str = place.source
        try:
            if len(place.identities) <= _MOST_OPEN:
                # By way of its descriptor the system needn't look the whole path up for each file.
                where = os.open(place.source, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                opened.callback(os.close, where)
            entries = _sorted_entries(where, place, skip)
        except OSError as error:
            yield [Found(place.path, place.source, 0, 0, 0, problem=f"can't be read: {error.strerror}")], None
            return
        files: list[Found] = []
        for key, entry in entries:
            if key[-1] != "/":
                found = _file(entry, place)
                if found is not None:
                    files.append(found)
                    if len(files) == _TOGETHER:
                        yield files, None
                        files = []
                continue
            if files:
                yield files, None
                files = []
            yield _enter(entry, place)
        if files:
            yield files, None


def _sorted_entries(where: int | str, place: _Place, skip: frozenset[str]) -> list[tuple[str, os.DirEntry[str]]]:
    """Names with their entries, a slash after those of directories, in the order of bytes."""
    entries: dict[str, os.DirEntry[str]] = {}
    is_ascii = True
    with os.scandir(where) as scan:
        for entry in scan:
            name = entry.name
            if (place.is_top or name[0] == "." or name.endswith(_ODD_ENDS)) and _is_left_out(name, place, skip):
                continue
            # No file's name has a slash, so that no name takes another one's place.
            entries[name + "/" if _is_directory(entry) else name] = entry
            is_ascii = is_ascii and name.isascii()
    # Strings sort twice as fast as pairs of them.
    return [(key, entries[key]) for key in sorted(entries, key=None if is_ascii else sort_key)]


def _file(entry: os.DirEntry[str], place: _Place) -> Found | None:
    try:
        status = entry.stat()
    except OSError as error:
        return _unseen(entry, place, error)
    mode = status.st_mode
    if not stat.S_ISREG(mode):
        return None
    name = entry.name
    return Found(place.path + name, f"{place.source}/{name}", status.st_size, status.st_mtime_ns, mode & _PERMISSIONS)


def _unseen(entry: os.DirEntry[str], place: _Place, error: OSError) -> Found | None:
    """A file that can't be looked at: a link that leads nowhere, or gone, or a fault."""
    path, source = place.path + entry.name, f"{place.source}/{entry.name}"
    if isinstance(error, FileNotFoundError) or error.errno == errno.ELOOP:
        if entry.is_symlink():
            return _dangling(path, source)
        if isinstance(error, FileNotFoundError):
            return None
    return Found(path, source, 0, 0, 0, problem=f"can't be read: {error.strerror}")


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _enter(entry: os.DirEntry[str], place: _Place) -> tuple[list[Found], _Place | None]:
    path, source = f"{place.path}{entry.name}/", f"{place.source}/{entry.name}"
    try:
        status = entry.stat()
    except FileNotFoundError:
        link = _dangling(path[:-1], source) if entry.is_symlink() else None
        return [] if link is None else [link], None
    except OSError as error:
        return [Found(path[:-1], source, 0, 0, 0, problem=f"can't be read: {error.strerror}")], None
    identity = (status.st_dev, status.st_ino)
    if identity in place.identities:
        return [Found(path, source, 0, 0, 0, problem="leads back to a directory above it")], None
    below = _Place(path, source, (*place.identities, identity), is_top=False)
    return [_directory(path, source, status)], below


def _directory(path: str, source: str, status: os.stat_result) -> Found:
    return Found(path, source, 0, status.st_mtime_ns, stat.S_IMODE(status.st_mode))


def _dangling(path: str, source: str) -> Found | None:
    try:
        status = os.lstat(source)
        target = os.readlink(source)  # noqa: PTH115 - pathlib would normalise the target
    except FileNotFoundError:
        return None
    except OSError as error:
        return Found(path, source, 0, 0, 0, problem=f"can't be read: {error.strerror}")
    return Found(path, source, 0, status.st_mtime_ns, 0o777, link=target)


def _is_left_out(name: str, place: _Place, skip: frozenset[str]) -> bool:
    if place.is_top and name in skip:
        return True
    if name[0] != "." and not name.endswith(_ODD_ENDS):
        return False
    return any(
        fnmatch.fnmatchcase(
            place.path + name if "/" in pattern else name, "*/" + pattern if "/" in pattern else pattern
        )
        for pattern in TEMPORARY
    )


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_dev, status.st_ino
