"""Small documents of archives, kept on this machine: each call of restic or borg takes a second."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from omeroadmin.backups.engines.archiver import Archive
from omeroadmin.errors import AdminError
from omeroadmin.system import files, locks

_MODE = 0o700


class ArchiveCache:
    """What is known of a repository; of no use to anybody but the user who may read it.

    :param address: of the target
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._made: Path | None = None

    @property
    def _directory(self) -> Path:
        from blake3 import blake3

        if self._made is None:
            name = blake3(self._address.encode(errors="surrogateescape")).hexdigest()[:16]
            self._made = _base() / name
            files.make_directory(self._made, mode=_MODE)
        return self._made

    @property
    def lock_file(self) -> Path:
        """Held by whoever writes to the repository from this machine."""
        return self._directory / "lock"

    @contextlib.contextmanager
    def reading(self, snapshot_id: str) -> Iterator[None]:
        """Let it be known on this machine that a snapshot is in use.

        :raises AdminError: ``locked``
        """
        with locks.using(self._mark(snapshot_id), what=f"snapshot {snapshot_id} of {self._address}"):
            yield

    @contextlib.contextmanager
    def claimed(self, snapshot_id: str) -> Iterator[str]:
        """Who on this machine uses a snapshot; if nobody does, nobody begins to while the block lasts."""
        mark = self._mark(snapshot_id)
        with locks.unused(mark) as is_unused:
            yield "" if is_unused else locks.users_text(mark)

    def _mark(self, snapshot_id: str) -> Path:
        """The file that is locked; it stays, or two processes could lock two files of one name."""
        path = self._directory / f"{snapshot_id}.reading"
        try:
            path.touch(files.SECRET_MODE)
        except OSError as error:
            raise files.file_error("written", path, error) from error
        return path

    def content(self, archive: Archive, fetch: Callable[[], bytes]) -> bytes:
        """A document, from here or there. Identities of archives change with their contents.

        :param fetch: gets it from the repository
        :raises AdminError: those of ``fetch``
        """
        path = self._directory / f"{archive.identity[:40]}.json"
        with contextlib.suppress(OSError):
            return path.read_bytes()
        content = fetch()
        with contextlib.suppress(AdminError):
            files.write_atomically(path, content, mode=files.SECRET_MODE)
        return content


def _base() -> Path:
    """The user's directory for such things; accounts of servers may have none that they can write to."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path(os.environ.get("HOME") or "/nonexistent") / ".cache")
    wanted = Path(home) / "omeroadmin"
    with contextlib.suppress(AdminError):
        files.make_directory(wanted, mode=_MODE)
        if os.access(wanted, os.W_OK):
            return wanted
    private = Path(tempfile.gettempdir()) / f"omeroadmin-{os.geteuid()}"
    files.make_directory(private, mode=_MODE)
    return private
