"""The cable that a site's hosts and the test are on: a bridge in the test's own network namespace."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from pathlib import Path

_BRIDGE, _PORT = "omb", "omp"


def ip(*arguments: str) -> str:
    """Configure the network.

    :return: what ``ip`` prints; RuntimeError with its words where it refuses
    """
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False, timeout=20)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


class Bridge:
    """A cable with an address of the test's on it.

    Its name says whose it is: a run that was killed can't remove its own, and the next one does.
    """

    def __init__(self) -> None:
        _remove_orphans()
        self._mark = secrets.token_hex(2)
        self.name = f"{_BRIDGE}{os.getpid()}{self._mark}"
        self._net = f"10.88.{secrets.randbelow(256)}"
        self.address = f"{self._net}.1"
        ip("link", "add", self.name, "type", "bridge")
        ip("address", "add", f"{self.address}/24", "dev", self.name)
        ip("link", "set", self.name, "up")

    def host(self, number: int) -> tuple[str, str]:
        """The address of a host, and the name of its port.

        :param number: from 0
        """
        return f"{self._net}.{11 + number}", f"{_PORT}{self._mark}{number}"

    def remove(self) -> None:
        """Take it away; the ports go with the hosts."""
        subprocess.run(["ip", "link", "delete", self.name], capture_output=True, check=False, timeout=20)


def _remove_orphans() -> None:
    for link in json.loads(ip("-json", "link", "show", "type", "bridge") or "[]"):
        name = str(link.get("ifname", ""))
        owner = name.removeprefix(_BRIDGE)[:-4]
        if name.startswith(_BRIDGE) and owner.isdigit() and not Path(f"/proc/{owner}").exists():
            ip("link", "delete", name)
