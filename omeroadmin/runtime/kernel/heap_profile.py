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
_LARGEST = 20
_FRAMES = 12
_MOST_NAMES = 100


def write_heap_profile(place: Path, *, heap_bytes: int | None, error: BaseException | None) -> Path:
    """Write the profile, readable by nobody else.

    :param place: a directory, or the file
    :param heap_bytes: value of ``-Xmx``
    :param error: what said that memory ran out
    :return: the file
    :raises OSError: where it can't be written
    """
    path, descriptor = _create(place)
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
    sizes, counts, places = Counter[str](), Counter[str](), Counter[tuple[str, int]]()
    largest: list[tuple[int, str, int]] = []
    seen = 0
    traced = tracemalloc.is_tracing()
    for item in _every_object(error):
        seen += 1
        name, size = _name(item), sys.getsizeof(item, 0)
        sizes[name] += size
        counts[name] += 1
        heapq.heappush(largest, (size, name, seen))
        if len(largest) > _LARGEST:
            heapq.heappop(largest)
        found = tracemalloc.get_object_traceback(item) if traced else None
        if found:
            places[found[0].filename, found[0].lineno] += size
    yield from ("", f"Objects by type: {seen} counted{', which is not all' if seen >= _MOST_OBJECTS else ''}")
    for name, size in sizes.most_common(_ROWS):
        yield f"  {size:>14} bytes  {counts[name]:>10}  {name}"
    yield from ("", "Largest objects")
    for size, name, _ in sorted(largest, reverse=True):
        yield f"  {size:>14} bytes  {name}"
    yield from ("", "Objects by the line that made them")
    for (file, line), size in places.most_common(_ROWS):
        yield f"  {size:>14} bytes  {file}:{line}"


def _every_object(error: BaseException | None) -> Iterator[Any]:
    """What running calls hold, then what the collector knows and what that holds; up to a number and a time."""
    deadline = time.monotonic() + _MOST_SECONDS
    seen: set[int] = set()
    for container in itertools.chain(_frames(error), gc.get_objects()):
        for item in itertools.chain((container,), gc.get_referents(container)):
            if id(item) in seen:
                continue
            if len(seen) >= _MOST_OBJECTS or time.monotonic() > deadline:
                return
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
