"""Small documents of archives, kept on this machine: each call of restic or borg takes a second."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from omeroadmin.backups.engines.archiver import Archive
from omeroadmin.errors import AdminError
from omeroadmin.system import files

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
