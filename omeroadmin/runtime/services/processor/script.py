"""Runs one script as a child process with limits, and brings back what it said."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.runtime.services.processor.beside import Beside

_SANDBOX = Path(__file__).with_name("sandbox.py")
_MOST_OUTPUT = 1_000_000
_MOST_OUTPUTS_FILE = 10_000_000
_MOST_FILE_BYTES = 2**30
_MEMORY_BYTES = 2**30
_NO_MEMORY = re.compile(
    r"\b(\w*MemoryError\b|std::bad_alloc|memory allocation of \d+ bytes failed|failed to allocate \d+ bytes|"
    r"[Cc]annot allocate memory|can't start new thread|vips_tracked: out of memory)"
)
_LAST_WORDS = 4000
_SECONDS_TO_DIE = 5.0


@dataclass(frozen=True)
class Outcome:
    """What became of a script.

    :param status: OMERO's job status: Finished, Error or Cancelled
    :param message: one line
    :param exhausted: whether it went beyond its memory
    """

    status: str
    message: str
    outputs: dict[str, Any] = field(default_factory=dict)
    stdout: str = ""
    stderr: str = ""
    exhausted: bool = False


@dataclass(frozen=True)
class Limits:
    """What a script may use.

    :param seconds: time on the clock; as much of the processor
    :param memory_bytes: data segment
    """

    seconds: float
    memory_bytes: int = _MEMORY_BYTES


def run_script(
    script: Path, document: dict[str, Any], scratch: Path, limits: Limits, stop: Stop, beside: Beside | None = None
) -> Outcome:
    """Run a script to its end.

    It finds its inputs as JSON on stdin and writes its outputs, a JSON object, to the file that the environment
    variable ``OMERO_SCRIPT_OUTPUTS`` names. Its working directory is empty and goes when it ends.

    :param document: what stands on stdin
    :param scratch: directory for the working directory
    :param stop: ends the script, too
    :param beside: what accompanies it
    """
    with tempfile.TemporaryDirectory(prefix="job-", dir=scratch) as directory:
        return asyncio.run(_accompanied(script, document, Path(directory), limits, stop, beside or Beside()))


async def _accompanied(
    script: Path, document: dict[str, Any], directory: Path, limits: Limits, stop: Stop, beside: Beside
) -> Outcome:
    async with beside.gateway():
        return await _run(script, document, directory, limits, stop, beside)


async def _run(
    script: Path, document: dict[str, Any], directory: Path, limits: Limits, stop: Stop, beside: Beside
) -> Outcome:
    outputs = directory / ".outputs.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_SANDBOX),
        str(script),
        str(max(1, int(limits.seconds) + 1)),
        str(limits.memory_bytes),
        str(_MOST_FILE_BYTES),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=directory,
        env=_environment(directory, outputs),
        start_new_session=True,
    )
    readers = [asyncio.create_task(_read(stream)) for stream in (process.stdout, process.stderr)]
    try:
        why = await _wait(process, document, limits, stop, beside)
    finally:
        _kill_group(process.pid)
        await process.wait()
        await _close_input(process)
    stdout, stderr = [await _finished(reader) for reader in readers]
    outcome = _outcome(process.returncode or 0, why, outputs, stdout, stderr)
    return _with_exhaustion(outcome, limits) if not why and process.returncode else outcome


def _environment(directory: Path, outputs: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "OMERO_SCRIPT_OUTPUTS": str(outputs),
    }


async def _wait(
    process: asyncio.subprocess.Process, document: dict[str, Any], limits: Limits, stop: Stop, beside: Beside
) -> str:
    """Wait for the script.

    :return: why it must be killed; empty where it has ended
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_reader(stop.fileno(), stopping.set)
    feeding = asyncio.create_task(_feed(process, json.dumps(document).encode()))
    ending = asyncio.create_task(process.wait())
    asked = asyncio.create_task(stopping.wait())
    unwanted = asyncio.ensure_future(beside.watch())
    try:
        await asyncio.wait({ending, asked, unwanted}, timeout=limits.seconds, return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            return ""
        if unwanted.done():
            return unwanted.result()
        return "the server stops" if asked.done() else f"it took longer than {limits.seconds:g} s"
    finally:
        loop.remove_reader(stop.fileno())
        tasks = (feeding, asked, ending, unwanted)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _feed(process: asyncio.subprocess.Process, content: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    with contextlib.suppress(ConnectionError):
        process.stdin.write(content)
        await process.stdin.drain()
    process.stdin.close()


async def _close_input(process: asyncio.subprocess.Process) -> None:
    """See the pipe's end: a script that didn't read all of its input has broken it, which is no error of ours."""
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    process.stdin.close()
    closing = asyncio.create_task(process.stdin.wait_closed())
    await asyncio.wait({closing}, timeout=_SECONDS_TO_DIE)
    if closing.done():
        closing.exception()


async def _read(stream: asyncio.StreamReader | None) -> str:
    """What a script says; beyond a limit it may go on talking, but nobody keeps it."""
    assert stream is not None  # noqa: S101 - a pipe was asked for
    kept = bytearray()
    dropped = 0
    while data := await stream.read(65536):
        room = _MOST_OUTPUT - len(kept)
        kept += data[:room]
        dropped += max(0, len(data) - room)
    text = kept.decode("utf-8", "replace")
    return f"{text}\n[{dropped} more bytes]" if dropped else text


async def _finished(reader: asyncio.Task[str]) -> str:
    """A grandchild that left the group could keep a pipe open for ever."""
    try:
        return await asyncio.wait_for(reader, _SECONDS_TO_DIE)
    except TimeoutError:
        return "[a process that the script started keeps its output open]"


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _outcome(status: int, why: str, outputs: Path, stdout: str, stderr: str) -> Outcome:
    if why:
        return Outcome(
            "Cancelled" if why == "the server stops" else "Error", f"Script was ended: {why}", {}, stdout, stderr
        )
    if status:
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        words = (stderr.strip() or stdout.strip() or "no output").splitlines()[-1]
        return Outcome("Error", f"Script ended with {how}: {words[:500]}", {}, stdout, stderr)
    try:
        values = _read_outputs(outputs)
    except (OSError, ValueError) as error:
        return Outcome("Error", f"Outputs of the script can't be read: {error}", {}, stdout, stderr)
    return Outcome("Finished", str(values.get("Message", "Script finished"))[:500], values, stdout, stderr)


def _with_exhaustion(outcome: Outcome, limits: Limits) -> Outcome:
    """The same, told in the words that an admin knows where the script's last words say that it got no memory."""
    if not _NO_MEMORY.search(outcome.stderr[-_LAST_WORDS:]):
        return outcome
    line = (
        "java.lang.OutOfMemoryError: out of memory, the limit is "
        f"{limits.memory_bytes // 2**20} MB (see omero.scripts.memory)"
    )
    stderr = f"{outcome.stderr.rstrip()}\n{line}\n"
    return replace(outcome, message=f"{line}; {outcome.message}"[:500], stderr=stderr, exhausted=True)


def _read_outputs(path: Path) -> dict[str, Any]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    with os.fdopen(descriptor, "rb") as stream:
        content = stream.read(_MOST_OUTPUTS_FILE + 1)
    if len(content) > _MOST_OUTPUTS_FILE:
        raise ValueError(f"more than {_MOST_OUTPUTS_FILE} bytes")
    values = json.loads(content)
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the content is wrong, not a type of ours
    return values
