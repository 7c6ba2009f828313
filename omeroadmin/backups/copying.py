"""Has small files copied into a pool by several processes: within one, Python would use one processor at a time.

For a file of a few kilobytes the kernel's work is short, and threads that hand Python to each other after each call
take twice the time of one process that copies beside this one.
"""

from __future__ import annotations

import contextlib
import marshal
import queue
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from omeroadmin.backups.changes import Wanted
from omeroadmin.backups.pool import Copied, target_error
from omeroadmin.backups.target import Target
from omeroadmin.errors import failed_error
from omeroadmin.system import process, program_output

if TYPE_CHECKING:
    from omeroadmin.system.program_output import Talking

_MODULE = "omeroadmin.backups.copy_process"

_REASON = 2
"""Parts of an error: its number and its words."""


class Copiers:
    """Processes that copy, started when they are wanted: most runs have but a few files to copy.

    :param jobs: number of processes
    """

    def __init__(self, target: Target, jobs: int, stack: contextlib.ExitStack) -> None:
        self._target = target
        self._absent = jobs
        self._stack = stack
        self._lock = threading.Lock()
        self._idle: queue.SimpleQueue[Talking] = queue.SimpleQueue()

    def copy(self, wanted: Sequence[Wanted]) -> list[Copied | OSError]:
        """Copy files as :meth:`omeroadmin.backups.pool.Pool.copy_in` does, in as many threads as there are processes.

        :param wanted: files, and whether to compute a SHA-1
        :return: for each what it became, or why it can't be read
        :raises AdminError: ``backup-not-written``; ``copy-failed`` if a process has come to an end
        """
        program = self._take()
        try:
            program.send(marshal.dumps(list(wanted)))
            answer = program.receive()
        finally:
            self._idle.put(program)
        if answer is None:
            done = program.finish()
            raise failed_error(
                "copy-failed",
                f"a process that copies files has ended with status {done.status}: {done.last_words()}",
                "run the backup again; dmesg says whether memory ran out",
            )
        outcomes, failure = marshal.loads(answer)  # noqa: S302 - from the process that this one has started
        if failure is not None:
            raise target_error(self._target, OSError(*failure))
        return [Copied(*outcome) if len(outcome) > _REASON else OSError(*outcome) for outcome in outcomes]

    def _take(self) -> Talking:
        with self._lock:
            if self._idle.empty() and self._absent:
                arguments = process.module_command(_MODULE, self._target.root)
                self._idle.put(self._stack.enter_context(program_output.talking(arguments)))
                self._absent -= 1
        return self._idle.get()


@contextlib.contextmanager
def copying(target: Target, jobs: int) -> Iterator[Copiers]:
    """Processes that copy into a target's pool; they end with the block. The target's lock must be held."""
    with contextlib.ExitStack() as stack:
        yield Copiers(target, jobs, stack)
