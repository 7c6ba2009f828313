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

from omeroadmin.grid.node.output import Output, Outputs

_PR_SET_PDEATHSIG = 1
_CHUNK = 65536
_WORDS = 4096
_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """A running process and what it last wrote to stderr.

    :param process: just started, leader of a process group
    :param output: passes on its stdout; closed here
    :param errors: passes on its stderr; closed here
    """

    def __init__(self, process: subprocess.Popen[bytes], output: _Pipe, errors: _Pipe) -> None:
        loop = asyncio.get_running_loop()
        self._process = process
        self._pipes = (output, errors)
        self._exited: asyncio.Future[int] = loop.create_future()
        self._handle = os.pidfd_open(process.pid)
        loop.add_reader(self._handle, self._reap)
        for pipe in self._pipes:
            pipe.open()

    @property
    def pid(self) -> int:
        """Process id, also that of the group."""
        return self._process.pid

    @property
    def last_words(self) -> str:
        """The last line that it wrote to stderr."""
        lines = self._pipes[1].words.decode("utf-8", "replace").strip().splitlines()
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
        for pipe in self._pipes:
            pipe.forward()
            pipe.close()
        self._exited.set_result(status)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class _Pipe:
    """Passes on what a process writes, and remembers the end of it."""

    def __init__(self, output: Output) -> None:
        self.words = b""
        self._output = output
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)

    def open(self) -> None:
        """Begin to pass on; the writing end is the process's alone now."""
        os.close(self.writing)
        asyncio.get_running_loop().add_reader(self._reading, self.forward)

    def forward(self) -> None:
        """Pass on what has come."""
        if self._reading < 0:
            return
        try:
            data = os.read(self._reading, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self.close()
            return
        self.words = (self.words + data)[-_WORDS:]
        self._output.write(data)

    def close(self) -> None:
        """Stop passing on."""
        if self._reading >= 0:
            asyncio.get_running_loop().remove_reader(self._reading)
            os.close(self._reading)
            self._reading = -1

    def abandon(self) -> None:
        """Close both ends: there is no process."""
        os.close(self.writing)
        os.close(self._reading)
        self._reading = -1


def start_child(
    arguments: Sequence[str], *, environment: Mapping[str, str], directory: Path, outputs: Outputs
) -> Child:
    """Start a process; what it writes goes to ours.

    :raises OSError: as the system says
    """
    output, errors = _Pipe(outputs.output), _Pipe(outputs.errors)
    try:
        process = subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=output.writing,
            stderr=errors.writing,
            env=dict(environment),
            cwd=directory,
            process_group=0,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - the node has one thread only
        )
    except BaseException:
        output.abandon()
        errors.abandon()
        raise
    return Child(process, output, errors)


def _die_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
