"""Has trees walked through by another process, which begins as soon as it is told and runs ahead."""

from __future__ import annotations

import contextlib
import json
import marshal
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.backups.scan import Found, Root
from omeroadmin.errors import failed_error
from omeroadmin.system import process, program_output

if TYPE_CHECKING:
    from omeroadmin.system.program_output import Talking

_MODULE = "omeroadmin.backups.walk_process"


class Walker:
    """A process that walks, one request after the other."""

    def __init__(self, program: Talking) -> None:
        self._program = program
        self._roots: dict[str, str] = {}

    def begin(self, roots: Iterable[Root], never: Sequence[Path] = ()) -> None:
        """Have a walk begin; :meth:`found` must take all of it before the next.

        :param never: directories not to enter
        """
        trees = [(root.name, str(root.directory), sorted(root.skip)) for root in roots]
        self._roots = {name: directory for name, directory, _ in trees}
        request = {"roots": trees, "never": [str(directory) for directory in never]}
        self._program.send(json.dumps(request).encode())

    def found(self) -> Iterator[list[Found]]:
        """All that :func:`omeroadmin.backups.scan.walk_together` gives for what was begun.

        :raises AdminError: ``walk-failed`` if the process has come to an end
        """
        while frame := self._program.receive():
            yield from unpacked(frame, self._roots)
        if frame is None:
            done = self._program.finish()
            raise failed_error(
                "walk-failed",
                f"the process that looks through the files has ended with status {done.status}: {done.last_words()}",
                "run the backup again; dmesg says whether memory ran out",
            )


@contextlib.contextmanager
def walking() -> Iterator[Walker]:
    """Run a process that walks; it ends with the block.

    :raises AdminError: ``program-missing``
    """
    with program_output.talking(process.module_command(_MODULE)) as program:
        yield Walker(program)


def packed(pieces: Iterable[list[Found]]) -> bytes:
    """Pieces of a walk for another process of the same Python; what can be told from the path is left out."""
    return marshal.dumps(
        [
            [(path, size, mtime_ns, mode, link, problem) for path, _, size, mtime_ns, mode, link, problem in piece]
            for piece in pieces
        ]
    )


def unpacked(frame: bytes, roots: dict[str, str]) -> Iterator[list[Found]]:
    """The pieces of a walk again.

    :param roots: directories of the trees by their names
    """
    for piece in marshal.loads(frame):  # noqa: S302 - from the process that this one has started
        name, _, relative = piece[0][0].partition("/")
        directory, cut = roots[name], len(name)
        if len(piece) == 1 and piece[0][0].endswith("/"):
            path, *rest = piece[0]
            yield [Found(path, f"{directory}/{relative}".rstrip("/"), *rest)]
            continue
        yield [Found(item[0], directory + item[0][cut:], *item[1:]) for item in piece]
