"""Packages of RHEL, Rocky, Alma and Fedora, by rpm and dnf."""

from __future__ import annotations

import re
from typing import Sequence

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.packages import Installed, patiently, run_manager
from omeroadmin.provisioning.agent.running import Done, run

_FORMAT = r"%{NAME}\t%{VERSION}-%{RELEASE}\n"
_LOCKED = 200
"""Exit status of dnf where another one runs and it shall not wait."""
_UNKNOWN = re.compile(r"(?:No match for argument|Unable to find a match): (.+)")


def installed(names: Sequence[str]) -> Installed:
    """Those packages that are installed, by their name or by what they provide."""
    versions: "dict[str, str]" = {}
    for line in run(["rpm", "-q", "--qf", _FORMAT, "--", *names]).output.splitlines():
        name, tab, version = line.partition("\t")
        if tab:
            versions[name] = version
    for name in names:
        if name not in versions:
            done = run(["rpm", "-q", "--qf", r"%{VERSION}-%{RELEASE}\n", "--whatprovides", "--", name])
            if done.status == 0:
                versions[name] = done.output.splitlines()[0]
    return Installed(versions, [])


def all_names() -> "set[str]":
    """Names of all installed packages."""
    return set(run(["rpm", "-qa", "--qf", r"%{NAME}\n"]).output.split())


def install(names: Sequence[str], recommends: bool, wait: float) -> None:
    """Install packages.

    :param wait: seconds to wait for the lock
    :raises HostError: ``host-package-unknown``, ``host-packages-failed``, ``host-packages-locked``
    """
    done = _dnf(wait, f"--setopt=install_weak_deps={recommends}", "install", *names)
    if done.status == 0:
        return
    unknown = sorted({name for line in _UNKNOWN.findall(done.output + done.error_output) for name in line.split()})
    if unknown:
        raise HostError(
            "host-package-unknown",
            f"no repository of this host has the package {', '.join(unknown)}",
            "add the repository that has it, or see how it is called here: dnf search WORD",
        )
    raise HostError("host-packages-failed", f"{', '.join(names)} can't be installed: {done.last_words()}")


def remove(names: Sequence[str], wait: float) -> None:
    """Remove packages and what needs them.

    :raises HostError: ``host-packages-failed``, ``host-packages-locked``
    """
    done = _dnf(wait, "--noautoremove", "remove", *names)
    if done.status != 0:
        raise HostError("host-packages-failed", f"{', '.join(names)} can't be removed: {done.last_words()}")


def _dnf(wait: float, *arguments: str) -> Done:
    command = ["dnf", "--quiet", "--assumeyes", "--setopt=exit_on_lock=True", *arguments]
    return patiently(
        lambda: run_manager(command), lambda done: done.last_words() if done.status == _LOCKED else "", wait
    )
