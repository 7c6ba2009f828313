"""The processes behind a node: its daemon, and servers that a killed daemon left behind."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.grid.icegrid.programs import NODE
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.system import files
from omeroadmin.system.clock import wait_until

_GRACE = 5.0
_PROC = Path("/proc")
_CONFIGURATION = "--Ice.Config="


@dataclass(frozen=True)
class Process:
    """A process of this user.

    :param arguments: program and arguments
    :param directory: where it works
    :param state: the kernel's letter, e.g. ``T`` for one that was stopped by a signal
    """

    pid: int
    arguments: tuple[str, ...]
    directory: Path
    state: str


def node_process(layout: NodeLayout) -> Process | None:
    """The daemon of a node; ``None`` where none runs on this machine."""
    pid = _recorded(layout)
    process = None if pid is None else _look(pid)
    if process is not None and _is_daemon(process, layout):
        return process
    # Whoever started it without our pid file has a node nevertheless.
    return next((process for process in _own_processes() if _is_daemon(process, layout)), None)


def record_node(layout: NodeLayout, pid: int) -> None:
    """Write the pid file of a node that doesn't do it itself.

    :raises AdminError: ``file-not-written``
    """
    files.write_atomically(layout.pid_file, f"{pid}\n".encode(), mode=files.SECRET_MODE)


def terminate(process: Process) -> None:
    """Ask a daemon to stop its servers and end."""
    _send(process.pid, signal.SIGTERM)


def end_orphans(layout: NodeLayout) -> int:
    """End the servers of a node whose daemon was killed: they would hold the sockets of their successors.

    :return: how many there were
    """
    orphans = [process.pid for process in _own_processes() if _is_server(process, layout)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for orphan in orphans:
            _send(orphan, number)
        if wait_until(lambda: all(_look(orphan) is None for orphan in orphans), timeout=_GRACE):
            break
    return len(orphans)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    if number is signal.SIGKILL:
        # IceGrid makes each server the leader of a group: what it started goes with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)


def _recorded(layout: NodeLayout) -> int | None:
    try:
        text = layout.pid_file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdigit() else None


def _is_daemon(process: Process, layout: NodeLayout) -> bool:
    """Whether it is icegridnode with this node's configuration, in this instance."""
    return (
        Path(process.arguments[0]).name == NODE
        and process.directory == layout.instance.omerodir.resolve()
        and any(f"/{layout.node}.cfg" in word for word in process.arguments if word.startswith(_CONFIGURATION))
    )


def _is_server(process: Process, layout: NodeLayout) -> bool:
    """Whether it runs with a configuration that this node has written."""
    servers = layout.directory.resolve() / "servers"
    return any(
        word.startswith(_CONFIGURATION) and Path(word.removeprefix(_CONFIGURATION)).is_relative_to(servers)
        for word in process.arguments[1:]
    )


def _own_processes() -> Iterator[Process]:
    for path in _PROC.iterdir():
        if path.name.isdigit() and int(path.name) != os.getpid():
            process = _look(int(path.name))
            if process is not None:
                yield process


def _look(pid: int) -> Process | None:
    """A process of this user that hasn't ended; ``None`` where there is none."""
    directory = _PROC / str(pid)
    try:
        if directory.stat().st_uid != os.geteuid():
            return None
        words = (directory / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        state = (directory / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
        work = (directory / "cwd").readlink()
    except (OSError, IndexError):
        return None
    if state in "ZX" or not words[0]:
        return None
    return Process(pid, tuple(os.fsdecode(word) for word in words), work, state)
