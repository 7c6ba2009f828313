"""Files that are whole at any moment: temporary file, fsync, rename, fsync of the directory."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from omeroadmin.errors import AdminError, configuration_error, failed_error

SECRET_MODE = 0o600
"""Mode of files with secrets."""
PLAIN_MODE = 0o644
"""Mode of files without."""
TEMPORARY_PATTERN = ".*.tmp"
"""Names of files that :func:`atomic_file` was writing when it was killed."""


def write_atomically(
    path: Path, content: bytes | str, *, mode: int | None = None, owner: tuple[int, int] | None = None
) -> None:
    """Replace a file's content in one step.

    An existing file keeps its owner and, unless ``mode`` says otherwise, its mode; a symbolic link stays a link.

    :param path: the file; its directory must exist
    :param content: text is written as UTF-8
    :param mode: permission bits; for a new file 0600 by default
    :param owner: user and group of a new file, where this user may give it away
    :raises AdminError: ``file-not-written``
    """
    with atomic_file(path, mode=mode, owner=owner) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def atomic_file(path: Path, *, mode: int | None = None, owner: tuple[int, int] | None = None) -> Iterator[IO[bytes]]:
    """Open a file that takes its place only when the block ends without an exception.

    :param owner: user and group of a new file, where this user may give it away
    :raises AdminError: ``file-not-written``
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.urandom(6).hex()}.tmp")
    try:
        present_owner, wanted = _owner_and_mode(target, mode)
        owner = present_owner or owner
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            if owner is not None:
                with contextlib.suppress(PermissionError):
                    os.fchown(stream.fileno(), *owner)
            os.fchmod(stream.fileno(), wanted)
            os.fsync(stream.fileno())
        temporary.replace(target)
        sync_directory(target.parent)
    except OSError as error:
        raise file_error("written", path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _owner_and_mode(target: Path, mode: int | None) -> tuple[tuple[int, int] | None, int]:
    try:
        present = target.stat()
    except FileNotFoundError:
        return None, SECRET_MODE if mode is None else mode
    return (present.st_uid, present.st_gid), present.st_mode & 0o7777 if mode is None else mode


def sync_directory(directory: Path) -> None:
    """Make renames in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_filesystem(path: Path) -> None:
    """Put all that was written to the file system of this path on the disk; one call is worth a thousand fsyncs.

    :raises OSError: as the system says
    """
    import ctypes

    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)


def make_directory(path: Path, *, mode: int) -> None:
    """Create a directory, its parents with the usual modes, and give it exactly this mode.

    :raises AdminError: ``directory-not-created``
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if path.stat().st_mode & 0o7777 != mode:
            path.chmod(mode)
    except OSError as error:
        raise failed_error(
            "directory-not-created",
            f"directory {path} can't be made: {error.strerror}",
            f"check who owns {path.parent}: ls -ld {path.parent}",
        ) from error


def open_regular(path: str | Path) -> io.FileIO:
    """Open a file to read it, unless it is a link, a pipe, a device or a directory.

    :raises OSError: as the system says; ``EINVAL`` for what is no file
    """
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    # Changed since: a link is refused, a pipe doesn't wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return open(descriptor, "rb", buffering=0)  # noqa: PTH123 - a descriptor


def read_bytes(path: Path) -> bytes:
    """Content of a file.

    :raises AdminError: ``file-not-read``
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise file_error("read", path, error) from error


def read_named(path: Path) -> bytes:
    """Content of a file that somebody has named, on the command line or in a configuration.

    :raises AdminError: ``file-not-read``, with the status of a wrong configuration
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise named_file_error(path, error) from error


def read_text(path: Path) -> str:
    """Content of a UTF-8 file that somebody has named, on the command line or in a configuration.

    :raises AdminError: ``file-not-read``, with the status of a wrong configuration
    """
    content = read_named(path)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise configuration_error("file-not-read", f"{path} is not UTF-8 text (byte {error.start})") from error


def exposure(path: Path) -> str:
    """Who besides its owner can read a file with a secret, in words; empty: nobody.

    As ssh judges key files: what belongs to somebody else, root for one, may be shared with a group.
    """
    try:
        status = path.stat()
    except OSError:
        return ""
    mode = stat.S_IMODE(status.st_mode)
    if mode & stat.S_IRWXO:
        return f"it has mode {mode:04o}, so everybody on this machine can read it"
    if mode & stat.S_IRWXG and status.st_uid == os.geteuid():
        return f"it has mode {mode:04o}, so its group can read it"
    return ""


def file_error(what: str, path: Path, error: OSError) -> AdminError:
    """The one line for a file that can't be read or written."""
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return failed_error(
        f"file-not-{what}",
        f"{path} can't be {what}: {error.strerror or error}",
        f"make room there: df -h {_mount_point(path.parent)}" if is_full else f"check it: ls -ld {path.parent} {path}",
    )


_OF_THE_MACHINE = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
        errno.ESTALE,
        errno.EMFILE,
        errno.ENFILE,
    }
)


def machine_error(error: OSError) -> AdminError | None:
    """The failure where rights, a disk or the system's limits are the reason, as for any file they may be.

    :return: ``None`` for other reasons, and where the system names no file
    """
    if error.errno not in _OF_THE_MACHINE or not isinstance(error.filename, str | bytes):
        return None
    return file_error("used", Path(os.fsdecode(error.filename)), error)


def named_file_error(path: Path, error: OSError) -> AdminError:
    """The one line for a file that somebody has named and that can't be read: nothing was tried, the name is wrong."""
    found = file_error("read", path, error)
    return configuration_error(found.code, found.message, found.hint)


def _mount_point(directory: Path) -> Path:
    """What stays when the directory goes."""
    while not os.path.ismount(directory) and directory != directory.parent:
        directory = directory.parent
    return directory


def inside(root: Path, relative: str) -> Path:
    """Join a path from outside to a root that it must not leave.

    :raises AdminError: ``path-escapes``
    """
    candidate = Path(os.path.normpath(root / relative))
    if Path(relative).is_absolute() or not candidate.is_relative_to(os.path.normpath(root)) or "\0" in relative:
        raise failed_error("path-escapes", f"path {relative!r} leaves {root}")
    return candidate
