"""Three tools that make hosts what the files of rollout_site say: ours, Ansible and pyinfra, as users start them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.support.profiles import INSTALLED
from tests.support.testhosts import ADMIN, Site

SITE = Path(__file__).resolve().parent / "rollout_site"
FORKS = 20
_PYINFRA = "pyinfra==3.10.0"
"""In an environment of its own: it wants another paramiko than we do."""
_PYINFRA_HOME = Path(sys.prefix, "pyinfra")
_PATIENCE = 1200


class Tool(Protocol):
    """What can be measured of all of them."""

    @property
    def name(self) -> str:
        """For the table."""

    def prepare(self, site: Site, directory: Path) -> None:
        """Write the inventory and the configuration."""

    def apply(self, site: Site, names: Sequence[str]) -> Applied:
        """Make these hosts what they are to be."""


@dataclass(frozen=True)
class Applied:
    """A run that succeeded.

    :param changed: whether it changed anything, as it says itself
    """

    seconds: float
    changed: bool


class Omero:
    """``omero hosts apply``."""

    name = "omero hosts apply"

    def prepare(self, site: Site, directory: Path) -> None:
        """Nothing but the inventory."""
        self._inventory = site.inventory(directory / "hosts.yml")

    def apply(self, site: Site, names: Sequence[str]) -> Applied:
        """Its exit status tells of changes."""
        done, seconds = _run(
            site, [INSTALLED, "hosts", "apply", "ours.yml", "-i", str(self._inventory), "--limit", ",".join(names),
                   "--yes", "--forks", str(FORKS), "--detailed-exitcode"], allowed=(0, 8)
        )  # fmt: skip
        return Applied(seconds, done.returncode != 0)


class Ansible:
    """Ansible, with pipelining, and connections that it keeps for a minute, as it does by itself."""

    name = "ansible-playbook"

    def prepare(self, site: Site, directory: Path) -> None:
        """Its inventory, and a configuration with what makes it fast."""
        hosts = "".join(f"{host.name} ansible_host={host.address}\n" for host in site)
        inventory = directory / "hosts.ini"
        variables = f"ansible_user={ADMIN}\nansible_ssh_common_args=-F {site.home}/.ssh/config\n"
        inventory.write_text(f"[all]\n{hosts}[all:vars]\n{variables}")
        self._configuration = directory / "ansible.cfg"
        # The path of a socket must be short.
        self._configuration.write_text(
            f"[defaults]\ninventory = {inventory}\nforks = {FORKS}\n"
            f"[ssh_connection]\npipelining = True\ncontrol_path_dir = {directory}/cp\n"
        )

    def apply(self, site: Site, names: Sequence[str]) -> Applied:
        """Its recap tells of changes."""
        done, seconds = _run(
            site,
            ["ansible-playbook", "ansible.yml", "--limit", ",".join(names)],
            ANSIBLE_CONFIG=str(self._configuration),
        )
        changes = re.findall(r"\bchanged=(\d+)", done.stdout)
        assert len(changes) == len(names), done.stdout
        return Applied(seconds, any(map(int, changes)))


class Pyinfra:
    """pyinfra from PyPI; it works on all hosts at the same time."""

    name = "pyinfra"

    def prepare(self, site: Site, directory: Path) -> None:
        """Its inventory is a program."""
        data = {
            "ssh_user": ADMIN,
            "ssh_key": str(site.home / ".ssh/id_ed25519"),
            "ssh_known_hosts_file": str(site.home / ".ssh/known_hosts"),
            "_sudo": True,
        }
        self._inventory = directory / "inventory.py"
        self._inventory.write_text(f"hosts = {[(host.address, data) for host in site]!r}\n")

    def apply(self, site: Site, names: Sequence[str]) -> Applied:
        """Its table ends with operations, and how many changed something."""
        limits = [word for name in names for word in ("--limit", site[name].address)]
        done, seconds = _run(
            site, [str(_PYINFRA_HOME / "bin/pyinfra"), "--yes", *limits, str(self._inventory), "deploy.py"]
        )
        total = re.search(r"Grand total +(\d+) +(\d+|-) ", done.stderr + done.stdout)
        assert total is not None, done.stderr
        return Applied(seconds, total[2] != "-")


def _run(
    site: Site, command: list[str], *, allowed: tuple[int, ...] = (0,), **more: str
) -> tuple[subprocess.CompletedProcess[str], float]:
    environment = {
        name: text for name, text in site.environment.items() if not name.startswith(("COVERAGE", "PYTHON", "ANSIBLE"))
    }
    began = time.perf_counter()
    done = subprocess.run(
        command, env={**environment, **more}, cwd=SITE, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=_PATIENCE,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    assert done.returncode in allowed, f"{command}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done, seconds


def tools(*, peers: bool) -> tuple[list[Tool], list[str]]:
    """All that can be had on this machine, ours first.

    :return: them, and a line for each that can't be had
    """
    found: list[Tool] = [Omero()]
    missing: list[str] = []
    if not peers:
        return found, missing
    if _has_ansible():
        found.append(Ansible())
    else:
        missing.append("Ansible isn't measured: ansible-playbook is missing (Debian: ansible-core)")
    problem = _pyinfra_problem()
    if problem:
        missing.append(f"pyinfra isn't measured: {problem}")
    else:
        found.append(Pyinfra())
    return found, missing


def versions(measured: Sequence[Tool]) -> str:
    """Which versions of others' programs these are."""
    found = []
    for tool in measured:
        if isinstance(tool, Ansible):
            found.append(subprocess.run(["ansible", "--version"], capture_output=True, text=True, check=True).stdout)
        if isinstance(tool, Pyinfra):
            found.append(_PYINFRA)
    return ", ".join(text.splitlines()[0] for text in found)


def _has_ansible() -> bool:
    if shutil.which("ansible-playbook") is None:
        install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", "ansible-core"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(install, env=environment, capture_output=True, check=False)
    return shutil.which("ansible-playbook") is not None


def _pyinfra_problem() -> str:
    """Install it where it isn't; why it can't be had, or nothing."""
    if (_PYINFRA_HOME / "bin/pyinfra").exists():
        return ""
    python = str(_PYINFRA_HOME / "bin/python")
    for command in ([sys.executable, "-m", "venv", str(_PYINFRA_HOME)], [python, "-m", "pip", "install", _PYINFRA]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(_PYINFRA_HOME, ignore_errors=True)
            return done.stderr.strip().splitlines()[-1]
    return ""
