"""The descriptor's ``-Xmx`` as a real limit of the process, and what is done when it is reached.

A server that runs out of memory says so in its log, writes a profile of its heap where that is wanted, and ends: half
of a server would be worse than a new one.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import queue
import re
import resource
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ALLOWANCE = 384 * 2**20
"""Bytes on top of the heap while a server starts: interpreter, libraries and thread stacks. A JVM, too, is larger than
its heap."""
_SPARE = 64 * 2**20
"""Bytes on top of the heap, and of what a server had taken when it was ready: libraries that are loaded later."""
_SPARE_PER_PROCESSOR = 8 * 2**20
"""libvips starts a thread for each processor, and the C library gives each such stack."""
_THREAD_STACK = 2**20
_RESERVE = 4 * 2**20
_SECONDS_TO_ANSWER = 0.3
_CRASHED = 1
_MOST_NESTED = 20


ProfileWriter = Callable[[Path, int | None, BaseException | None], Path]


@dataclass(frozen=True)
class HeapOptions:
    """What the command line says about the heap.

    :param limit: value of ``-Xmx`` in bytes; ``None`` where it isn't limited
    :param profile: where the profile goes when memory runs out, a directory or a file; ``None``: nowhere
    """

    limit: int | None = None
    profile: Path | None = None


def limit(heap_bytes: int | None) -> None:
    """Limit the private memory of this process to the heap and an allowance.

    RLIMIT_DATA counts what the process may write to and owns alone; unlike RLIMIT_AS it leaves out mapped index
    files, shared libraries and address space that is only reserved.

    :param heap_bytes: value of ``-Xmx``; ``None`` for no limit
    """
    if heap_bytes is not None:
        threading.stack_size(_THREAD_STACK)
        _set_limit(heap_bytes + ALLOWANCE)


def settle(heap_bytes: int | None) -> None:
    """Tighten the limit when the server is ready: what it has taken so far is the program, the rest will be its heap.

    :param heap_bytes: value of ``-Xmx``; ``None`` for no limit
    """
    taken = data_bytes()
    if heap_bytes is None or taken is None:
        return
    spare = _SPARE + _SPARE_PER_PROCESSOR * (os.cpu_count() or 1)
    _set_limit(min(taken + spare, ALLOWANCE) + heap_bytes)


def data_bytes() -> int | None:
    """What RLIMIT_DATA counts of this process; ``None`` where the system doesn't say."""
    try:
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return None
    return None


def _set_limit(wanted: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def exhausted_message(heap_bytes: int | None) -> str:
    """The line that tells an admin which setting was too small; log watchers know its first word from Java."""
    limit_text = "the machine's memory" if heap_bytes is None else f"-Xmx{heap_bytes // 2**20}m"
    return f"java.lang.OutOfMemoryError: out of memory, the limit is {limit_text} (see omero.jvmcfg.*)"


def is_exhaustion(error: BaseException | None) -> bool:
    """Whether an exception, a cause of it or one of its group says that memory ran out."""
    waiting = [error]
    for _ in range(_MOST_NESTED):
        found = waiting.pop() if waiting else None
        if found is None:
            return False
        if _says_so(found):
            return True
        waiting.append(found.__cause__)
        if isinstance(found, BaseExceptionGroup):
            waiting.extend(found.exceptions)
        waiting = [one for one in waiting if one is not None]
    return False


def _says_so(error: BaseException) -> bool:
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, RuntimeError):
        return str(error) == "can't start new thread"
    library, text = type(error).__module__.partition(".")[0], str(error)
    # What PostgreSQL's server says of its own memory has an SQLSTATE, and what libvips says of a file its name.
    if library == "psycopg":
        return getattr(error, "sqlstate", None) is None and text.strip().startswith("out of memory")
    return library == "pyvips" and re.search(r"^vips_tracked: out of memory", text, re.MULTILINE) is not None


class Guard:
    """Waits for the moment when memory runs out.

    :param heap: what the command line says
    :param log: the server's
    :param leave_reason: told why the server ends, in one line
    :param conclude: called right before the end
    """

    def __init__(
        self,
        heap: HeapOptions,
        log: logging.Logger,
        *,
        leave_reason: Callable[[str], None],
        conclude: Callable[[], None],
    ) -> None:
        self._heap = heap
        self._log = log
        self._leave_reason = leave_reason
        self._conclude = conclude
        self._reserve: bytearray | None = bytearray(_RESERVE)
        self._lock = threading.Lock()
        self._reported = False
        self._write_profile: ProfileWriter | None = None
        self._ending: queue.SimpleQueue[None] = queue.SimpleQueue()
        # A thread that had to be started when memory has run out might not start.
        self._thread = threading.Thread(target=self._end, name="memory", daemon=True)

    def install(self, handler: logging.Handler) -> None:
        """See exceptions that nobody else catches, and those that others log.

        :param handler: of the server's log
        """
        if self._heap.profile is not None:
            # Here, because modules can't be loaded when memory has run out; others need neither.
            import tracemalloc

            from omeroadmin.runtime.kernel.heap_profile import write_heap_profile

            tracemalloc.start()
            self._write_profile = write_heap_profile
        self._thread.start()
        handler.addFilter(self._see_record)
        handler.handleError = self._see_unwritten  # type: ignore[method-assign]
        threads, unraisable = threading.excepthook, sys.unraisablehook

        def see_thread(arguments: threading.ExceptHookArgs) -> None:
            if not self.notice(arguments.exc_value):
                threads(arguments)

        def see_unraisable(arguments: sys.UnraisableHookArgs) -> None:
            if not self.notice(arguments.exc_value):
                unraisable(arguments)

        threading.excepthook, sys.unraisablehook = see_thread, see_unraisable
        _guards[:] = [self]

    def notice(self, error: BaseException | None) -> bool:
        """Look at an exception; if memory ran out, say so and end the process when a last answer could be sent.

        :return: whether it did
        """
        if not is_exhaustion(error):
            return False
        with self._lock:
            first, self._reported = not self._reported, True
        if first:
            try:
                self._report(error)
            finally:
                self._ending.put(None)
        return True

    def join(self) -> None:
        """If memory ran out, wait for the end of the process."""
        if self._reported:
            self._thread.join()

    def _report(self, error: BaseException | None) -> None:
        self._reserve = None
        with contextlib.suppress(ValueError, OSError):
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
        message = exhausted_message(self._heap.limit)
        self._log.error("%s", message)
        self._leave_reason(message)
        if self._write_profile is None or self._heap.profile is None:
            return
        try:
            path = self._write_profile(self._heap.profile, self._heap.limit, error)
        except OSError as problem:
            self._log.error("The heap profile can't be written: %s", problem)
        else:
            self._log.info("Heap profile: %s", path)

    def _end(self) -> None:
        self._ending.get()
        time.sleep(_SECONDS_TO_ANSWER)
        try:
            self._conclude()
            for handler in logging.getLogger().handlers:
                handler.flush()
        finally:
            # Whatever else holds on to memory or waits for it must not hold up the end.
            os._exit(_CRASHED)

    def _see_record(self, record: logging.LogRecord) -> bool:
        if record.exc_info:
            self.notice(record.exc_info[1])
        return True

    def _see_unwritten(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not self.notice(error):
            sys.stderr.write(f"A line of {record.name} was not logged: {error!r}\n")


_guards: list[Guard] = []
"""That of this process, if it is a server."""


def notice(error: BaseException | None) -> bool:
    """Look at an exception that would otherwise go no further; see :meth:`Guard.notice`."""
    return any(guard.notice(error) for guard in _guards) or is_exhaustion(error)
