"""Brings the files into the pool: walks disk and previous manifest side by side and reads only what is new.

Most files of most runs are unchanged, so they take the short way: the line that their size and time would give is
compared with the previous manifest's, which goes into the new one as it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from omeroadmin.backups.changes import Change, Copies, CopyMany, Store
from omeroadmin.backups.faults import Fault, FaultList
from omeroadmin.backups.manifest import Entry, unchanged_start
from omeroadmin.backups.previous import Previous
from omeroadmin.backups.scan import Found

_AHEAD = 32
"""Large files that are copied together, for each thread."""
_TOGETHER = 1000
_TOGETHER_BYTES = 1 << 28
"""Files, and bytes of large ones, that are found before they are copied."""
_MOST_WAITING = 20_000
"""Lines that wait for a file before them to be copied."""


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


_DIGEST = 64
_RECORDED = b'","sha1":"'
"""What follows the BLAKE3 of a file whose SHA-1 is known as well."""
_UNSEEN = 1_000_000
"""Contents whose presence is found out together: one listing of the pool for each million."""
_SOMETIMES = 0xFFF
_NEVER = -(1 << 63)
"""Before the time of any file."""


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
    :param copy_many: copies small files where processes do it; where there is none, threads copy all
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
        copy_many: CopyMany | None = None,
    ) -> None:
        self.result = Collected() if result is None else result
        self._pool = pool
        self._previous = Previous(previous)
        self._trusted_until_ns = trusted_until_ns
        self._with_sha1 = with_sha1
        self._jobs = jobs
        self._thorough = thorough
        self._stop = stop
        self._copy_many = copy_many
        self._unseen: set[bytes] = set()
        self._changed: list[Change] = []
        self._changed_bytes = 0
        self._under_way = 0

    def entries(self, found: Iterable[Found]) -> Generator[Entry | bytes, None, None]:
        """Entries, or lines, for all that is found, in its order; their contents are in the pool when it ends.

        That is so but for :attr:`Collected.absent`.

        :raises AdminError: ``backup-not-written``
        """
        waiting: deque[Entry | Change | bytes] = deque()
        with ThreadPoolExecutor(max_workers=self._jobs, thread_name_prefix="copy") as executor:
            copies = Copies(executor, self._pool, self._copy_many)
            try:
                for item in self._compared(found):
                    begun = item if isinstance(item, bytes) else self._begin(item)
                    if begun is None:
                        continue
                    if not waiting and not isinstance(begun, Change):
                        yield begun
                        continue
                    waiting.append(begun)
                    if len(waiting) >= _MOST_WAITING or self._is_enough():
                        yield from self._copied(waiting, copies)
                yield from self._copied(waiting, copies)
                yield from self._copied(waiting, copies)
                # The disk takes its time.
                flushed = executor.submit(self._pool.flush)
                self._look_for_unseen()
                flushed.result()
            except BaseException:
                # Whoever interrupts a backup doesn't wait until the present file is copied.
                self._stop()
                executor.shutdown(wait=True, cancel_futures=True)
                raise

    def _is_enough(self) -> bool:
        """Whether it is time to copy; not file by file."""
        count = len(self._changed)
        return count >= _TOGETHER or (self._changed_bytes >= _TOGETHER_BYTES and count >= self._jobs * _AHEAD)

    def _copied(self, waiting: deque[Entry | Change | bytes], copies: Copies) -> Iterator[Entry | bytes]:
        """Have copied what has changed, and hand on all that waits; behind processes this is a batch late.

        Threads that copy and this one that compares would wait for one another.
        """
        copies.begin(self._changed)
        self._changed.clear()
        self._changed_bytes = 0
        for _ in range(self._under_way if copies.by_processes else len(waiting)):
            begun = waiting.popleft()
            entry = self._finish(begun) if isinstance(begun, Change) else begun
            if entry is not None:
                yield entry
        self._under_way = len(waiting)

    def _compared(self, found: Iterable[Found]) -> Iterator[Found | bytes]:
        """All that is found; the previous manifest's line where it is just as this file's must be."""
        previous, pool_key, unseen = self._previous, self._pool.key, self._unseen
        trusted_until_ns = _NEVER if self._thorough else self._trusted_until_ns
        files = size = 0
        for item in found:
            path, _, item_size, mtime_ns, mode, _, _ = item
            start = unchanged_start(path, mtime_ns, mode, item_size)
            line = previous.line
            if not line.startswith(start) or mtime_ns >= trusted_until_ns:
                yield item
                continue
            end = len(start) + _DIGEST
            if not line.startswith(_RECORDED, end) and self._with_sha1(path):
                yield item
                continue
            unseen.add(pool_key(line[len(start) : end], item_size))
            files += 1
            size += item_size
            previous.advance()
            yield line
            if files & _SOMETIMES == 0 and len(unseen) >= _UNSEEN:
                self._look_for_unseen()
        self.result.files += files
        self.result.size += size

    def _look_for_unseen(self) -> None:
        self.result.absent += self._pool.absent(self._unseen) if self._unseen else 0
        self._unseen.clear()

    def _begin(self, item: Found) -> Entry | Change | None:
        if item.problem is not None:
            self.result.faults.add(Fault("file-unreadable", item.path, item.problem))
            return None
        if item.link is not None or item.path.endswith("/"):
            if self._previous.at(item.path) is not None:
                self._previous.advance()
            return self._counted(Entry(item.path, 0, item.mtime_ns, item.mode, link=item.link))
        known = self._unchanged(item)
        if known is not None:
            return self._counted(known)
        change = Change(item, with_sha1=self._with_sha1(item.path))
        self._changed.append(change)
        self._changed_bytes += item.size
        return change

    def _counted(self, entry: Entry) -> Entry:
        if entry.is_directory:
            self.result.directories += 1
        else:
            self.result.files += 1
            self.result.size += entry.size
        return entry

    def _finish(self, change: Change) -> Entry | None:
        item = change.item
        try:
            copied = change.result()
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
        return self._counted(Entry(item.path, copied.size, copied.mtime_ns, copied.mode, copied.blake3, copied.sha1))

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
