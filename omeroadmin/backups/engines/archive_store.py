"""Hashes files for the manifest where another program copies them."""

from __future__ import annotations

import os

from omeroadmin.backups.pool import Copied, Hashes
from omeroadmin.system.pace import Pace

_CHUNK = 1 << 20
_ATTEMPTS = 3


class HashingStore:
    """A store that keeps nothing: what the previous snapshot has, the repository has.

    :param pace: of bytes to read; ``None``: as fast as it goes
    """

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace

    def holds(self, digest: str, size: int) -> bool:  # noqa: ARG002
        """See :class:`~omeroadmin.backups.collect.Store`, here and below."""
        return True

    def key(self, digest: bytes, size: int) -> bytes:  # noqa: ARG002
        """All contents are there."""
        return b""

    def absent(self, keys: set[bytes]) -> int:
        """None is missing."""
        keys.clear()
        return 0

    def copy_in(self, source: str, *, with_sha1: bool) -> Copied:
        """Hash a file.

        :raises FileNotFoundError: if it has gone
        :raises OSError: if it can't be read
        """
        for _ in range(_ATTEMPTS):
            copied = _hashed(source, self._pace, with_sha1=with_sha1)
            if not copied.changed:
                break
        return copied

    def keep(self, copied: Copied) -> bool:
        """Count it as new."""
        return copied.temporary is not None

    def flush(self) -> None:
        """Nothing is pending."""


def _hashed(source: str, pace: Pace | None, *, with_sha1: bool) -> Copied:
    hashes = Hashes(with_sha1)
    with open(source, "rb", buffering=0) as stream:  # noqa: PTH123 - inner loop
        before = os.fstat(stream.fileno())
        while chunk := stream.read(min(_CHUNK, before.st_size - hashes.size)):
            if pace is not None:
                pace.take(len(chunk))
            hashes.update(chunk)
        after = os.fstat(stream.fileno())
    changed = (before.st_mtime_ns, hashes.size) != (after.st_mtime_ns, after.st_size)
    mode = before.st_mode & 0o7777
    return Copied(source, hashes.size, before.st_mtime_ns, mode, hashes.blake3, hashes.sha1, changed)
