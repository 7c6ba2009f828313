"""The processes that read images for Blitz: started when needed, replaced when a file has ended one."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.runtime.services.blitz.reading.protocol import Contents, contents_of, request_line
from omeroadmin.system.process import module_command

_READERS = 2
_MEMORY = 2 << 30
_SHORTEST_SECONDS = 60.0
_BYTES_A_SECOND = 4 << 20
_PIECE = 1 << 16
_LONGEST_ANSWER = 256 << 20
COMMAND = tuple(module_command("omeroadmin.runtime.services.blitz.reading", str(_MEMORY)))


class ImageReaders:
    """Reads the headers of files that come from anyone.

    :param command: starts a reader
    :param seconds: for one fileset; more is given to large ones
    """

    def __init__(self, command: Sequence[str] = COMMAND, *, seconds: float = _SHORTEST_SECONDS) -> None:
        self._seconds = seconds
        self._idle: queue.LifoQueue[_Reader] = queue.LifoQueue()
        for _ in range(_READERS):
            self._idle.put(_Reader(command))

    def read(self, paths: Sequence[Path]) -> Contents:
        """What the files of a fileset hold.

        :raises AdminError: ``unreadable-image``, also for a file at which reading ended or takes too long
        """
        size = sum(path.stat().st_size for path in paths)
        reader = self._idle.get()
        try:
            return reader.ask(paths, max(self._seconds, self._seconds / 60 * size / _BYTES_A_SECOND))
        finally:
            self._idle.put(reader)

    def close(self) -> None:
        """End all readers."""
        while True:
            try:
                self._idle.get_nowait().end()
            except queue.Empty:
                return


class _Reader:
    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, paths: Sequence[Path], seconds: float) -> Contents:
        process = self._running()
        whole = False
        try:
            line = self._exchange(process, request_line(paths), time.monotonic() + seconds)
            whole = True
        except TimeoutError:
            raise _unreadable(paths, f"reading it takes more than {seconds:.0f} s") from None
        except (OSError, EOFError):
            status = self._status(process)
            raise _unreadable(paths, f"the process that reads it ended {status}") from None
        finally:
            if not whole:
                self.end()
        return contents_of(line)

    def end(self) -> None:
        """End the process; the next question starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.end()
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "2"},
            )
        return self._process

    @staticmethod
    def _exchange(process: subprocess.Popen[bytes], question: bytes, deadline: float) -> bytes:
        assert process.stdin is not None  # noqa: S101 - for the type checker
        assert process.stdout is not None  # noqa: S101 - for the type checker
        process.stdin.write(question)
        process.stdin.flush()
        descriptor = process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        answer = bytearray()
        while not answer.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise TimeoutError
            piece = os.read(descriptor, _PIECE)
            if not piece or len(answer) > _LONGEST_ANSWER:
                raise EOFError
            answer += piece
        return bytes(answer)

    @staticmethod
    def _status(process: subprocess.Popen[bytes]) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(5)
            return f"by signal {-status}" if status < 0 else f"with status {status}"
        return "without an answer"


def _unreadable(paths: Sequence[Path], why: str) -> AdminError:
    name = paths[0].name if len(paths) == 1 else f"{paths[0].name} and {len(paths) - 1} more"
    return failed_error("unreadable-image", f"{name} is not an image that can be read: {why}")
