"""One writer at a time where there are files only: a lock file that says who made it, and is kept fresh.

A lock is stale if its maker ran on this machine and has ended, or if it hasn't been refreshed for a while. Ages are
told by the clock of the other side alone.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omeroadmin.backups.engines.remote_files import RemoteFiles
from omeroadmin.errors import AdminError, failed_error, locked_error
from omeroadmin.system.clock import utc_stamp, wait_until

REFRESH = 30.0
"""Seconds between two refreshments."""
_STALE = 600.0
"""Seconds without a refreshment after which a lock of another machine counts no more."""
_UNWRITTEN = 5.0
"""Seconds after which an empty lock counts no more: its maker was killed between making and writing it. One that was
only slow finds out by :meth:`RemoteLock.require`."""


class RemoteLock:
    """A lock file in a directory of another host.

    :param path: of the lock file there
    """

    def __init__(self, remote: RemoteFiles, path: str) -> None:
        self._remote = remote
        self._path = path
        self._content = b""
        self._ended = threading.Event()

    @contextlib.contextmanager
    def held(self, *, timeout: float) -> Iterator[None]:
        """Hold the lock for the length of the block.

        :param timeout: seconds to queue
        :raises AdminError: ``locked``, ``backup-not-written``
        """
        self._content = json.dumps({**this_process(), "nonce": secrets.token_hex(8), "since": utc_stamp()}).encode()
        if not wait_until(self._try, timeout=timeout, longest_pause=0.5):
            raise self._refusal(timeout)
        self._ended.clear()
        refresher = threading.Thread(target=self._refresh, name="lock", daemon=True)
        refresher.start()
        try:
            yield
        finally:
            self._ended.set()
            refresher.join()
            # The lock of a process that is cut off goes stale.
            with contextlib.suppress(AdminError):
                self._release()

    def require(self) -> None:
        """Make sure that nobody took the lock for stale, before something is published.

        :raises AdminError: ``lock-lost``
        """
        if self._read() != self._content:
            raise failed_error(
                "lock-lost",
                f"{self._remote.shown(self._path)} was taken by another process, which found it stale",
                "run it again",
            )

    def _try(self) -> bool:
        try:
            self._remote.create(self._path, [self._content])
        except AdminError as error:
            if error.code != "backup-not-written" or not self._remote.exists(self._path):
                raise
        else:
            return True
        content = self._read()
        if content is not None and self._is_stale(content):
            self._take_away(content)
        return False

    def _is_stale(self, content: bytes) -> bool:
        if not content:
            return _age(self._remote, self._path) > _UNWRITTEN
        return is_stale(self._remote, self._path, content)

    def _take_away(self, content: bytes) -> None:
        """Take a stale lock away; should it be another one by now, it is put back."""
        aside = f"{self._path}.{secrets.token_hex(8)}"
        with contextlib.suppress(FileNotFoundError):
            self._remote.rename(self._path, aside)
            if self._remote.read(aside) == content:
                self._remote.remove(aside)
            else:
                self._remote.rename(aside, self._path)

    def _refresh(self) -> None:
        while not self._ended.wait(REFRESH):
            # It is tried again; should it never succeed, the lock goes stale and require() says so.
            with contextlib.suppress(AdminError, FileNotFoundError):
                if self._read() == self._content:
                    self._remote.overwrite(self._path, self._content)

    def _release(self) -> None:
        if self._read() == self._content:
            self._remote.remove(self._path)

    def _read(self) -> bytes | None:
        try:
            return self._remote.read(self._path)
        except FileNotFoundError:
            return None

    def _refusal(self, timeout: float) -> AdminError:
        holder = holder_text(read_document(self._read() or b""))
        return locked_error(
            "locked",
            f"{self._remote.shown(self._path)} is held by {holder} (waited {timeout:g} s)",
            f"a lock that isn't refreshed for {_STALE / 60:g} minutes is taken away by itself",
        )


def is_stale(remote: RemoteFiles, path: str, content: bytes) -> bool:
    """Whether what a process has left there to be seen counts no more.

    :param path: its file
    :param content: of the file
    """
    return has_ended(content) or _age(remote, path) > _STALE


def _age(remote: RemoteFiles, path: str) -> float:
    """Seconds since a file was refreshed, by the clock of the other side."""
    probe = f"{path}.{secrets.token_hex(8)}"
    remote.create(probe, [b"now"])
    try:
        return remote.modified(probe) - remote.modified(path)
    except FileNotFoundError:
        return 0.0
    finally:
        remote.remove(probe)


def holder_text(document: Mapping[str, Any]) -> str:
    """Words for whoever made a lock or a mark."""
    who = f"{document.get('user', 'somebody')} on {document.get('host', 'an unknown host')}"
    return f"process {document.get('pid', '?')} of {who} since {document.get('since', '?')}"


def this_process() -> dict[str, Any]:
    """What tells this process from all others, on this machine and elsewhere."""
    return {
        "host": socket.gethostname(),
        "user": getpass.getuser(),
        "pid": os.getpid(),
        "began": _began(os.getpid()),
        **_machine(),
    }


def has_ended(content: bytes) -> bool:
    """Whether a lock was made by a process of this machine that runs no more."""
    holder = read_document(content)
    machine = _machine()
    if not machine["machine"] or holder.get("machine") != machine["machine"]:
        return False
    if holder.get("boot") != machine["boot"]:
        return True
    pid = holder.get("pid")
    if holder.get("processes") != machine["processes"] or not isinstance(pid, int):
        return False
    return _began(pid) != holder.get("began")


def _machine() -> dict[str, str]:
    return {
        "machine": _text("/etc/machine-id"),
        "boot": _text("/proc/sys/kernel/random/boot_id"),
        "processes": _link("/proc/self/ns/pid"),
    }


def _began(pid: int) -> str:
    """When a process began, in ticks since the machine did; empty if there is none."""
    # The name, in brackets, may hold anything.
    return "".join(_text(f"/proc/{pid}/stat").rpartition(")")[2].split()[19:20])


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


def read_document(content: bytes) -> dict[str, Any]:
    """What a lock or a mark says; nothing where it can't be read."""
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
