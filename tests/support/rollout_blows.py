"""What may happen in the middle of a roll-out."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from tests.support.testhosts import SiteHost

_AGENT = b"import base64;exec(base64"


def agents(host: SiteHost) -> list[int]:
    """Processes of agents on a host."""
    return [pid for pid, words in _processes(host) if words[0].endswith(b"python3") and any(map(_is_agent, words))]


def ssh_sessions(host: SiteHost) -> list[int]:
    """Processes of sshd that pass on what agents and controllers say."""
    return [pid for pid, words in _processes(host) if words[0].startswith(b"sshd: ") and b"@" in words[0]]


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to processes that may have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _is_agent(word: bytes) -> bool:
    return word.startswith(_AGENT)


def _processes(host: SiteHost) -> list[tuple[int, list[bytes]]]:
    """Processes of a host: those in its own network."""
    own = Path(f"/proc/{host.first_pid}/ns/net").readlink()
    found = []
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and Path(entry.path, "ns/net").readlink() == own:
                found.append((int(entry.name), Path(entry.path, "cmdline").read_bytes().split(b"\0")))
    return found
