"""The one place that writes config.xml: queue for the lock, read, edit, note it in the history, replace the file."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from omeroadmin.errors import AdminError, configuration_error, locked_error
from omeroadmin.profiles.document import Document
from omeroadmin.profiles.journal import Journal
from omeroadmin.profiles.source import read_source
from omeroadmin.system.clock import monotonic
from omeroadmin.system.files import named_file_error, write_atomically
from omeroadmin.system.locks import exclusive

Result = TypeVar("Result")


class _LockLostError(Exception):
    """Another tool has removed the file of our lock."""


@dataclass(frozen=True)
class Edit(Generic[Result]):
    """A change to config.xml.

    :param change: is given the whole file, in today's format; it may be called again where another tool interfered
    :param may_create: whether the result is worth making a file for where there is none
    :param must_save: whether a file that only isn't in order (an old format, an old ``__ACTIVE__`` copy) must be
        written; where it can't be, other edits leave that
    :param cause: the command that asks for it, without values, e.g. ``config set``; for the history
    """

    change: Callable[[Document], Result]
    may_create: Callable[[Result], bool]
    must_save: bool = False
    cause: str = ""


def write(config_xml: Path, edit: Edit[Result], *, wait: float) -> Result:
    """Carry out an edit while nobody else can write; where nothing changes, nothing is written.

    :param wait: seconds to queue for the lock
    :raises AdminError: ``locked``, ``config-unparsable``, ``config-directory-missing``, ``config-read-only``,
        ``file-not-written``, and whatever the edit raises
    """
    target = _target(config_xml)
    protected = _protected(target)
    if protected is not None:
        return _edit_read_only(config_xml, target, edit, protected)
    deadline, left = monotonic() + wait, wait
    while True:
        with exclusive(_lock_file(target), what=str(config_xml), timeout=left) as still_held:
            try:
                return _edit_locked(config_xml, target, edit, still_held)
            except _LockLostError:
                left = deadline - monotonic()
                if left <= 0:
                    raise _interfered(config_xml) from None


def is_in_order(config_xml: Path) -> bool:
    """Whether the file is there, and saving it would change nothing.

    :raises AdminError: ``config-unparsable``
    """
    source = read_source(_target(config_xml))
    document = Document(config_xml, source)
    document.upgrade()
    return document.finish() is None and source is not None


@contextlib.contextmanager
def lock_out_writers(config_xml: Path, *, wait: float) -> Iterator[None]:
    """Keep everybody else from writing for the length of the block; readers don't notice.

    :param wait: seconds to queue for the lock
    :raises AdminError: ``locked``, ``config-directory-missing``, ``config-read-only``
    """
    target = _target(config_xml)
    protected = _protected(target)
    if protected is not None:
        raise _read_only(config_xml, target, protected)
    with exclusive(_lock_file(target), what=str(config_xml), timeout=wait):
        yield


def _target(config_xml: Path) -> Path:
    """The file itself: through a symbolic link, two instances may share one, and the lock is the file's."""
    target = Path(os.path.realpath(config_xml))
    status = _status(target.parent, config_xml)
    if status is None or not stat.S_ISDIR(status.st_mode):
        raise configuration_error(
            "config-directory-missing",
            f"{target.parent} is not a directory, so there is no place for {config_xml.name}",
            "check OMERODIR, or make an instance: omero install --help",
        )
    return target


def _lock_file(target: Path) -> Path:
    """The name that OMERO's own tools lock as well."""
    return target.with_name(f"{target.name}.lock")


def _edit_locked(config_xml: Path, target: Path, edit: Edit[Result], still_held: Callable[[], bool]) -> Result:
    source = read_source(target)
    document = Document(config_xml, source)
    before = document.state()
    document.upgrade()
    result = edit.change(document)
    content = document.finish()
    if content is None or (source is None and not edit.may_create(result)):
        return result
    owner = _owner(target)
    with Journal(target, owner) as journal:
        journal.record(before, document.state(), edit.cause)
        if not still_held():
            raise _LockLostError
        _remove_leftovers(target)
        write_atomically(target, content, owner=owner)
        journal.confirm()
    return result


def _edit_read_only(config_xml: Path, target: Path, edit: Edit[Result], protected: Path) -> Result:
    """See what the edit would change; only what changes nothing succeeds."""
    source = read_source(target)
    document = Document(config_xml, source)
    document.upgrade()
    before = document.state()
    result = edit.change(document)
    content = document.finish()
    if content is None or (source is None and not edit.may_create(result)):
        return result
    if document.state() == before and not edit.must_save:
        return result
    raise _read_only(config_xml, target, protected)


def _read_only(config_xml: Path, target: Path, protected: Path) -> AdminError:
    words = f"{config_xml} is read-only" if protected == target else f"{config_xml} is in a read-only directory"
    return configuration_error(
        "config-read-only",
        f"{words}; nothing was changed",
        f"make it writable (ls -ld {protected}), or change the file that it was made from",
    )


def _protected(target: Path) -> Path | None:
    """What forbids writing: the file or its directory; ``None`` where nothing does."""
    for path in (target, target.parent):
        status = _status(path, target)
        # Mode bits don't stop root; but whoever took away even the owner's has meant everybody.
        if status is not None and not (status.st_mode & 0o200 and os.access(path, os.W_OK)):
            return path
    return None


def _status(path: Path, config_xml: Path) -> os.stat_result | None:
    """What the system knows of a path; ``None`` where there is nothing of the name.

    :param config_xml: what can't be read where this user may not even look
    :raises AdminError: ``file-not-read``
    """
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise named_file_error(config_xml, error) from error


def _owner(target: Path) -> tuple[int, int] | None:
    """Whose new files should be: root makes them for the owner of what is there, who runs the server."""
    if os.geteuid() != 0:
        return None
    status = (target if target.exists() else target.parent).stat()
    return status.st_uid, status.st_gid


def _interfered(config_xml: Path) -> Exception:
    return locked_error(
        "locked",
        f"{config_xml} is being written by another tool that takes away the lock",
        "try again when it is done",
    )


def _remove_leftovers(target: Path) -> None:
    """Remove what killed writers have left; whoever holds the lock knows that nobody is at it."""
    for leftover in target.parent.glob(f".{target.name}.*.tmp"):
        leftover.unlink(missing_ok=True)
