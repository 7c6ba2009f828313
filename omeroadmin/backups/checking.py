"""Has contents of a pool read again by several processes: within one, Python would use one processor at a time."""

from __future__ import annotations

import contextlib
import marshal
import queue
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import Entry
from omeroadmin.backups.target import Target
from omeroadmin.errors import failed_error
from omeroadmin.system import process, program_output

if TYPE_CHECKING:
    from omeroadmin.system.program_output import Talking

TOGETHER = 500
"""Files for a process at once, which take it about a hundredth of a second."""
_MODULE = "omeroadmin.backups.check_process"


@contextlib.contextmanager
def checking(target: Target, jobs: int) -> Iterator[Callable[[list[Entry]], list[Fault]]]:
    """Run processes that read contents; they end with the block.

    :param jobs: number of processes
    :return: reads the contents of some entries and gives their faults; for so many threads. It raises ``check-failed``
        if a process has come to an end
    :raises AdminError: ``program-missing``
    """
    idle: queue.SimpleQueue[Talking] = queue.SimpleQueue()

    def check(entries: list[Entry]) -> list[Fault]:
        program = idle.get()
        try:
            return _answer(program, entries)
        finally:
            idle.put(program)

    with contextlib.ExitStack() as stack:
        arguments = process.module_command(_MODULE, target.root)
        for _ in range(jobs):
            idle.put(stack.enter_context(program_output.talking(arguments)))
        yield check


def _answer(program: Talking, entries: list[Entry]) -> list[Fault]:
    program.send(marshal.dumps([(entry.path, entry.size, entry.blake3) for entry in entries]))
    answer = program.receive()
    if answer is None:
        done = program.finish()
        raise failed_error(
            "check-failed",
            f"a process that reads the target has ended with status {done.status}: {done.last_words()}",
            "verify again; dmesg says whether memory ran out",
        )
    return [Fault(*fault) for fault in marshal.loads(answer)]  # noqa: S302 - from the process that this one has started
