"""One writer at a time: advisory locks on files that stay in place, waiting with a deadline."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from omeroadmin.errors import locked_error
from omeroadmin.system.clock import wait_until
from omeroadmin.system.files import file_error


@contextlib.contextmanager
def exclusive(lock_file: Path, *, what: str, timeout: float = 10.0) -> Iterator[None]:
    """Hold a lock for the length of the block.

    The lock file is never removed: two processes that lock different inodes of one name would both hold "the" lock.

    :param lock_file: made where it is missing, mode 0600
    :param what: what is locked, for the message
    :param timeout: seconds to queue
    :raises AdminError: ``locked`` with the holder's pid, ``file-not-written``
    """
    try:
        descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise file_error("written", lock_file, error) from error
    try:
        if not wait_until(lambda: _try_lock(descriptor), timeout=timeout):
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise locked_error(
                "locked",
                f"{what} is locked by process {holder} (waited {timeout:g} s)",
                f"see what it does: ps -fp {holder}" if holder.isdigit() else f"see who: fuser {lock_file}",
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
