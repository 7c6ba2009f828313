"""The file from which PostgreSQL's programs read a password, so that it stands in no argument and no variable."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from omeroadmin.system import files


@contextlib.contextmanager
def password_file(user: str, password: str) -> Iterator[str]:
    """A file with the password of a role on whatever host, which lives as long as the block.

    It has no name in any directory: nothing is left on a disk, whatever ends this process. Other processes of this user
    open it by way of this one; libpq asks for a regular file that nobody else can read, which it is.

    :return: its path, for ``PGPASSFILE``
    :raises AdminError: ``file-not-written``
    """
    content = ":".join(_escape(part) for part in ("*", "*", "*", user, password)) + "\n"
    descriptor = _in_memory(content.encode())
    if descriptor is None:
        with tempfile.TemporaryDirectory(prefix="omero-db-") as directory:
            path = Path(directory) / "pgpass"
            files.write_atomically(path, content, mode=files.SECRET_MODE)
            yield str(path)
        return
    try:
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _in_memory(content: bytes) -> int | None:
    """A file in memory; ``None`` where this system has none, or none that others can open."""
    try:
        descriptor = os.memfd_create("omero-db", os.MFD_CLOEXEC)
    except (AttributeError, OSError):
        return None
    try:
        os.fchmod(descriptor, files.SECRET_MODE)
        os.write(descriptor, content)
        # A process with privileges of its own shows its files to root only, and /proc may not be there at all.
        if os.access(f"/proc/{os.getpid()}/fd/{descriptor}", os.R_OK):
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")
