"""Copies files below a pool's ``partial/``, in a process of its own.

Usage: python -m omeroadmin.backups.copy_process TARGET
Each frame on stdin names files, and each frame on stdout says what became of them: see
:mod:`omeroadmin.backups.copying`.
"""

from __future__ import annotations

import marshal
import sys
from pathlib import Path

from omeroadmin.backups.pool import Pool
from omeroadmin.backups.target import Target
from omeroadmin.errors import AdminError
from omeroadmin.system.program_output import answering, read_frame, write_frame


def main(root: str) -> None:
    """Answer until stdin ends."""
    pool = Pool(Target(Path(root)))
    with answering() as (requests, answers):
        while (frame := read_frame(requests)) is not None:
            wanted = marshal.loads(frame)  # noqa: S302 - from the process that has started this one
            write_frame(answers, marshal.dumps(_copy(pool, wanted)))


def _copy(pool: Pool, wanted: list[tuple[str, bool]]) -> tuple[list[tuple[object, ...]], tuple[int, str] | None]:
    """Copy until the target can't be written to."""
    outcomes: list[tuple[object, ...]] = []
    for source, with_sha1 in wanted:
        try:
            outcomes.append(tuple(pool.copy_in(source, with_sha1=with_sha1)))
        except AdminError as error:
            if not isinstance(error.__cause__, OSError):
                raise
            return outcomes, _reason(error.__cause__)
        except OSError as error:
            outcomes.append(_reason(error))
    return outcomes, None


def _reason(error: OSError) -> tuple[int, str]:
    return error.errno or 0, error.strerror or str(error)


if __name__ == "__main__":
    main(sys.argv[1])
