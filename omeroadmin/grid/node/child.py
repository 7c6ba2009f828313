"""A server's process: in a process group of its own, and never longer alive than the node."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_CHUNK = 65536
_WORDS = 4096
_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """A running process and what it last wrote to stderr.

    :param process: just started, leader of a process group
    :param error_pipe: reading end of its stderr, non-blocking; closed here
    """

    def __init__(self, process: subprocess.Popen[bytes], error_pipe: int) -> None:
        loop = asyncio.get_running_loop()
        self._process = process
        self._error_pipe = error_pipe
        self._words = b""
        self._exited: asyncio.Future[int] = loop.create_future()
        self._handle = os.pidfd_open(process.pid)
        loop.add_reader(self._handle, self._reap)
        loop.add_reader(error_pipe, self._forward)

    @property
    def pid(self) -> int:
        """Process id, also that of the group."""
        return self._process.pid

    @property
    def last_words(self) -> str:
        """The last line that it wrote to stderr."""
        lines = self._words.decode("utf-8", "replace").strip().splitlines()
        return " ".join(lines[-1].split()) if lines else ""

    async def exited(self, seconds: float | None = None) -> bool:
        """Wait for the end.

        :param seconds: ``None``: as long as it lives
        :return: whether it has ended
        """
        done, _ = await asyncio.wait({self._exited}, timeout=seconds)
        return bool(done)

    @property
    def status(self) -> int:
        """Exit status; negative: the signal that ended it."""
        return self._exited.result()

    def send(self, number: int) -> None:
        """Send a signal to the process, as long as it is there."""
        if not self._exited.done():
            self._process.send_signal(number)

    def kill(self) -> None:
        """End the process and its whole group at once."""
        if not self._exited.done():
            self._kill_group()

    def _reap(self) -> None:
        # The group goes before its leader is reaped: until then nobody else can get its number.
        self._kill_group()
        status = self._process.wait()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._handle)
        os.close(self._handle)
        self._forward()
        if self._error_pipe >= 0:
            self._close_pipe()
        self._exited.set_result(status)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _forward(self) -> None:
        """Pass on to our own stderr what has come, and remember its end."""
        if self._error_pipe < 0:
            return
        try:
            data = os.read(self._error_pipe, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._close_pipe()
            return
        self._words = (self._words + data)[-_WORDS:]
        with contextlib.suppress(OSError):
            os.write(2, data)

    def _close_pipe(self) -> None:
        asyncio.get_running_loop().remove_reader(self._error_pipe)
        os.close(self._error_pipe)
        self._error_pipe = -1


def start_child(arguments: Sequence[str], *, environment: Mapping[str, str], directory: Path) -> Child:
    """Start a process; its stdout is ours, its stderr comes through us.

    :raises OSError: as the system says
    """
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    try:
        process = subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stderr=writing,
            env=dict(environment),
            cwd=directory,
            process_group=0,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - the node has one thread only
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return Child(process, reading)


def _die_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
