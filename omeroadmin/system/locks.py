"""One writer at a time, and marks of what is in use: advisory locks on files, waiting with a deadline."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from omeroadmin.errors import locked_error
from omeroadmin.system.clock import wait_until
from omeroadmin.system.files import file_error


@contextlib.contextmanager
def exclusive(lock_file: Path, *, what: str, timeout: float = 10.0) -> Iterator[Callable[[], bool]]:
    """Hold a lock for the length of the block.

    The lock file is never removed: two processes that lock different inodes of one name would both hold "the" lock.
    OMERO's own tools do remove theirs, so a lock counts only while its file is still the one of that name. What the
    block gets says whether it is; somebody who let go of the lock before may remove the file of the next holder.

    :param lock_file: made where it is missing, mode 0600; root makes it for the directory's owner
    :param what: what is locked, for the message
    :param timeout: seconds to queue
    :raises AdminError: ``locked`` with the holder's pid, ``file-not-written``
    """
    held: list[int] = []
    try:
        if not wait_until(lambda: _try_lock(lock_file, held), timeout=timeout):
            holder = _holder(lock_file)
            raise locked_error(
                "locked",
                f"{what} is locked by process {holder} (waited {timeout:g} s)",
                f"see what it does: ps -fp {holder}" if holder.isdigit() else f"see who: fuser {lock_file}",
            )
        # The number is for people; that it doesn't fit on a full disk doesn't make the lock less held.
        with contextlib.suppress(OSError):
            os.ftruncate(held[0], 0)
            os.pwrite(held[0], f"{os.getpid()}\n".encode(), 0)
        yield lambda: _is_named(lock_file, held[0])
    finally:
        for descriptor in held:
            os.close(descriptor)


@contextlib.contextmanager
def using(file: Path, *, what: str, timeout: float = 10.0) -> Iterator[None]:
    """Let it be known for the length of the block that a file is in use; any number of processes may do so.

    The mark is a lock of the kernel: it needs no right to write, and it ends with its process. Where there are no
    locks, or the file may not be opened, the block goes on without: nobody who removes the file is held up then.

    :param what: what is in use, for the message
    :param timeout: seconds to wait for somebody who makes sure that nobody uses it
    :raises FileNotFoundError: it is not there, or not any more
    :raises AdminError: ``locked``
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError:
        yield
        return
    try:
        if not wait_until(lambda: _flock(descriptor, fcntl.LOCK_SH), timeout=timeout):
            raise locked_error("locked", f"{what} is being removed", f"see who: fuser {file}")
        if not _is_named(file, descriptor):
            raise FileNotFoundError(file)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def unused(file: Path) -> Iterator[bool]:
    """Whether nobody uses a file; if so, nobody begins to as long as the block lasts.

    :raises AdminError: ``file-not-read``
    """
    try:
        descriptor = _open_to_lock(file)
    except FileNotFoundError:
        yield True
        return
    except OSError as error:
        raise file_error("read", file, error) from error
    try:
        yield _flock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def users_text(file: Path) -> str:
    """Words for those who use a file: ``process 4711``, as far as this machine knows them."""
    numbers: list[str] = []
    with contextlib.suppress(OSError):
        numbers = list(dict.fromkeys(_holders_by_system(file)))
    if not numbers:
        return "another host or container"
    return f"process{'' if len(numbers) == 1 else 'es'} {', '.join(numbers)}"


def _open_to_lock(file: Path) -> int:
    """NFS gives locks against others only to those who may write."""
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(file, os.O_RDWR | flags)
    except FileNotFoundError:
        raise
    except OSError:
        return os.open(file, os.O_RDONLY | flags)


def _flock(descriptor: int, kind: int) -> bool:
    """Whether nobody stands against it; nobody can where the file system has no locks."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _try_lock(lock_file: Path, held: list[int]) -> bool:
    """Lock the file that has this name now; its descriptor goes to ``held``."""
    try:
        descriptor = _open(lock_file)
    except FileNotFoundError as error:
        if lock_file.parent.is_dir():
            return False  # removed between two looks at it
        raise file_error("written", lock_file, error) from error
    except OSError as error:
        raise file_error("written", lock_file, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_named(lock_file, descriptor):
            held.append(descriptor)
    except BlockingIOError:
        pass
    finally:
        if not held:
            os.close(descriptor)
    return bool(held)


def _open(lock_file: Path) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(lock_file, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(lock_file, flags)
    if os.geteuid() == 0:
        # Or root's one visit would shut out the account that the server runs as.
        owner = lock_file.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def _is_named(lock_file: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), lock_file.stat())
    except FileNotFoundError:
        return False


def _holder(lock_file: Path) -> str:
    """Process id of whoever holds the lock: as the system says, else as the file says, which other tools don't fill."""
    try:
        return _holder_by_system(lock_file) or lock_file.read_text("ascii", "replace").strip() or "unknown"
    except OSError:
        return "unknown"


def _holder_by_system(lock_file: Path) -> str:
    return next(iter(_holders_by_system(lock_file)), "")


def _holders_by_system(lock_file: Path) -> list[str]:
    status = lock_file.stat()
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    table = Path("/proc/locks")
    rows = [line.split() for line in table.read_text("ascii").splitlines()] if table.exists() else []
    # Processes of another container have the number 0 or -1.
    return [row[4] for row in rows if row[1] == "FLOCK" and row[5] == file and int(row[4]) > 0]
