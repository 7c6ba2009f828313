"""Walks through what a backup saves, in the order of manifests, with one stat per file."""

from __future__ import annotations

import errno
import fnmatch
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

_SLASH = ord("/")
_PERMISSIONS = 0o7777


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
    forbidden = {identity for directory in never if (identity := _identity(str(directory))) is not None}
    for root in sorted(roots, key=lambda root: sort_key(root.name + "/")):
        yield from _walk_root(root, forbidden)


def _walk_root(root: Root, forbidden: set[tuple[int, int]]) -> Iterator[Found]:
    source = str(root.directory)
    try:
        status = os.stat(source)  # noqa: PTH116 - strings throughout: this is the inner loop
    except OSError as error:
        yield Found(f"{root.name}/", source, 0, 0, 0, problem=f"can't be read: {error.strerror}")
        return
    place = _Place(f"{root.name}/", source, ((status.st_dev, status.st_ino),), is_top=True)
    yield _directory(place.path, source, status)
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


def _children(place: _Place, skip: frozenset[str]) -> Iterator[tuple[Found, _Place | None]]:
    try:
        with os.scandir(place.source) as scan:
            keyed = sorted([(_key(entry), entry) for entry in scan if not _is_left_out(entry.name, place, skip)])
    except OSError as error:
        yield Found(place.path, place.source, 0, 0, 0, problem=f"can't be read: {error.strerror}"), None
        return
    for key, entry in keyed:
        path = place.path + entry.name
        try:
            if key[-1] == _SLASH:
                yield _enter(path + "/", entry, place)
                continue
            status = entry.stat()
        except FileNotFoundError:
            if entry.is_symlink():
                yield _dangling(path, entry), None
            continue
        except OSError as error:
            if error.errno == errno.ELOOP and entry.is_symlink():
                yield _dangling(path, entry), None
                continue
            yield Found(path, entry.path, 0, 0, 0, problem=f"can't be read: {error.strerror}"), None
            continue
        mode = status.st_mode
        if stat.S_ISREG(mode):
            yield Found(path, entry.path, status.st_size, status.st_mtime_ns, mode & _PERMISSIONS), None


def _key(entry: os.DirEntry[str]) -> bytes:
    try:
        is_directory = entry.is_dir()
    except OSError:
        is_directory = False
    return os.fsencode(entry.name) + (b"/" if is_directory else b"")


def _enter(path: str, entry: os.DirEntry[str], place: _Place) -> tuple[Found, _Place | None]:
    status = entry.stat()
    identity = (status.st_dev, status.st_ino)
    if identity in place.identities:
        return Found(path, entry.path, 0, 0, 0, problem="leads back to a directory above it"), None
    below = _Place(path, entry.path, (*place.identities, identity), is_top=False)
    return _directory(path, entry.path, status), below


def _directory(path: str, source: str, status: os.stat_result) -> Found:
    return Found(path, source, 0, status.st_mtime_ns, stat.S_IMODE(status.st_mode))


def _dangling(path: str, entry: os.DirEntry[str]) -> Found:
    status = entry.stat(follow_symlinks=False)
    target = os.readlink(entry.path)  # noqa: PTH115 - pathlib would normalise the target
    return Found(path, entry.path, 0, status.st_mtime_ns, 0o777, link=target)


def _is_left_out(name: str, place: _Place, skip: frozenset[str]) -> bool:
    if place.is_top and name in skip:
        return True
    if name[0] != "." and name != "lost+found" and not name.endswith("_lock"):
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
