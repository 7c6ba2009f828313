"""What a run leaves on a host for the next one: the lock, pending triggers, how to take changes back."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from typing import Any, Iterator

from omeroadmin.provisioning.agent import orphans
from omeroadmin.provisioning.agent.change import HostError, Undo
from omeroadmin.provisioning.agent.files import read_whole, write_whole

KEPT_RUNS = 50
"""Runs that can be taken back."""
_LOST_AFTER = 40.0
"""Seconds after which a holder whose controller is gone is sure to have ended: longer than the agent waits for it."""


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
        """Take the lock; wait only where the holder has lost its controller and is about to end.

        :raises HostError: ``host-locked``, ``host-program-left``
        """
        if self._descriptor >= 0:
            return
        make_state_directory()
        descriptor = os.open(_lock_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        deadline = time.monotonic() + _LOST_AFTER
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if self._holder_lives(descriptor) or time.monotonic() > deadline:
                    words = _holder(descriptor)
                    os.close(descriptor)
                    raise HostError(
                        "host-locked", f"another run is at work here: {words}", "wait for its end"
                    ) from None
                time.sleep(0.2)
        try:
            orphans.await_end(_program_path())
        except HostError:
            os.close(descriptor)
            raise
        orphans.note_programs(_program_path())
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"run": run, "who": who, "since": int(time.time())}).encode(), 0)

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

    @staticmethod
    def _holder_lives(descriptor: int) -> bool:
        # Its controller speaks every 5 seconds.
        return time.time() - os.fstat(descriptor).st_mtime < 12


def _holder(descriptor: int) -> str:
    with contextlib.suppress(ValueError):
        holder = json.loads(os.pread(descriptor, 4096, 0))
        since = time.strftime("%H:%M:%S", time.localtime(holder["since"]))
        return f"run {holder['run']} of {holder['who']}, since {since}"
    return "it didn't say whose"


def _pending_path() -> str:
    return os.path.join(state_directory(), "pending.json")


def pending_triggers() -> list[str]:
    """Identifiers of triggered operations that an earlier run did not get to."""
    content = read_whole(_pending_path())
    with contextlib.suppress(ValueError):
        return [str(name) for name in json.loads(content or b"[]")]
    return []


def add_pending(names: list[str]) -> None:
    """Note triggers before the change that pulls them."""
    _write_pending(sorted({*pending_triggers(), *names}))


def drop_pending(name: str) -> None:
    """Note that a triggered operation has been carried out."""
    present = pending_triggers()
    if name in present:
        _write_pending([other for other in present if other != name])


def _write_pending(names: list[str]) -> None:
    make_state_directory()
    write_whole(_pending_path(), json.dumps(names).encode(), 0o600)


def _run_path(run: str) -> str:
    if not run.replace("-", "").isalnum():
        raise HostError("host-run-invalid", f"{run!r} is not the name of a run")
    return os.path.join(state_directory(), "runs", f"{run}.jsonl")


def record_undo(run: str, stage: str, kind: str, record: Undo) -> None:
    """Remember how a change is taken back."""
    make_state_directory()
    line = json.dumps({"stage": stage, "kind": kind, "undo": record}) + "\n"
    descriptor = os.open(_run_path(run), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
