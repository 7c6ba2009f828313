"""Runs programs from argument lists, with a deadline, and never through a shell."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from omeroadmin.errors import configuration_error, failed_error


@dataclass(frozen=True)
class Completed:
    """A program that has ended.

    :param arguments: program and arguments
    :param status: exit status; negative: the signal that ended it
    :param output: what it wrote to stdout
    :param error_output: what it wrote to stderr
    """

    arguments: tuple[str, ...]
    status: int
    output: str
    error_output: str

    @property
    def succeeded(self) -> bool:
        """Whether the exit status was 0."""
        return self.status == 0

    def last_words(self) -> str:
        """Last line of stderr, or of stdout: what to show of a failure."""
        lines = (self.error_output.strip() or self.output.strip()).splitlines()
        return lines[-1].strip() if lines else "(no output)"


def run(
    arguments: Sequence[str | os.PathLike[str]],
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    inherit: bool = True,
    input_text: str | None = None,
    directory: Path | None = None,
    merge: bool = False,
) -> Completed:
    """Run a program to its end.

    :param arguments: program and arguments; no secrets, other users can read them
    :param timeout: seconds after which the program is killed
    :param environment: variables added to the present ones
    :param inherit: whether the program gets the present variables at all
    :param input_text: text for stdin; nothing by default
    :param directory: working directory
    :param merge: whether what goes to stderr comes in its place between that of stdout
    :raises AdminError: ``program-missing``, ``program-timeout``
    """
    words = tuple(os.fspath(argument) for argument in arguments)
    try:
        done = subprocess.run(
            words,
            input=input_text if input_text is not None else "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=timeout,
            env=variables(environment, inherit=inherit),
            cwd=directory,
            check=False,
        )
    except OSError as error:
        if directory is not None and not directory.is_dir():
            raise failed_error("directory-missing", f"{directory} is not a directory") from error
        raise configuration_error(
            "program-missing", f"{words[0]} can't be run: {error.strerror}", f"install {Path(words[0]).name}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise failed_error("program-timeout", f"{words[0]} did not end within {timeout:g} seconds") from error
    return Completed(words, done.returncode, done.stdout, done.stderr or "")


def check(
    arguments: Sequence[str | os.PathLike[str]],
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    input_text: str | None = None,
    directory: Path | None = None,
    hint: str = "",
) -> Completed:
    """Run a program that must succeed.

    :raises AdminError: ``program-failed`` with the program's last words, else as :func:`run`
    """
    done = run(arguments, timeout=timeout, environment=environment, input_text=input_text, directory=directory)
    if not done.succeeded:
        name = Path(done.arguments[0]).name
        raise failed_error("program-failed", f"{name} ended with status {done.status}: {done.last_words()}", hint)
    return done


def feed(
    arguments: Sequence[str | os.PathLike[str]],
    chunks: Iterable[bytes],
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
) -> Completed:
    """Run a program to its end with more on stdin than memory holds; a program that ends early gets no more.

    :param arguments: program and arguments; no secrets, other users can read them
    :param chunks: what it reads; an exception that they raise ends the program
    :param timeout: seconds after which the program is killed
    :param environment: variables added to the present ones
    :raises AdminError: ``program-missing``, ``program-timeout``
    """
    words = tuple(os.fspath(argument) for argument in arguments)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            program = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=output, stderr=errors, env=variables(environment, inherit=True)
            )
        except OSError as error:
            raise configuration_error("program-missing", f"{words[0]} can't be run: {error.strerror}") from error
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            program.kill()

        timer = threading.Timer(timeout, expire)
        timer.start()
        try:
            _pour(chunks, program)
            status = program.wait()
        except BaseException:
            program.kill()
            program.wait()
            raise
        finally:
            timer.cancel()
        if expired.is_set():
            raise failed_error("program-timeout", f"{words[0]} did not end within {timeout:g} seconds")
        return Completed(words, status, text_of(output), text_of(errors))


def lines_of(arguments: Sequence[str | os.PathLike[str]], input_text: str) -> Iterator[str]:
    """Run a program and hear what it says, stdout and stderr, while it works; it ends with the iteration.

    :param arguments: program and arguments; no secrets, other users can read them
    :param input_text: text for stdin
    :raises AdminError: ``program-missing``
    """
    words = tuple(os.fspath(argument) for argument in arguments)
    try:
        program = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        raise configuration_error("program-missing", f"{words[0]} can't be run: {error.strerror}") from error
    if program.stdout is None:
        raise AssertionError("stdout is a pipe")
    try:
        _pour([input_text.encode()], program)
        for line in program.stdout:
            yield line.decode("utf-8", "replace")
    finally:
        program.terminate()
        program.wait()
        program.stdout.close()


def _pour(chunks: Iterable[bytes], program: subprocess.Popen[bytes]) -> None:
    stdin = program.stdin
    if stdin is None:
        raise AssertionError("stdin is a pipe")
    try:
        for chunk in chunks:
            stdin.write(chunk)
    except BrokenPipeError:
        # It ended early, and its exit status says why.
        pass
    finally:
        with contextlib.suppress(BrokenPipeError):
            stdin.close()


def text_of(stream: IO[bytes]) -> str:
    """All that a program has written to a temporary file."""
    stream.seek(0)
    return stream.read().decode(errors="replace")


def run_attached(arguments: Sequence[str | os.PathLike[str]]) -> int:
    """Run a program that the user works with, on our terminal, to its end; without a deadline.

    Ctrl-C and Ctrl-\\ are left to the program.

    :param arguments: program and arguments; no secrets, other users can read them
    :return: its exit status; negative: the signal that ended it
    :raises AdminError: ``program-missing``
    """
    words = [os.fspath(argument) for argument in arguments]
    # Handled and not ignored, since a program goes on ignoring what its parent ignored.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        return subprocess.run(words, check=False).returncode
    except OSError as error:
        raise configuration_error(
            "program-missing", f"{words[0]} can't be run: {error.strerror}", f"install {Path(words[0]).name}"
        ) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def spawn(
    arguments: Sequence[str | os.PathLike[str]],
    *,
    environment: Mapping[str, str] | None = None,
    inherit: bool = True,
    directory: Path | None = None,
    output: IO[bytes] | int = subprocess.DEVNULL,
    error_output: IO[bytes] | int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that it outlives this process and its terminal.

    :param inherit: whether the program gets the present variables besides those given
    :raises AdminError: ``program-missing``
    """
    words = [os.fspath(argument) for argument in arguments]
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=error_output,
            env=variables(environment, inherit=inherit),
            cwd=directory,
            start_new_session=True,
        )
    except OSError as error:
        raise configuration_error("program-missing", f"{words[0]} can't be run: {error.strerror}") from error


