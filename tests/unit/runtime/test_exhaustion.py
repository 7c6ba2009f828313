"""What a server does when memory runs out, wherever that shows, and what its next process says of it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from omeroadmin.runtime.kernel import configuration, memory
from omeroadmin.runtime.kernel.heap_profile import write_heap_profile

PROGRAM = """
import asyncio, ctypes, gc, logging, os, sys, threading, types
def service(context):
    {body}
    context.stop.wait(10)
    return 0
module = types.ModuleType("omeroadmin.runtime.services.indexer.service")
module.run = service
sys.modules[module.__name__] = module
from omeroadmin.runtime.kernel.launcher import main
sys.exit(main(sys.argv[1:]))
"""
EXHAUSTED = "java.lang.OutOfMemoryError: out of memory, the limit is -Xmx64m"


def run(directory: Path, body: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A server whose work is this code."""
    config = directory / "config"
    config.write_text("Ice.ServerId=Indexer-0\n")
    (directory / "var" / "log").mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body=body), "Indexer", "-Xmx64m", *options, f"--Ice.Config={config}"],
        env={**os.environ, "OMERODIR": str(directory)},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def log_of(directory: Path) -> str:
    return (directory / "var" / "log" / "Indexer-0.log").read_text()


BOOM = "bytearray(2**33)"


WAYS = {
    "the service": BOOM,
    "a thread": f"threading.Thread(target=lambda: {BOOM}).start()",
    "swallowed and logged": f"exec('''try:\n {BOOM}\nexcept Exception: context.log.exception(1)''')",
    "the end of an object": f"exec('''class X:\n def __del__(self): {BOOM}\nX()''')",
    "a line of the log": f"exec('''class X:\n def __str__(self): {BOOM}\ncontext.log.info(X())''')",
    "an event loop": "exec('''async def loops():\n asyncio.get_running_loop().call_soon(bytearray, 2**33)\n"
    " await asyncio.sleep(5)\nasyncio.run(loops())''')",
    "a group of tasks": "exec('''async def groups():\n async with asyncio.TaskGroup() as group:\n"
    "  group.create_task(asyncio.to_thread(bytearray, 2**33))\nasyncio.run(groups())''')",
    "the system": "raise OSError(12, 'Cannot allocate memory')",
}


@pytest.mark.parametrize("body", WAYS.values(), ids=WAYS)
def test_wherever_it_shows(tmp_path: Path, body: str) -> None:
    done = run(tmp_path, body)
    assert done.returncode == 1, done
    text = log_of(tmp_path)
    assert text.count(EXHAUSTED) == 1, text
    assert (tmp_path / "var" / "run" / "Indexer-0.failure").read_text().startswith(EXHAUSTED)


def test_small_pieces_all_over_the_heap(tmp_path: Path) -> None:
    """Nothing is left for a line or a file, but for what was kept for that."""
    body = "exec('''kept = []\\nwhile True: kept.append([bytes(50)])''')"
    done = run(tmp_path, body, "-XX:+HeapDumpOnOutOfMemoryError")
    assert done.returncode == 1, done
    assert log_of(tmp_path).count(EXHAUSTED) == 1
    (profile,) = tmp_path.glob("java_pid*.heap.txt")
    text = profile.read_text()
    assert "<string>:4 service" in text
    assert "builtins.bytes" in text
    assert f"Heap profile: {profile}" in log_of(tmp_path)


def test_the_heap_begins_where_the_server_is_ready(tmp_path: Path) -> None:
    """Before, what is loaded must fit; afterwards the heap is the limit, and a little more for what is loaded late."""
    body = "a = bytearray(300 * 2**20); del a; context.health.ready(); {}; context.log.info('fits'); return 0"
    assert run(tmp_path, body.format("bytearray(60 * 2**20)")).returncode == 0
    spare = (64 + 8 * (os.cpu_count() or 1)) * 2**20
    assert run(tmp_path, body.format(f"bytearray({spare} + 80 * 2**20)")).returncode == 1
    assert log_of(tmp_path).count("fits") == 1


@pytest.mark.parametrize(
    ("stderr", "line"),
    [(b"memory allocation of 1048576 bytes failed\n", True), (b"something else\n", False)],
)
def test_a_library_that_aborts(tmp_path: Path, stderr: bytes, line: bool) -> None:
    done = run(tmp_path, "os.abort()")
    assert done.returncode == -6
    # The node passes on what its servers write to stderr.
    (tmp_path / "var" / "log" / "master.err").write_bytes(b"x" * 100_000 + b"\n" + stderr)
    assert run(tmp_path, "return 0").returncode == 0
    text = log_of(tmp_path)
    assert (EXHAUSTED in text) == line
    assert "The process before this one ended by a fault: Fatal Python error: Aborted, at File" in text
    assert run(tmp_path, "return 0").returncode == 0
    assert log_of(tmp_path).count("The process before this one") == 1


class _Libvips(Exception):  # noqa: N818 - stands for pyvips.Error
    __module__ = "pyvips.error"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOENT, "out of memory"), False),
        (RuntimeError("can't start new thread"), True),
        (RuntimeError("out of memory"), False),
        (ExceptionGroup("several", [ValueError(), ExceptionGroup("more", [MemoryError()])]), True),
        (psycopg.OperationalError("out of memory for query result"), True),
        (psycopg.errors.OutOfMemory("out of memory"), False),
        (_Libvips("unable to call thumbnail\nvips_tracked: out of memory --- size == 90MB"), True),
        (_Libvips("tiff2vips: out of memory.tif is not a TIFF"), False),
        (None, False),
    ],
)
def test_what_says_that_memory_ran_out(error: BaseException | None, says: bool) -> None:
    assert memory.is_exhaustion(error) is says
    assert memory.notice(error) is says


def test_causes_count_as_well() -> None:
    cause, error = MemoryError(), ValueError()
    error.__cause__ = cause
    assert memory.is_exhaustion(error)
    first, second = ValueError(), ValueError()
    first.__cause__, second.__cause__ = second, first
    assert not memory.is_exhaustion(first)


def test_a_profile_replaces_nothing(tmp_path: Path) -> None:
    first = write_heap_profile(tmp_path, heap_bytes=None, error=None)
    second = write_heap_profile(tmp_path, heap_bytes=2**20, error=MemoryError())
    assert first.name == f"java_pid{os.getpid()}.heap.txt"
    assert second.name == f"java_pid{os.getpid()}-1.heap.txt"
    with pytest.raises(FileExistsError):
        write_heap_profile(first, heap_bytes=None, error=None)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="link"):
        write_heap_profile(link, heap_bytes=None, error=None)
    assert not (tmp_path / "target").exists()


def test_a_profile_shows_no_content(tmp_path: Path) -> None:
    secret = ["a password", b"a password of bytes"]
    text = write_heap_profile(tmp_path / "profile", heap_bytes=None, error=None).read_text()
    assert "a password" not in text
    assert secret


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ([], None),
        (["-XX:HeapDumpPath=/x"], None),
        (["-XX:+HeapDumpOnOutOfMemoryError"], Path()),
        (["-XX:+HeapDumpOnOutOfMemoryError", "-XX:HeapDumpPath=/x"], Path("/x")),
        (["-XX:HeapDumpPath=/x", "-XX:+HeapDumpOnOutOfMemoryError", "-XX:HeapDumpPath=/y"], Path("/y")),
    ],
)
def test_where_the_profile_goes(options: list[str], place: Path | None) -> None:
    command = configuration.parse_command_line(["Blitz", *options, "--Ice.Config=c"])
    assert command.heap_profile == place
