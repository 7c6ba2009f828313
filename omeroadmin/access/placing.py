"""Puts files in their place on the server's disk, for imports on the server's own machine.

Whether it may is the operating system's decision: this process has no rights but its user's.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from omeroadmin.access.walk import Candidate
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.schema.transfers import Transfer
from omeroadmin.system.files import file_error

_PIECE = 1 << 20
_MODE = 0o640

Progress = Callable[[int], object]


def place(
    transfer: Transfer, file: Candidate, target: Path, take: Callable[[bytes], object], progress: Progress
) -> None:
    """Link or copy a file.

    :param take: gets the file's bytes where they are read anyway; see :func:`is_read`
    :param progress: called with the number of bytes of each piece
    :raises AdminError: ``file-not-placed``, ``file-not-read``
    """
    try:
        match transfer:
            case Transfer.SYMBOLIC_LINK:
                target.symlink_to(file.path)
            case Transfer.HARD_LINK | Transfer.HARD_LINK_REMOVE:
                # Where the file is a link, its content is meant: a link to a link would dangle when that goes.
                os.link(file.path.resolve(strict=True), target)
            case _:
                _copy(file.path, target, take, progress)
    except OSError as error:
        raise _not_placed(transfer, file.path, target, error) from error


def is_read(transfer: Transfer) -> bool:
    """Whether :func:`place` reads what it puts in place."""
    return transfer in (Transfer.COPY, Transfer.COPY_REMOVE)


def read_through(path: Path, take: Callable[[bytes], object], progress: Progress) -> None:
    """Read a file for its checksum.

    :raises AdminError: ``file-not-read``
    """
    try:
        with path.open("rb", buffering=0) as stream:
            while piece := stream.read(_PIECE):
                take(piece)
                progress(len(piece))
    except OSError as error:
        raise file_error("read", path, error) from error


def _copy(source: Path, target: Path, take: Callable[[bytes], object], progress: Progress) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
    with os.fdopen(descriptor, "wb", buffering=0) as sink, source.open("rb", buffering=0) as stream:
        while piece := stream.read(_PIECE):
            view = memoryview(piece)
            while view:
                view = view[sink.write(view) :]
            take(piece)
            progress(len(piece))


def _not_placed(transfer: Transfer, source: Path, target: Path, error: OSError) -> AdminError:
    reason = error.strerror or str(error)
    if error.errno == errno.EXDEV:
        hint = "hard links stay on one file system: --transfer=ln_s or cp"
    elif error.errno == errno.ENOENT:
        hint = "in-place imports run on the server's machine, or where its repository is mounted at the same path"
    elif error.errno in (errno.EACCES, errno.EPERM):
        hint = f"this account must be allowed to write there and to read the file: ls -ld {target.parent} {source}"
    else:
        hint = "import without --transfer to send it instead"
    return failed_error("file-not-placed", f"--transfer={transfer} to {target} failed: {reason}", hint)