def variables(given: Mapping[str, str] | None, *, inherit: bool = True) -> dict[str, str]:
    """Variables for a program.

    :param given: added to the present ones
    :param inherit: whether the present ones are among them at all
    """
    return {**(os.environ if inherit else {}), **(given or {})}


def module_command(module: str, *arguments: str | os.PathLike[str]) -> list[str]:
    """Program and arguments that run a module by this process's Python.

    By itself ``python -m`` looks for all modules in the working directory first, which may be anybody's.

    :param module: full name, e.g. ``omeroadmin.grid.node``
    """
    return [sys.executable, "-P", "-m", module, *(os.fspath(argument) for argument in arguments)]


def find_program(name: str) -> Path | None:
    """The program that PATH gives for a name."""
    found = shutil.which(name)
    return None if found is None else Path(found)


class Running:
    """A program that runs beside this one; it says less than a temporary file holds."""

    def __init__(self, program: subprocess.Popen[bytes], output: IO[bytes], errors: IO[bytes], end: float) -> None:
        self._program = program
        self._output = output
        self._errors = errors
        self._end = end

    @property
    def has_ended(self) -> bool:
        """Whether it has come to its end, good or bad."""
        return self._program.poll() is not None

    def finish(self) -> Completed:
        """Wait for its end.

        :raises AdminError: ``program-timeout``
        """
        words = self._program.args
        names = tuple(str(word) for word in words) if isinstance(words, list) else (str(words),)
        try:
            status = self._program.wait(max(0.0, self._end - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise failed_error("program-timeout", f"{names[0]} did not end in time") from error
        return Completed(names, status, text_of(self._output), text_of(self._errors))


@contextlib.contextmanager
def running(
    arguments: Sequence[str | os.PathLike[str]], *, timeout: float, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run a program beside the block; it is ended with it.

    :param arguments: program and arguments; no secrets, other users can read them
    :param timeout: seconds that it may take, for :meth:`Running.finish`
    :param environment: variables added to the present ones
    :raises AdminError: ``program-missing``
    """
    words = [os.fspath(argument) for argument in arguments]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            program = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=variables(environment, inherit=True),
            )
        except OSError as error:
            raise configuration_error("program-missing", f"{words[0]} can't be run: {error.strerror}") from error
        try:
            yield Running(program, output, errors, time.monotonic() + timeout)
        finally:
            if program.poll() is None:
                program.terminate()
            program.wait()
