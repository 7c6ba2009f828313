"""Throwaway directories: gone with all that runs in them, at the latest when the next one of their kind is made.

Each has a lock beside it that its maker holds. Whoever finds the lock free knows that the maker was killed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.system import files, locks
from omeroadmin.system.clock import wait_until

_PRIVATE = 0o700
_LOCK = ".lock"
_PATIENCE = 10.0
"""Seconds for processes to end."""
_POSTGRESQL = "postgres"


@contextlib.contextmanager
def scratch_directory(base: Path, kind: str) -> Iterator[Path]:
    """A private directory for the length of the block; what killed makers of the same kind have left is removed first.

    At the end, processes that work in it are ended, and it is removed.

    :param base: where it is made
    :param kind: beginning of its name, ``omero-drill``
    :raises AdminError: ``directory-missing``, ``directory-not-created``, ``file-not-written``, ``file-not-removed``,
        ``processes-not-ended``
    """
    if not base.is_dir():
        raise failed_error("directory-missing", f"{base} is not a directory", "name another one")
    remove_leftovers(base, kind)
    directory = base / f"{kind}-{secrets.token_hex(6)}"
    with locks.exclusive(lock := directory.with_name(directory.name + _LOCK), what=str(directory)):
        try:
            files.make_directory(directory, mode=_PRIVATE)
            yield directory
        finally:
            _clear(directory)
            lock.unlink(missing_ok=True)


def remove_leftovers(base: Path, kind: str) -> list[Path]:
    """Remove what killed makers have left: their processes, their directories.

    :return: the directories
    :raises AdminError: ``file-not-removed``, ``processes-not-ended``
    """
    removed = []
    for lock in sorted(base.glob(f"{kind}-*{_LOCK}")):
        # In a directory that all may write to, names say nothing: only what is this user's own is touched.
        if not _is_own(lock, stat.S_ISREG):
            continue
        with contextlib.suppress(_Held), _if_free(lock):
            directory = lock.with_name(lock.name.removesuffix(_LOCK))
            _clear(directory)
            lock.unlink(missing_ok=True)
            removed.append(directory)
    return removed


class _Held(Exception):  # noqa: N818 - no error: its maker is at work
    pass


@contextlib.contextmanager
def _if_free(lock: Path) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locks.exclusive(lock, what=str(lock), timeout=0))
        except AdminError as error:
            raise _Held from error
        yield


def _clear(directory: Path) -> None:
    if not _is_own(directory, stat.S_ISDIR):
        return
    end_processes(directory)
    try:
        try:
            shutil.rmtree(directory)
        except PermissionError:
            # Directories as they were in a repository may be closed to writing.
            _open_up(directory)
            shutil.rmtree(directory)
    except OSError as error:
        raise files.file_error("removed", directory, error) from error


def _is_own(path: Path, is_kind: Callable[[int], bool]) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return status.st_uid == os.geteuid() and is_kind(status.st_mode)


def _open_up(directory: Path) -> None:
    for current, names, _ in os.walk(directory):
        for name in names:
            path = Path(current, name)
            if not path.is_symlink():
                path.chmod(_PRIVATE)


def end_processes(directory: Path, *, timeout: float = _PATIENCE) -> None:
    """End all processes of this user whose working directory lies in a directory; none of them has work to finish.

    PostgreSQL is given the time to let go of its shared memory, which nobody would free otherwise.

    :param timeout: seconds
    :raises AdminError: ``processes-not-ended``
    """
    root = os.path.realpath(directory)
    if wait_until(lambda: not _end(root, gently=True), timeout=timeout / 2):
        return
    if not wait_until(lambda: not _end(root, gently=False), timeout=timeout / 2):
        raise failed_error(
            "processes-not-ended", f"processes in {directory} don't end", f"see which: fuser -v {directory}"
        )


def _end(root: str, *, gently: bool) -> bool:
    """Tell all processes below a directory to end; whether there was any."""
    import psutil

    found = False
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or not _is_below(process.cwd(), root):
                continue
            immediate_shutdown = gently and process.name() == _POSTGRESQL
            process.send_signal(signal.SIGQUIT if immediate_shutdown else signal.SIGKILL)
        except psutil.Error:
            # It has ended, or is another user's.
            continue
        found = True
    return found


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")
