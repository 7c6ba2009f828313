"""Programs whose output is more than memory holds, read while they run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from omeroadmin.errors import configuration_error
from omeroadmin.system.process import Completed, text_of, variables

_LENGTH = 4


class Reading:
    """A program whose output is read while it runs.

    :param output: its stdout
    """

    def __init__(self, program: subprocess.Popen[bytes], output: IO[bytes], errors: IO[bytes]) -> None:
        self.output = output
        self._program = program
        self._errors = errors

    def finish(self) -> Completed:
        """Wait for its end, when its output has been read."""
        status = self._program.wait()
        words = self._program.args
        names = tuple(str(word) for word in words) if isinstance(words, list) else (str(words),)
        return Completed(names, status, "", text_of(self._errors))


@contextlib.contextmanager
def reading(
    arguments: Sequence[str | os.PathLike[str]], *, environment: Mapping[str, str] | None = None
) -> Iterator[Reading]:
    """Run a program whose output is more than memory holds; it is ended with the block.

    :param arguments: program and arguments; no secrets, other users can read them
    :param environment: variables added to the present ones
    :raises AdminError: ``program-missing``
    """
    with _piped(arguments, subprocess.DEVNULL, environment) as (program, output, errors):
        yield Reading(program, output, errors)


class Talking(Reading):
    """A program that is told something as well."""

    def __init__(self, program: subprocess.Popen[bytes], output: IO[bytes], errors: IO[bytes]) -> None:
        super().__init__(program, output, errors)
        self._input = program.stdin

    def send(self, frame: bytes) -> None:
        """Write a frame to its stdin; one that has ended gets nothing, as its output will show."""
        if self._input is None:
            raise AssertionError("stdin is a pipe")
        with contextlib.suppress(BrokenPipeError):
            write_frame(self._input, frame)

    def receive(self) -> bytes | None:
        """Its next frame; ``None`` if it has come to an end."""
        return read_frame(self.output)


@contextlib.contextmanager
def answering() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """What a program does that another one talks to: stdin and stdout are for frames only.

    Whoever interrupts the other one ends this one as well, and one that was killed reads no answers.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with os.fdopen(os.dup(1), "wb") as answers:
        # Whatever else is printed must not look like an answer.
        os.dup2(2, 1)
        yield sys.stdin.buffer, answers


def write_frame(stream: IO[bytes], frame: bytes) -> None:
    """Write a frame: four bytes for its length, and as many as that."""
    stream.write(len(frame).to_bytes(_LENGTH, "big") + frame)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame of a stream; ``None`` where it ends, and be it within a frame."""
    header = stream.read(_LENGTH)
    size = int.from_bytes(header, "big")
    frame = stream.read(size)
    return frame if len(header) == _LENGTH and len(frame) == size else None


@contextlib.contextmanager
def talking(arguments: Sequence[str | os.PathLike[str]]) -> Iterator[Talking]:
    """Run a program that is told something, and whose output is more than memory holds; it is ended with the block.

    :param arguments: program and arguments; no secrets, other users can read them
    :raises AdminError: ``program-missing``
    """
    with _piped(arguments, subprocess.PIPE, None) as (program, output, errors):
        yield Talking(program, output, errors)


@contextlib.contextmanager
def _piped(
    arguments: Sequence[str | os.PathLike[str]], source: int, environment: Mapping[str, str] | None
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]]:
    words = [os.fspath(argument) for argument in arguments]
    with tempfile.TemporaryFile() as errors:
        try:
            program = subprocess.Popen(
                words, stdin=source, stdout=subprocess.PIPE, stderr=errors, env=variables(environment)
            )
        except OSError as error:
            raise configuration_error("program-missing", f"{words[0]} can't be run: {error.strerror}") from error
        if program.stdout is None:
            raise AssertionError("stdout is a pipe")
        try:
            with program.stdout as output:
                yield program, output, errors
        finally:
            if program.poll() is None:
                program.terminate()
            if program.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    program.stdin.close()
            program.wait()
