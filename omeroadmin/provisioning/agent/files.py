"""Files on a host: whole at any moment, with owner and mode from the start."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import IO, Any

from omeroadmin.provisioning.agent.accounts import group_number, user_number
from omeroadmin.provisioning.agent.change import HostError, system_failure
from omeroadmin.provisioning.agent.places import held

TEMPORARY_SUFFIX = ".omeroadmin-new"
"""End of the names of files that are being written; the next writer of the same file replaces what a kill left."""


def temporary_name(path: str) -> str:
    """Where a file is written before it takes its place."""
    directory, name = os.path.split(path)
    return os.path.join(directory, f".{name}{TEMPORARY_SUFFIX}")


def has_unfinished(path: str) -> bool:
    """Whether a writer that was killed has left something beside a file."""
    try:
        with held(path) as place:
            return os.path.lexists(temporary_name(place))
    except OSError:
        return False


def drop_unfinished(path: str) -> None:
    """Remove that.

    :raises OSError: as the system says
    """
    with contextlib.suppress(FileNotFoundError), held(path) as place:
        os.unlink(temporary_name(place))


def write_whole(path: str, content: bytes | IO[bytes], mode: int, owner: str = "", group: str = "") -> None:
    """Replace a file in one step; a symbolic link stays one.

    :param content: bytes, or a stream of them
    :param mode: permission bits
    :param owner: name or number; present owner, else this user by default
    :raises HostError: ``host-file-not-written``, ``host-user-unknown``, ``host-group-unknown``, ``host-link-untrusted``
    """
    try:
        with held(path) as target:
            _replace(target, content, mode, owner, group)
    except OSError as error:
        raise system_failure("written", path, error) from error


def _replace(target: str, content: bytes | IO[bytes], mode: int, owner: str, group: str) -> None:
    temporary = temporary_name(target)
    try:
        present = status_of(target)
        user = user_number(owner) if owner else (present.st_uid if present else -1)
        group_id = group_number(group) if group else (present.st_gid if present else -1)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            for block in [content] if isinstance(content, bytes) else iter(lambda: content.read(1 << 20), b""):
                _write_all(descriptor, block)
            if (user, group_id) != (-1, -1):
                os.fchown(descriptor, user, group_id)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, target)
        sync_directory(os.path.dirname(target))
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_directory(directory: str) -> None:
    """Make a rename survive a power cut."""
    descriptor = os.open(directory or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def status_of(path: str) -> os.stat_result | None:
    """What ``lstat`` says; ``None`` where there is nothing.

    :raises HostError: ``host-file-not-read``
    """
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise system_failure("read", path, error) from error


def describe_path(path: str, follow: bool = True) -> dict[str, Any]:
    """Kind, mode, owner and group of a path, as facts.

    :return: ``{"exists": False}``, or with ``kind`` (file, directory, link, other), ``mode``, ``owner``, ``group``
    """
    from omeroadmin.provisioning.agent.accounts import group_name, user_name

    try:
        with held(path, follow=follow) as place:
            status = os.lstat(place)
    except (FileNotFoundError, NotADirectoryError):
        return {"exists": False}
    except OSError as error:
        raise system_failure("read", path, error) from error
    kind = "other"
    for name, matches in (("file", stat.S_ISREG), ("directory", stat.S_ISDIR), ("link", stat.S_ISLNK)):
        if matches(status.st_mode):
            kind = name
    return {
        "exists": True,
        "kind": kind,
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "owner": user_name(status.st_uid),
        "group": group_name(status.st_gid),
        "size": status.st_size,
    }


def read_whole(path: str, limit: int = 64 << 20) -> bytes | None:
    """Content of a regular file; ``None`` where there is none.

    :raises HostError: ``host-file-not-read``, ``host-not-a-file``, ``host-file-too-large``
    """
    try:
        descriptor = open_to_read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise system_failure("read", path, error) from error
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise HostError("host-not-a-file", f"{path} is not a regular file", f"look at it: ls -ld {path}")
        if status.st_size > limit:
            raise HostError("host-file-too-large", f"{path} has {status.st_size} bytes; {limit} at most are compared")
        return stream.read()


def open_to_read(path: str) -> int:
    """A descriptor of a file.

    :raises OSError: as the system says
    :raises HostError: ``host-link-untrusted``
    """
    with held(path) as place:
        return os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)


def digest_of_file(path: str) -> str:
    """SHA-256 of a file of any size, in hexadecimal.

    :raises HostError: ``host-file-not-read``
    """
    import hashlib

    hashed = hashlib.sha256()
    try:
        with os.fdopen(open_to_read(path), "rb") as stream:
            while block := stream.read(1 << 20):
                hashed.update(block)
    except OSError as error:
        raise system_failure("read", path, error) from error
    return hashed.hexdigest()


def as_text(content: bytes | None, limit: int = 256 << 10) -> str | None:
    """Content for a diff; ``None`` where it isn't text or is long."""
    if content is None or len(content) > limit or b"\0" in content:
        return None
    with contextlib.suppress(UnicodeDecodeError):
        return content.decode()
    return None
