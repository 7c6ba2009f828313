"""What took the memory of a Python process that ran out of it: numbers and places, never content.

Java's heap dump is a copy of the heap. There is no such thing for Python, and a copy would hold passwords and users'
data; this is a text that says which kinds of objects there were and which lines made them.
"""

from __future__ import annotations

import contextlib
import gc
import heapq
import itertools
import os
import sys
import threading
import time
import traceback
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

_MOST_OBJECTS = 1_000_000
_MOST_SECONDS = 5.0
_ROWS = 40
_SAMPLE = 16
_LARGE = 4096
_LARGEST = 20
_FRAMES = 12
_MOST_NAMES = 100


def write_heap_profile(place: Path, heap_bytes: int | None, error: BaseException | None) -> Path:
    """Write the profile, readable by nobody else.

    :param place: a directory, or the file
    :param heap_bytes: value of ``-Xmx``
    :param error: what said that memory ran out
    :return: the file
    :raises OSError: where it can't be written
    """
    path, descriptor = _create(place.absolute())
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
        for section in (_head, _where, _threads, _process, _objects):
            for line in section(heap_bytes, error):
                stream.write(line + "\n")
            _flush(stream)
    return path


def _create(place: Path) -> tuple[Path, int]:
    """A new file: the directory may be one where everybody can write."""
    names: Iterator[Path] = iter([place])
    if place.is_dir():
        stem = f"java_pid{os.getpid()}"
        names = (place / f"{stem}{f'-{n}' if n else ''}.heap.txt" for n in range(_MOST_NAMES))
    for path in names:
        with contextlib.suppress(FileExistsError):
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    raise FileExistsError(f"{place}: there is a profile already")


def _flush(stream: IO[str]) -> None:
    """What is written stays, even if the next section takes the process with it."""
    stream.flush()
    os.fsync(stream.fileno())


def _head(heap_bytes: int | None, _error: BaseException | None) -> Iterator[str]:
    yield "Heap profile of a server that ran out of memory: numbers and places, no content."
    yield ""
    yield f"time     {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}"
    yield f"process  {os.getpid()}"
    yield f"limit    {'none' if heap_bytes is None else f'-Xmx{heap_bytes // 2**20}m'}"


def _where(_heap_bytes: int | None, error: BaseException | None) -> Iterator[str]:
    yield from ("", "Where memory ran out, the innermost call last")
    if error is None or error.__traceback__ is None:
        yield "  unknown"
        return
    yield f"  {type(error).__name__}"
    yield from _calls(traceback.walk_tb(error.__traceback__))


def _threads(_heap_bytes: int | None, _error: BaseException | None) -> Iterator[str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - there is no other way to see them
        yield from ("", f"Thread {names.get(ident, ident)}, the innermost call first")
        yield from _calls(itertools.islice(traceback.walk_stack(frame), _FRAMES))


def _calls(frames: Iterator[tuple[Any, int]]) -> Iterator[str]:
    for frame, line in frames:
        yield f"  {frame.f_code.co_filename}:{line} {frame.f_code.co_name}"


def _process(_heap_bytes: int | None, _error: BaseException | None) -> Iterator[str]:
    yield from ("", "Memory of the process")
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith(("Vm", "Rss", "Threads")):
                yield "  " + " ".join(line.split())


def _objects(_heap_bytes: int | None, error: BaseException | None) -> Iterator[str]:
    walk = _Walk()
    for item in walk.objects(error):
        walk.count(item)
    yield from ("", f"Objects by type: {walk.seen} counted, {'all' if walk.is_complete else 'which is not all'}")
    for name, size in walk.sizes.most_common(_ROWS):
        yield f"  {size:>14} bytes  {walk.counts[name]:>10}  {name}"
    yield from ("", "Largest objects")
    for size, name, _ in sorted(walk.largest, reverse=True):
        yield f"  {size:>14} bytes  {name}"
    yield from ("", f"Objects by the line that made them, small ones estimated from each {_SAMPLE}th")
    for (file, line), size in walk.places.most_common(_ROWS):
        yield f"  {size:>14} bytes  {file}:{line}"


class _Walk:
    """Adds up what objects take."""

    def __init__(self) -> None:
        self.sizes = Counter[str]()
        self.counts = Counter[str]()
        self.places = Counter[tuple[str, int]]()
        self.largest: list[tuple[int, str, int]] = []
        self.seen = 0
        self.is_complete = True
        self._traced = tracemalloc.is_tracing()

    def count(self, item: object) -> None:
        """Add an object."""
        self.seen += 1
        name, size = _name(item), sys.getsizeof(item, 0)
        self.sizes[name] += size
        self.counts[name] += 1
        if len(self.largest) < _LARGEST:
            heapq.heappush(self.largest, (size, name, self.seen))
        elif size > self.largest[0][0]:
            heapq.heapreplace(self.largest, (size, name, self.seen))
        # To look up where an object was made takes far longer than all else.
        weight = 1 if size >= _LARGE else _SAMPLE
        if self._traced and (weight == 1 or self.seen % _SAMPLE == 0):
            found = tracemalloc.get_object_traceback(item)
            if found:
                self.places[found[0].filename, found[0].lineno] += size * weight

    def objects(self, error: BaseException | None) -> Iterator[Any]:
        """What running calls hold, then what the collector knows and what that holds; up to a number and a time."""
        deadline = time.monotonic() + _MOST_SECONDS
        seen: set[int] = set()
        for container in itertools.chain(_frames(error), gc.get_objects()):
            if self.seen >= _MOST_OBJECTS or time.monotonic() > deadline:
                self.is_complete = False
                return
            yield container
            # What the collector knows comes by itself; of the rest, several may hold the same.
            for item in itertools.islice(gc.get_referents(container), _MOST_OBJECTS):
                if not gc.is_tracked(item) and id(item) not in seen:
                    seen.add(id(item))
                    yield item


def _frames(error: BaseException | None) -> Iterator[Any]:
    """The calls that are running, and those that the exception ended."""
    if error is not None:
        yield from (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    for innermost in sys._current_frames().values():  # noqa: SLF001 - there is no other way to see them
        yield from (frame for frame, _ in traceback.walk_stack(innermost))


def _name(item: object) -> str:
    # ``type`` asks nothing of the object; ``__class__`` may be anything.
    kind = type(item)
    return f"{kind.__module__}.{kind.__qualname__}"
