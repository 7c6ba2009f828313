"""Removes contents that no snapshot names any more."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from omeroadmin.backups.engines.engine import Removed
from omeroadmin.backups.engines.remote_files import RemoteFiles
from omeroadmin.backups.manifest import file_checksum, read_manifest
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.backups.target import Target, is_part
from omeroadmin.errors import AdminError
from omeroadmin.system import files

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Contents(Protocol):
    """The pool of a target."""

    def listed(self) -> Iterator[tuple[str, int]]:
        """BLAKE3 and size in bytes of each content that is there."""

    def discard(self, digest: str) -> None:
        """Remove one.

        :raises AdminError: ``file-not-removed``
        """


class DirectoryContents:
    """The pool of a target in a directory."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def listed(self) -> Iterator[tuple[str, int]]:
        """Walk through the pool."""
        try:
            with os.scandir(self._target.pool) as tops:
                for top in sorted(filter(is_part, tops), key=lambda entry: entry.name):
                    with os.scandir(top.path) as entries:
                        yield from [(entry.name, entry.stat(follow_symlinks=False).st_size) for entry in entries]
        except OSError as error:
            raise files.file_error("read", self._target.pool, error) from error

    def discard(self, digest: str) -> None:
        """Unlink the file."""
        path = self._target.pool_file(digest)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise files.file_error("removed", path, error) from error


class RemoteContents:
    """The pool of a target on another host.

    :param path: where it has a content
    """

    def __init__(self, remote: RemoteFiles, path: Callable[[str], str]) -> None:
        self._remote = remote
        self._path = path

    def listed(self) -> Iterator[tuple[str, int]]:
        """List the directories of the pool."""
        pool = self._remote.path("pool")
        for top in self._remote.list(pool):
            if top.is_directory:
                yield from [(item.name, item.size) for item in self._remote.list(f"{pool}/{top.name}")]

    def discard(self, digest: str) -> None:
        """Remove the file."""
        self._remote.remove(self._path(digest))


def sweep(
    ids: tuple[str, ...],
    remaining: Iterable[tuple[Path, Callable[[], Snapshot]]],
    contents: Contents,
    *,
    dry_run: bool,
) -> Removed:
    """Remove what no manifest names. If one of them isn't as it was written, everything stays.

    :param ids: the snapshots that have been removed, or would be
    :param remaining: manifest and document of all other snapshots
    :raises AdminError: ``file-not-removed``, ``file-not-read``
    """
    named: set[bytes] = set()
    for manifest, read in remaining:
        try:
            if file_checksum(manifest) != read().manifest_checksum:
                return Removed(ids, kept_because=f"manifest {manifest} is damaged: its bytes have changed")
            named.update(bytes.fromhex(entry.blake3) for entry in read_manifest(manifest) if entry.is_file)
        except AdminError as error:
            return Removed(ids, kept_because=error.message)
    count = size = 0
    for digest, length in contents.listed():
        if not _DIGEST.fullmatch(digest) or bytes.fromhex(digest) in named:
            continue
        if not dry_run:
            contents.discard(digest)
        count += 1
        size += length
    return Removed(ids, count, size)
