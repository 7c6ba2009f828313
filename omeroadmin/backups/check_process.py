"""Reads contents of a pool again, in a process of its own.

Usage: python -m omeroadmin.backups.check_process TARGET
Each frame on stdin names contents, and each frame on stdout has their faults: see :mod:`omeroadmin.backups.checking`.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
from pathlib import Path

from blake3 import blake3

from omeroadmin.backups.manifest import Entry
from omeroadmin.backups.target import Target
from omeroadmin.backups.verify import check_content
from omeroadmin.system.program_output import answering, read_frame, write_frame

_SMALL = 1 << 20
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def main(root: str) -> None:
    """Answer until stdin ends."""
    target = Target(Path(root))
    pool = str(target.pool)
    with answering() as (requests, answers):
        while (frame := read_frame(requests)) is not None:
            faults = []
            for path, size, digest in marshal.loads(frame):  # noqa: S302 - from the process that has started this one
                if size <= _SMALL and _is_whole(f"{pool}/{digest[:2]}/{digest}", size, digest):
                    continue
                fault = check_content(target, Entry(path, size, 0, 0, digest))
                if fault is not None:
                    faults.append((fault.code, fault.path, fault.message, fault.pool_file))
            write_frame(answers, marshal.dumps(faults))


def _is_whole(path: str, size: int, digest: str) -> bool:
    """Whether a small file is what it should be; what is wrong with others is found out by the long way."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size != size:
            return False
        content = os.read(descriptor, size + 1)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return len(content) == size and blake3(content).hexdigest() == digest


if __name__ == "__main__":
    main(sys.argv[1])
