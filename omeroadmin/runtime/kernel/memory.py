"""The descriptor's ``-Xmx`` as a real limit of the process."""

from __future__ import annotations

import resource
import threading

ALLOWANCE = 384 * 2**20
"""Bytes on top of the heap: interpreter, libraries and thread stacks. A JVM, too, is larger than its heap."""
_THREAD_STACK = 2**20


def limit(heap_bytes: int | None) -> None:
    """Limit the private memory of this process to the heap and an allowance.

    RLIMIT_DATA counts what the process may write to and owns alone; unlike RLIMIT_AS it leaves out mapped index
    files, shared libraries and address space that is only reserved.

    :param heap_bytes: value of ``-Xmx``; ``None`` for no limit
    """
    if heap_bytes is None:
        return
    threading.stack_size(_THREAD_STACK)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = heap_bytes + ALLOWANCE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def exhausted_message(heap_bytes: int | None) -> str:
    """The line that tells an admin which setting was too small; log watchers know its first word from Java."""
    limit_text = "the machine's memory" if heap_bytes is None else f"-Xmx{heap_bytes // 2**20}m"
    return f"java.lang.OutOfMemoryError: out of memory, the limit is {limit_text} (see omero.jvmcfg.*)"
