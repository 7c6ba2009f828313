"""Walks through trees for a backup in a process of its own: one processor looks at the disk, another one compares.

Usage: python -m omeroadmin.backups.walk_process
Each frame on stdin names trees. The frames of the answer are what :func:`omeroadmin.backups.walking.unpacked` takes;
an empty one ends it.
"""

from __future__ import annotations

import gc
import json
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from omeroadmin.backups.scan import Root, walk_together
from omeroadmin.backups.walking import packed
from omeroadmin.system.program_output import answering, read_frame, write_frame

_FRAME_FILES = 1000
_FRAMES_AHEAD = 256
"""The walk goes on while the backup copies, as far as a quarter of a million files, which take some 30 MB."""


def main() -> None:
    """Answer until stdin ends."""
    # Millions of tuples and no cycle: there is nothing to find for a collector.
    gc.disable()
    frames: queue.Queue[bytes] = queue.Queue(_FRAMES_AHEAD)
    with answering() as (requests, answers):
        threading.Thread(target=_send, args=(frames, answers), daemon=True).start()
        while (request := read_frame(requests)) is not None:
            for frame in _frames(request):
                frames.put(frame)
            frames.join()


def _frames(request: bytes) -> Iterator[bytes]:
    wanted = json.loads(request)
    roots = [Root(name, Path(directory), frozenset(skip)) for name, directory, skip in wanted["roots"]]
    pieces = []
    count = 0
    for found in walk_together(roots, [Path(directory) for directory in wanted["never"]]):
        pieces.append(found)
        count += len(found)
        if count >= _FRAME_FILES:
            yield packed(pieces)
            pieces, count = [], 0
    if pieces:
        yield packed(pieces)
    yield b""


def _send(frames: queue.Queue[bytes], answers: IO[bytes]) -> None:
    while True:
        write_frame(answers, frames.get())
        frames.task_done()


if __name__ == "__main__":
    main()
