"""Reaches files below a root without ever following a link: a directory that becomes a link meanwhile leads nowhere."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from omeroadmin.system.files import file_error

DEEPEST = 250
"""Levels of directories that are entered; each takes a descriptor."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextlib.contextmanager
def open_root(root: Path) -> Iterator[int]:
    """A root's descriptor; it is the same directory until the block ends, whatever happens to its name.

    :param root: may be a link itself, as ``/OMERO`` often is
    :raises AdminError: ``file-not-read``
    """
    try:
        descriptor = os.open(root, _DIRECTORY)
    except OSError as error:
        raise file_error("read", root, error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_child(name: str, parent: int) -> int:
    """Open a directory in another; a link is none.

    :raises OSError: as the system says
    """
    return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


@contextlib.contextmanager
def directory_below(root: int, path: str, *, make_mode: int | None = None) -> Iterator[int]:
    """Descriptor of a directory below a root.

    :param path: relative, components with single slashes between; empty for the root itself
    :param make_mode: of directories that are made on the way; ``None`` makes none
    :raises OSError: as the system says; for a link on the way, too
    """
    descriptor = os.dup(root)
    try:
        for name in path.split("/") if path else ():
            if name in ("", ".", ".."):
                raise NotADirectoryError(20, "not a plain path", path)
            if make_mode is not None:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, make_mode, dir_fd=descriptor)
            below = open_child(name, descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def names_in(directory: int) -> list[str]:
    """Names in a directory, by its descriptor; those that aren't UTF-8 carry lone surrogates.

    :raises OSError: as the system says
    """
    return os.listdir(directory)


def split(path: str) -> tuple[str, str]:
    """Directory and name of a relative path; the directory of what is in the root is empty."""
    directory, _, name = path.rpartition("/")
    return directory, name


def remove_tree(name: str, parent: int, levels: int = DEEPEST) -> tuple[int, int]:
    """Remove a file, a link or a directory with all that is in it.

    :return: number of files and their bytes
    :raises OSError: as the system says; what was removed until then is gone
    """
    status = os.lstat(name, dir_fd=parent)
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(name, dir_fd=parent)
        return 1, status.st_size
    if not levels:
        raise OSError(errno.ELOOP, f"more than {DEEPEST} levels", name)
    descriptor = open_child(name, parent)
    count = size = 0
    try:
        for child in names_in(descriptor):
            more = remove_tree(child, descriptor, levels - 1)
            count, size = count + more[0], size + more[1]
    finally:
        os.close(descriptor)
    os.rmdir(name, dir_fd=parent)
    return count, size
