"""Where a target keeps what: pure names, the lock, and the removal of what killed runs left behind."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from omeroadmin.backups.snapshot import DOCUMENT_NAME
from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.system import files, locks
from omeroadmin.system.clock import utc_now, wait_until

PRIVATE = 0o700
"""Mode of all directories of a target: dumps and configuration are secrets."""

_REMOVE_TIMEOUT = 10.0
_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_PART = re.compile(r"[0-9a-f]{2}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Target:
    """The layout of a directory with snapshots; knows names, touches nothing."""

    root: Path

    @property
    def pool(self) -> Path:
        """Contents of all files, each once, named by their BLAKE3."""
        return self.root / "pool"

    @property
    def snapshots(self) -> Path:
        """One directory per snapshot."""
        return self.root / "snapshots"

    @property
    def partial(self) -> Path:
        """Files being written; nothing here is of use to a later run."""
        return self.root / "partial"

    @property
    def lock_file(self) -> Path:
        """Held by whoever changes the target."""
        return self.root / "lock"

    @property
    def suspect_file(self) -> Path:
        """Is there since a verification found a fault; the next run looks at each content."""
        return self.root / "suspect"

    def pool_file(self, digest: str) -> Path:
        """Where a content is kept.

        :param digest: BLAKE3 in hexadecimal
        :raises AdminError: ``manifest-damaged`` if this is no digest
        """
        if not _DIGEST.fullmatch(digest):
            raise failed_error("manifest-damaged", f"{digest!r} in a manifest of {self.root} is no BLAKE3")
        return self.pool / digest[:2] / digest

    def snapshot_directory(self, snapshot_id: str) -> Path:
        """Directory of one snapshot."""
        return self.snapshots / snapshot_id


def new_id(moment: datetime | None = None) -> str:
    """An id that sorts by time, also within a second: ``20261124T010203Z-1a25ec``, milliseconds and chance in hex."""
    moment = moment or utc_now()
    return f"{moment.strftime('%Y%m%dT%H%M%SZ')}-{moment.microsecond // 1000:03x}{secrets.randbelow(4096):03x}"


def is_id(text: str) -> bool:
    """Whether a name is that of a snapshot."""
    return _ID.fullmatch(text) is not None


def is_part(entry: os.DirEntry[str]) -> bool:
    """Whether something in the pool is one of the directories that contents are spread over."""
    return _PART.fullmatch(entry.name) is not None and entry.is_dir()


def require_target(root: Path) -> Target:
    """A target that must be there.

    :raises AdminError: ``backup-target-missing``, ``backup-target-occupied`` for a file, ``file-not-read``
    """
    target = Target(root)
    with _readable(root):
        if not target.snapshots.is_dir():
            _refuse_file(root)
            raise target_missing(str(root))
    return target


def require_place(root: Path) -> None:
    """That a target, or an empty directory for one, is there.

    :raises AdminError: ``backup-target-missing``, ``backup-target-occupied`` for a file, ``file-not-read``
    """
    with _readable(root):
        if not root.is_dir():
            _refuse_file(root)
            raise target_missing(str(root))


def _refuse_file(root: Path) -> None:
    """Refuse what can't become a directory: a file, or a link that leads nowhere."""
    if root.exists() and not root.is_dir():
        raise configuration_error("backup-target-occupied", f"{root} is no directory", "name a directory")
    if root.is_symlink() and not root.exists():
        raise configuration_error(
            "backup-target-missing",
            f"{root} is a link to {root.readlink()}, which is not there",
            "see whether its disk is mounted; if it is to be a new target, make the directory",
        )


def target_missing(address: str) -> AdminError:
    """The one line for a target that isn't there."""
    return configuration_error(
        "backup-target-missing",
        f"{address} holds no snapshots",
        f"see whether its disk is mounted; if it is to be a new target: omero backup create --target {address}",
    )


def target_occupied(address: str) -> AdminError:
    """The one line for a target that is something else."""
    return configuration_error(
        "backup-target-occupied",
        f"{address} is not empty and is no backup target",
        "give an empty or a new directory",
    )


