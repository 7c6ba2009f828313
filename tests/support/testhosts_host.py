"""One test host: a root file system, an address and processes of its own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from omeroadmin.system.clock import wait_until
from tests.support import testhosts_digest
from tests.support.testhosts_debian import BASE, LISTED, OFFERED_PACKAGES, OLD_PYTHON, POOL
from tests.support.testhosts_network import ip
from tests.support.testhosts_parts import require_part
from tests.support.testhosts_wheels import OFFERED_WHEELS

_SCRIPTS = Path(__file__).resolve().parent
_CLEAN = ("env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
          "DEBIAN_FRONTEND=noninteractive")  # fmt: skip
_SPARE = "var/spare"
_PLENTY_BYTES = 8 << 30
_IN_MEMORY = "4g"


def _default_size() -> str:
    """Memory is faster to write and to throw away than a disk, where there is enough of it."""
    return _IN_MEMORY if psutil.virtual_memory().available > _PLENTY_BYTES else ""


@dataclass(frozen=True)
class Wanted:
    """How a host is to be.

    :param name: what other hosts and the inventory call it
    :param python: ``3.11``, ``3.9`` or ``none``
    :param size: room for what it changes, e.g. ``64m``; without it enough
    """

    name: str
    python: str = "3.11"
    size: str = ""


@dataclass
class SiteHost:
    """A host that runs, or is switched off.

    :param address: the one that the test and other hosts reach
    :param port: its end of the cable at the bridge
    :param directory: of the test, for what the host changes
    """

    wanted: Wanted
    address: str
    port: str
    directory: Path
    dist: Path
    _holder: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _first: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.wanted.name

    @property
    def root(self) -> Path:
        """Its root file system, seen from the test; links in it that begin with ``/`` lead out of it."""
        return self._seen(self.directory / "root")

    @property
    def layer(self) -> Path:
        """All that it has changed on its disk, as files; what it has removed is a device there."""
        return self._seen(self.directory / "layers") / "upper"

    def create(self, bridge: str) -> None:
        """Make disk, network and cable; it is switched off."""
        lower = f"{require_part(OFFERED_PACKAGES) / LISTED}:{require_part(BASE)}"
        if self.wanted.python == "3.9":
            lower = f"{require_part(OLD_PYTHON)}:{lower}"
        for name in ("layers", "root"):
            (self.directory / name).mkdir(parents=True)
        script = ["/bin/sh", str(_SCRIPTS / "testhosts_disk.sh"), lower, str(self.directory / "layers")]
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--uts", "--mount", "--propagation=private", "--", *script,
             str(self.directory / "root"), self.wanted.size or _default_size(), self.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"ready\n":
            words = self._holder.communicate(timeout=20)[1].decode(errors="replace")
            raise RuntimeError(f"no test host here: {words.strip()}")
        pid = str(self._holder.pid)
        ip("link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", pid)
        ip("link", "set", self.port, "master", bridge, "up")
        if self.wanted.python == "none":
            for path in self.root.glob("usr/bin/python3*"):
                path.unlink()

    def start(self) -> None:
        """Switch it on; :meth:`wait` says when it can be reached."""
        assert self._holder is not None
        parts = [str(require_part(OFFERED_PACKAGES) / POOL), str(require_part(OFFERED_WHEELS))]
        self._first = subprocess.Popen(
            ["nsenter", f"--target={self._holder.pid}", "--net", "--uts", "--mount", "--",
             "unshare", "--pid", "--ipc", "--mount", "--fork", "--kill-child=KILL", "--",
             "/bin/bash", str(_SCRIPTS / "testhosts_boot.sh"), str(self.directory / "root"), self.address, *parts,
             str(self.dist)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=(self.directory / "boot.log").open("wb"),
        )  # fmt: skip

    def wait(self) -> None:
        """Wait until its sshd answers."""
        assert self._first is not None
        first = self._first
        assert wait_until(lambda: first.poll() is not None or self.answers(), timeout=60), self._boot_log()
        assert first.poll() is None, self._boot_log()

    def answers(self) -> bool:
        """Whether its sshd does."""
        try:
            with socket.create_connection((self.address, 22), timeout=1) as line:
                return line.recv(4) == b"SSH-"
        except OSError:
            return False

    @property
    def inside(self) -> tuple[str, ...]:
        """What runs a program on it, as root, without SSH."""
        spaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--root")
        return ("nsenter", f"--target={self.first_pid}", *spaces, "--wdns=/", "--")

    def run(
        self, *command: str, account: str = "root", check: bool = True, timeout: float = 120, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on it, without SSH.

        :param account: who runs it
        :param check: whether it must succeed
        :param timeout: in seconds
        """
        arguments = [*_CLEAN, *command]
        if account != "root":
            arguments = ["runuser", "-u", account, "--", *arguments]
        more = {"stdin": subprocess.DEVNULL, **more} if "input" not in more else more
        done = subprocess.run(
            [*self.inside, *arguments], capture_output=True, text=True, timeout=timeout, check=False, **more
        )
        if check:
            assert done.returncode == 0, f"{self.name}: {command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def link(self, state: str) -> None:
        """Pull the cable out or put it in again.

        :param state: ``down`` or ``up``
        """
        ip("link", "set", self.port, state)

    def hide_from(self, address: str) -> None:
        """Don't answer an address any more, e.g. the test's, so that the way leads over another host."""
        self.run("ip", "route", "replace", "blackhole", f"{address}/32")

    def changes(self) -> dict[str, str]:
        """What it has changed on its disk, by path; see :mod:`tests.support.testhosts_digest`."""
        return testhosts_digest.changes(self.layer)

    def checksum(self) -> str:
        """A digest of all that it has changed on its disk."""
        return hashlib.sha256(repr(sorted(self.changes().items())).encode()).hexdigest()

    def fill_disk(self) -> None:
        """Use up the disk, which must have a size, to the last byte."""
        assert self.wanted.size, f"{self.name} has all the disk that there is"
        with (self.root / _SPARE).open("wb", buffering=0) as stream, contextlib.suppress(OSError):
            while stream.write(bytes(4096)):
                pass

    def empty_disk(self) -> None:
        """Make room again."""
        (self.root / _SPARE).unlink()

    def set_read_only(self, *, read_only: bool = True) -> None:
        """Make its disk one that can't be written, or one that can; nothing may be writing just then."""
        state = "ro" if read_only else "rw"
        subprocess.run(
            ["nsenter", f"--target={self.first_pid}", "--mount", "--root", "--wdns=/", "--",
             "mount", "-o", f"remount,{state}", "/"], check=True, timeout=20,
        )  # fmt: skip

    def kill(self) -> None:
        """Switch it off as a power cut does; :meth:`start` switches it on again, with the same disk."""
        if self._first is None:
            return
        first = os.pidfd_open(self.first_pid)
        try:
            self._first.kill()
            self._first.communicate(timeout=20)
            # All that ran on it has ended when its first process has.
            assert select.select([first], [], [], 20)[0], f"{self.name} is still on"
        finally:
            os.close(first)
        self._first = None

    def remove(self) -> None:
        """End it and remove what it has written."""
        if self._first is not None and self._first.poll() is None:
            self.kill()
        if self._holder is not None:
            self._holder.communicate(b"\n", timeout=20)
            self._holder = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def _seen(self, path: Path) -> Path:
        assert self._holder is not None, f"{self.name} doesn't exist"
        return Path(f"/proc/{self._holder.pid}/root{path.resolve()}")

    @property
    def first_pid(self) -> int:
        """Its first process, as the test sees it."""
        assert self._first is not None, f"{self.name} is switched off"
        assert self._first.poll() is None, self._boot_log()
        pid = self._first.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def _boot_log(self) -> str:
        return f"{self.name} doesn't start: {(self.directory / 'boot.log').read_text(errors='replace')}"
