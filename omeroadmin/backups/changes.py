"""Files that are new or have changed, on their way into the pool."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from omeroadmin.backups.pool import Copied
from omeroadmin.backups.scan import Found

_HANDFUL = 200
_HANDFUL_BYTES = 1 << 24
"""Small files that are copied one after the other by the same process, and their bytes."""
_SMALL = 1 << 20
_FEW = 2000
"""Changed files that threads have copied before a process would have begun."""

Wanted = tuple[str, bool]
"""A file to copy, and whether OMERO may have recorded a SHA-1."""
CopyMany = Callable[[Sequence[Wanted]], list[Copied | OSError]]
"""Copies files one after the other: for each what it became, or why it can't be read."""


class Store(Protocol):
    """Where contents go."""

    def holds(self, digest: str, size: int) -> bool:
        """Whether a content of this size is there."""

    def key(self, digest: bytes, size: int) -> bytes:
        """What stands for a content in :meth:`absent`."""

    def absent(self, keys: set[bytes]) -> int:
        """How many of some contents are not there; those that are are taken out."""

    def copy_in(self, source: str, *, with_sha1: bool) -> Copied:
        """Read a file and, unless its content is there, copy it. Safe to run in threads."""

    def keep(self, copied: Copied) -> bool:
        """Take a copy in, at the latest with :meth:`flush`; returns whether the content is new."""

    def flush(self) -> None:
        """Make sure that all copies are in."""


class Change:
    """A file that is to be copied.

    :param with_sha1: whether OMERO may have recorded one
    """

    def __init__(self, item: Found, *, with_sha1: bool) -> None:
        self.item = item
        self.wanted: Wanted = (item.source, with_sha1)
        self._copied: Callable[[], Copied] | None = None

    def copied_by(self, copied: Callable[[], Copied]) -> None:
        """Say where the copy comes from."""
        self._copied = copied

    def result(self) -> Copied:
        """Wait for the copy.

        :raises OSError: if the file can't be read
        :raises AdminError: ``backup-not-written``
        """
        if self._copied is None:
            raise AssertionError("its copy is begun before it is waited for")
        return self._copied()


class Copies:
    """Has files copied by threads: a file each, or small ones by handfuls where processes do it.

    :param copy_many: for small files, once there are more than a few
    """

    def __init__(self, executor: ThreadPoolExecutor, pool: Store, copy_many: CopyMany | None) -> None:
        self._executor = executor
        self._pool = pool
        self._copy_many = copy_many
        self._count = 0

    @property
    def by_processes(self) -> bool:
        """Whether small files are copied by processes by now."""
        return self._copy_many is not None and self._count > _FEW

    def begin(self, changes: Sequence[Change]) -> None:
        """Have all of them copied; their results wait for it."""
        self._count += len(changes)
        copy_many = self._copy_many if self.by_processes else None
        handful: list[Change] = []
        size = 0
        for change in changes:
            if copy_many is None or change.item.size > _SMALL:
                source, with_sha1 = change.wanted
                change.copied_by(self._executor.submit(self._pool.copy_in, source, with_sha1=with_sha1).result)
                continue
            handful.append(change)
            size += change.item.size
            if len(handful) >= _HANDFUL or size >= _HANDFUL_BYTES:
                self._begin_handful(copy_many, handful)
                handful, size = [], 0
        if handful and copy_many is not None:
            self._begin_handful(copy_many, handful)

    def _begin_handful(self, copy_many: CopyMany, handful: Sequence[Change]) -> None:
        future = self._executor.submit(copy_many, [change.wanted for change in handful])
        for number, change in enumerate(handful):
            change.copied_by(functools.partial(_one_of, future, number))


def _one_of(future: Future[list[Copied | OSError]], number: int) -> Copied:
    outcome = future.result()[number]
    if isinstance(outcome, OSError):
        raise outcome
    return outcome