def make_target(root: Path) -> Target:
    """A target, made where it is missing.

    :raises AdminError: ``backup-target-occupied`` for a file, or a directory with other things in it,
        ``backup-target-missing`` for a link that leads nowhere, ``directory-not-created``, ``file-not-read``
    """
    target = Target(root)
    with _readable(root):
        _refuse_file(root)
        if root.is_dir() and not target.snapshots.is_dir() and any(root.iterdir()) and not target.lock_file.exists():
            raise target_occupied(str(root))
    files.make_directory(root, mode=PRIVATE)
    return target


@contextlib.contextmanager
def _readable(root: Path) -> Iterator[None]:
    """A directory that this user may not enter gives one line."""
    try:
        yield
    except OSError as error:
        raise files.file_error("read", root, error) from error


@contextlib.contextmanager
def locked(target: Target, *, timeout: float = 10.0) -> Iterator[None]:
    """Hold the target; what killed runs left behind is gone inside the block.

    :param timeout: seconds to queue
    :raises AdminError: ``locked``, ``file-not-written``
    """
    with locks.exclusive(target.lock_file, what=f"backup target {target.root}", timeout=timeout):
        for directory in (target.pool, target.snapshots, target.partial):
            files.make_directory(directory, mode=PRIVATE)
        remove_leftovers(target)
        yield


def remove_leftovers(target: Target) -> None:
    """Remove snapshots without ``snapshot.json`` and half-written files; the lock must be held.

    :raises AdminError: ``file-not-removed``
    """
    for entry in [*target.partial.iterdir(), *_unfinished(target)]:
        remove(entry)


def retire(target: Target, snapshot_id: str, *, dry_run: bool = False) -> str:
    """Make a snapshot one that doesn't exist, in one step, unless it is in use: that is, its document is locked.

    :func:`remove_leftovers` removes its files.

    :param dry_run: only see whether it is in use
    :return: who uses it; empty if nobody does
    :raises AdminError: ``file-not-removed``, ``file-not-read``
    """
    directory = target.snapshot_directory(snapshot_id)
    document = directory / DOCUMENT_NAME
    with locks.unused(document) as is_unused:
        if not is_unused:
            return locks.users_text(document)
        if dry_run:
            return ""
        try:
            directory.rename(target.partial / f"{snapshot_id}.{secrets.token_hex(4)}")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise files.file_error("removed", directory, error) from error
    return ""


@contextlib.contextmanager
def using(target: Target, ids: Iterable[str]) -> Iterator[None]:
    """Keep snapshots from being retired while the block lasts; see :func:`omeroadmin.system.locks.using`.

    :raises AdminError: ``snapshot-unknown``, ``locked``
    """
    with contextlib.ExitStack() as stack:
        for snapshot_id in ids:
            document = target.snapshot_directory(snapshot_id) / DOCUMENT_NAME
            try:
                stack.enter_context(locks.using(document, what=f"snapshot {snapshot_id}"))
            except FileNotFoundError:
                raise snapshot_gone(snapshot_id, str(target.root)) from None
        yield


def snapshot_gone(snapshot_id: str, address: str) -> AdminError:
    """The one line for a snapshot that was removed while it was looked up."""
    return configuration_error(
        "snapshot-unknown",
        f"snapshot {snapshot_id} was removed from {address} just now",
        f"see what is there: omero backup list --target {address}",
    )


def _unfinished(target: Target) -> Iterator[Path]:
    for entry in target.snapshots.iterdir():
        if is_id(entry.name) and not (entry / DOCUMENT_NAME).exists():
            yield entry


def remove(path: Path) -> None:
    """Remove a file or a whole directory.

    :raises AdminError: ``file-not-removed``
    """

    def gone() -> bool:
        try:
            shutil.rmtree(path)
        except OSError as error:
            # The pg_dump of a killed run may outlive it, and still adds files; without its directory it gives up.
            if error.errno == errno.ENOTEMPTY:
                return False
            raise
        return True

    try:
        if not path.is_dir() or path.is_symlink():
            path.unlink(missing_ok=True)
        elif not wait_until(gone, timeout=_REMOVE_TIMEOUT):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(path))
    except OSError as error:
        raise files.file_error("removed", path, error) from error
