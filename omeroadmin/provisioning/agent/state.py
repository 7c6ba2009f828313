"""What a run leaves on a host for the next one: the lock, pending triggers, how to take changes back."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from typing import Any, Iterator

from omeroadmin.provisioning.agent import orphans
from omeroadmin.provisioning.agent.change import HostError, Undo, system_failure
from omeroadmin.provisioning.agent.files import read_whole, write_whole

KEPT_RUNS = 50
"""Runs that can be taken back."""
_LOST_AFTER = 40.0
"""Seconds that a holder without a controller gets for its end: longer than it waits for a word."""


def state_directory() -> str:
    """Where root's runs keep their state, else those of another user."""
    if os.geteuid() == 0:
        return "/var/lib/omeroadmin"
    return os.path.join(os.path.expanduser("~"), ".local", "state", "omeroadmin")


def _lock_path() -> str:
    if os.geteuid() == 0:
        return "/run/omeroadmin-agent.lock"
    return os.path.join(state_directory(), "agent.lock")


def _program_path() -> str:
    return os.path.join(state_directory(), "program")


def make_state_directory() -> str:
    """Create the directory, for its owner only."""
    directory = state_directory()
    os.makedirs(os.path.join(directory, "runs"), mode=0o700, exist_ok=True)
    os.chmod(directory, 0o700)
    return directory


class HostLock:
    """One run at a time changes a host."""

    def __init__(self) -> None:
        self._descriptor = -1

    def take(self, run: str, who: str) -> None:
        """Take the lock; wait where the holder has lost its controller and is about to end.

        A holder whose controller is there hears it every 5 seconds: that long it takes to be turned away.

        :raises HostError: ``host-locked``, ``host-program-left``
        """
        if self._descriptor >= 0:
            return
        make_state_directory()
        descriptor = os.open(_lock_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _await_turn(descriptor)
        except HostError:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"run": run, "who": who, "since": int(time.time())}).encode(), 0)
        self._descriptor = descriptor
        try:
            orphans.await_end(_program_path())
        except HostError:
            self.release()
            raise
        orphans.note_programs(_program_path())

    @property
    def held(self) -> bool:
        """Whether it has been taken."""
        return self._descriptor >= 0

    def heard(self) -> None:
        """Note that the controller is there."""
        if self._descriptor >= 0:
            os.utime(self._descriptor)

    def release(self) -> None:
        """Let the next run in."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1


def _await_turn(descriptor: int) -> None:
    """Wait for the lock until its holder is seen to hear its controller.

    :raises HostError: ``host-locked``
    """
    first = os.fstat(descriptor).st_mtime_ns
    deadline = time.monotonic() + _LOST_AFTER
    while not _lock(descriptor):
        found = os.fstat(descriptor)
        # Empty, it is just being released.
        lives = found.st_size > 0 and found.st_mtime_ns != first
        if lives or time.monotonic() > deadline:
            words = f"another run is at work here: {_holder(descriptor)}"
            raise HostError("host-locked", words, "wait for its end")
        time.sleep(0.2)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    with contextlib.suppress(ValueError):
        holder = json.loads(os.pread(descriptor, 4096, 0))
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(holder["since"]))
        return f"run {holder['run']} of {holder['who']}, since {since}"
    return "it didn't say whose"


def _pending_path() -> str:
    return os.path.join(state_directory(), "pending.json")


def pending_triggers() -> list[str]:
    """Identifiers of triggered operations that an earlier run did not get to."""
    return sorted({name for name, _, _ in _read_pending()})


def add_pending(names: list[str], run: str, stage: str) -> None:
    """Note triggers before the change that pulls them.

    :param run: the run that pulls them, and its stage
    """
    present = _read_pending()
    known = {name for name, _, _ in present}
    _write_pending([*present, *((name, run, stage) for name in names if name not in known)])


def drop_pending(name: str) -> None:
    """Note that a triggered operation has been carried out."""
    present = _read_pending()
    left = [entry for entry in present if entry[0] != name]
    if left != present:
        _write_pending(left)


def drop_pending_of(run: str, stages: list[str]) -> None:
    """Forget the triggers that a run pulled: its changes have been taken back.

    :param stages: those of these stages only; all where the list is empty
    """
    present = _read_pending()
    left = [entry for entry in present if entry[1] != run or (stages and entry[2] not in stages)]
    if left != present:
        _write_pending(left)


def _read_pending() -> list[tuple[str, str, str]]:
    content = read_whole(_pending_path())
    with contextlib.suppress(ValueError):
        return [(str(name), str(run), str(stage)) for name, run, stage in json.loads(content or b"[]")]
    return []


def _write_pending(entries: list[tuple[str, str, str]]) -> None:
    make_state_directory()
    write_whole(_pending_path(), json.dumps(entries).encode(), 0o600)


def _run_path(run: str) -> str:
    if not run.replace("-", "").isalnum():
        raise HostError("host-run-invalid", f"{run!r} is not the name of a run")
    return os.path.join(state_directory(), "runs", f"{run}.jsonl")


def record_undo(run: str, stage: str, kind: str, record: Undo) -> None:
    """Remember how a change is taken back.

    :raises HostError: ``host-file-not-written``
    """
    path = _run_path(run)
    line = json.dumps({"stage": stage, "kind": kind, "undo": record}).encode() + b"\n"
    try:
        make_state_directory()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            if os.write(descriptor, line) < len(line):
                # The next line must not be taken for the rest of this one.
                os.ftruncate(descriptor, end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise system_failure("written", path, error) from error


def undo_records(run: str, stages: list[str]) -> Iterator[dict[str, Any]]:
    """What takes back the changes of a run, last first.

    :param stages: those of these stages only; all where the list is empty
    """
    lines = (read_whole(_run_path(run)) or b"").splitlines()
    for line in reversed(lines):
        with contextlib.suppress(ValueError):
            record = json.loads(line)
            if not stages or record["stage"] in stages:
                yield record


def forget_run(run: str, stages: list[str]) -> None:
    """Drop what would take a run back.

    :param stages: of these stages only; of all where the list is empty
    """
    path = _run_path(run)
    left = []
    for line in (read_whole(path) or b"").splitlines(keepends=True) if stages else ():
        with contextlib.suppress(ValueError):
            if json.loads(line)["stage"] not in stages:
                left.append(line)
    if left:
        write_whole(path, b"".join(left), 0o600)
        return
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def drop_old_runs(run: str) -> bool:
    """Where a run is a new one, make room for it: what takes the oldest ones back goes.

    :return: whether anything went
    """
    if os.path.exists(_run_path(run)):
        return False
    directory = os.path.join(state_directory(), "runs")
    # Their names begin with the time.
    old = sorted(name for name in os.listdir(directory) if name.endswith(".jsonl"))[: -(KEPT_RUNS - 1)]
    for name in old:
        os.unlink(os.path.join(directory, name))
    return bool(old)
