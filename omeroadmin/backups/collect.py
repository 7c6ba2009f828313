"""Brings the files into the pool: walks disk and previous manifest side by side and reads only what is new.

Most files of most runs are unchanged, so they take the short way: the line that their size and time would give is
compared with the previous manifest's, which goes into the new one as it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from omeroadmin.backups.faults import Fault, FaultList
from omeroadmin.backups.manifest import Entry, unchanged_start
from omeroadmin.backups.pool import Copied
from omeroadmin.backups.previous import Previous
from omeroadmin.backups.scan import Found

_AHEAD = 32
"""Files that a thread may be ahead of the manifest."""


@dataclass
class Collected:
    """What a walk brought together.

    :param files: number of files, unchanged ones among them
    :param size: their bytes
    :param read_files: files that were read because they are new or changed
    :param copied_files: files whose content the pool hadn't got
    :param copied_bytes: bytes of these
    :param absent: contents of unchanged files that the pool lacks; where there are any, nothing may be taken from
        the previous manifest unseen
    :param faults: what couldn't be read
    :param warnings: what was written to while it was read; the reconciliation tells whether that matters
    """

    files: int = 0
    directories: int = 0
    size: int = 0
    read_files: int = 0
    copied_files: int = 0
    copied_bytes: int = 0
    absent: int = 0
    faults: FaultList = field(default_factory=FaultList)
    warnings: FaultList = field(default_factory=FaultList)


class Store(Protocol):
    """Where contents go."""

    def holds(self, digest: str, size: int) -> bool:
        """Whether a content of this size is there."""

    def key(self, digest: str | bytes, size: int) -> int:
        """A number that stands for a content in :meth:`absent`."""

    def absent(self, keys: set[int]) -> int:
        """How many of some contents are not there; those that are are taken out."""

    def copy_in(self, source: str, *, with_sha1: bool) -> Copied:
        """Read a file and, unless its content is there, copy it. Safe to run in threads."""

    def keep(self, copied: Copied) -> bool:
        """Take a copy in, at the latest with :meth:`flush`; returns whether the content is new."""

    def flush(self) -> None:
        """Make sure that all copies are in."""


_Result = Callable[[], Entry | None]
_DIGEST = 64
_RECORDED = b'","sha1":"'
"""What follows the BLAKE3 of a file whose SHA-1 is known as well."""
_UNSEEN = 1_000_000
"""Contents whose presence is found out together: one listing of the pool for each million."""


class Collector:
    """Makes manifest entries of what is found on the disk.

    :param previous: lines of the previous snapshot's manifest
    :param trusted_until_ns: files modified later are read again even if they look the same: the previous run may
        have read them within the same tick of the clock
    :param with_sha1: whether OMERO may have recorded a SHA-1 for this path
    :param jobs: threads that read
    :param result: counted up
    :param thorough: whether the pool is asked for each unchanged file's content, and its size
    :param stop: ends what the threads are at
    """

    def __init__(
        self,
        pool: Store,
        previous: Iterable[bytes],
        *,
        trusted_until_ns: int,
        with_sha1: Callable[[str], bool],
        jobs: int = 1,
        result: Collected | None = None,
        thorough: bool = False,
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        self.result = Collected() if result is None else result
        self._pool = pool
        self._previous = Previous(previous)
        self._trusted_until_ns = trusted_until_ns
        self._with_sha1 = with_sha1
        self._jobs = jobs
        self._thorough = thorough
        self._stop = stop
        self._unseen: set[int] = set()

    def entries(self, found: Iterable[Found]) -> Iterator[Entry | bytes]:
        """Entries, or lines, for all that is found, in its order; their contents are in the pool when it ends.

        That is so but for :attr:`Collected.absent`.

        :raises AdminError: ``backup-not-written``
        """
        waiting: deque[_Result | bytes] = deque()
        with ThreadPoolExecutor(max_workers=self._jobs, thread_name_prefix="copy") as executor:
            try:
                for item in found:
                    line = self._unchanged_line(item)
                    if line is not None and not waiting:
                        yield line
                        continue
                    waiting.append(self._begin(item, executor) if line is None else line)
                    while len(waiting) > self._jobs * _AHEAD:
                        yield from self._count(waiting.popleft())
                while waiting:
                    yield from self._count(waiting.popleft())
            except BaseException:
                # Whoever interrupts a backup doesn't wait until the present file is copied.
                self._stop()
                executor.shutdown(wait=True, cancel_futures=True)
                raise
        self._pool.flush()
        self._look_for_unseen()

    def _count(self, result: _Result | bytes) -> Iterator[Entry | bytes]:
        if isinstance(result, bytes):
            yield result
            return
        entry = result()
        if entry is None:
            return
        if entry.is_directory:
            self.result.directories += 1
        else:
            self.result.files += 1
            self.result.size += entry.size
        yield entry

    def _unchanged_line(self, item: Found) -> bytes | None:
        """The previous manifest's line, if it is just as this file's must be."""
        previous = self._previous
        start = unchanged_start(item.path, item.mtime_ns, item.mode, item.size)
        line = previous.line
        if not line.startswith(start) or item.mtime_ns >= self._trusted_until_ns or self._thorough:
            return None
        end = len(start) + _DIGEST
        if self._with_sha1(item.path) and not line.startswith(_RECORDED, end):
            return None
        self._see_later(self._pool.key(line[len(start) : end], item.size))
        self.result.files += 1
        self.result.size += item.size
        previous.advance()
        return line

    def _see_later(self, key: int) -> None:
        self._unseen.add(key)
        if len(self._unseen) >= _UNSEEN:
            self._look_for_unseen()

    def _look_for_unseen(self) -> None:
        self.result.absent += self._pool.absent(self._unseen) if self._unseen else 0
        self._unseen.clear()

    def _begin(self, item: Found, executor: ThreadPoolExecutor) -> _Result:
        if item.problem is not None:
            self.result.faults.add(Fault("file-unreadable", item.path, item.problem))
            return _nothing
        if item.link is not None or item.path.endswith("/"):
            if self._previous.at(item.path) is not None:
                self._previous.advance()
            entry = Entry(item.path, 0, item.mtime_ns, item.mode, link=item.link)
            return lambda: entry
        known = self._unchanged(item)
        if known is not None:
            return lambda: known
        future = executor.submit(self._pool.copy_in, item.source, with_sha1=self._with_sha1(item.path))
        return lambda: self._finish(item, future)

    def _finish(self, item: Found, future: Future[Copied]) -> Entry | None:
        try:
            copied = future.result()
        except FileNotFoundError:
            # Deleted since it was listed. If the database's snapshot names it, the reconciliation says so.
            return None
        except OSError as error:
            self.result.faults.add(Fault("file-unreadable", item.path, f"can't be read: {error.strerror}"))
            return None
        self.result.read_files += 1
        if self._pool.keep(copied):
            self.result.copied_files += 1
            self.result.copied_bytes += copied.size
        if copied.changed:
            self.result.warnings.add(Fault("file-changing", item.path, "was written to while it was copied"))
        return Entry(item.path, copied.size, copied.mtime_ns, copied.mode, copied.blake3, copied.sha1)

    def _unchanged(self, item: Found) -> Entry | None:
        """The long way: the mode may have changed, and the content is looked for."""
        old = self._previous.at(item.path)
        if old is None:
            return None
        self._previous.advance()
        if not old.is_file:
            return None
        if (old.size, old.mtime_ns) != (item.size, item.mtime_ns) or item.mtime_ns >= self._trusted_until_ns:
            return None
        if (old.sha1 is None and self._with_sha1(item.path)) or not self._pool.holds(old.blake3, old.size):
            return None
        return old if old.mode == item.mode else old._replace(mode=item.mode)


def _nothing() -> None:
    return None
