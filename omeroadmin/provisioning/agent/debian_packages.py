"""Packages of Debian and Ubuntu, by dpkg and APT."""

from __future__ import annotations

import os
import re
import time
from typing import Any, Sequence

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.packages import Installed, newest_time, patiently, run_manager
from omeroadmin.provisioning.agent.running import Done, run

_STATUS = "/var/lib/dpkg/status"
_JOURNAL = "/var/lib/dpkg/updates"
_LISTS = "/var/lib/apt/lists"
_FORMAT = "${Package}\t${Architecture}\t${db:Status-Status}\t${db:Status-Eflag}\t${Version}\t${Provides}\n"
_QUIET = {
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBCONF_NONINTERACTIVE_SEEN": "true",
    "APT_LISTCHANGES_FRONTEND": "none",
    "NEEDRESTART_MODE": "l",
}
# Files that somebody has changed stay as they are: there is nobody to ask.
_KEEP = ("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold")
_LOCKED = re.compile(r"could not get lock|unable to (?:acquire|lock)|lock was locked by another", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"(?:Unable to locate package|Couldn't find any package by \w+) '?([^\s']+)|"
    r"[Pp]ackage '?([^\s']+)'? (?:has no installation candidate|is not available)"
)
_STALE = re.compile(r"failed to fetch|unable to fetch|unable to locate|no installation candidate", re.IGNORECASE)
_seen: "dict[Any, Installed]" = {}
_refreshed: "list[float]" = []


def installed() -> Installed:
    """All packages; asked again when dpkg has changed its database."""
    stamp = tuple((path, newest_time([path])) for path in (_STATUS, _JOURNAL))
    if stamp not in _seen:
        _seen.clear()
        _seen[stamp] = _parse(run(["dpkg-query", "-W", "-f", _FORMAT]).output, _journal_filled())
    return _seen[stamp]


def all_names() -> "set[str]":
    """Names of all packages that are there, whole or not, each with its architecture."""
    found = installed()
    return {name for name in found.versions if ":" in name} | set(found.unfinished)


def _journal_filled() -> bool:
    try:
        return any(name.isdigit() for name in os.listdir(_JOURNAL))
    except OSError:
        return False


def _parse(text: str, broken_off: bool) -> Installed:
    versions: "dict[str, str]" = {}
    provided: "dict[str, str]" = {}
    unfinished = ["dpkg"] if broken_off else []
    for line in text.splitlines():
        name, architecture, status, flag, version, provides = line.split("\t", 5)
        if status == "installed" and flag == "ok":
            versions[name] = versions[f"{name}:{architecture}"] = version
            for entry in provides.split(","):
                provided.setdefault(entry.partition("(")[0].strip(), version)
        elif status not in {"not-installed", "config-files"}:
            unfinished.append(name)
    provided.pop("", None)
    return Installed({**provided, **versions}, sorted(unfinished))


def repair(wait: float) -> None:
    """Finish what an earlier run of dpkg was interrupted in.

    :raises HostError: ``host-packages-broken``, ``host-packages-locked``
    """
    # Where packages miss others that they need, only APT can go on.
    _patiently(["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"], wait)
    done = _patiently(_apt("--fix-broken", "--no-remove", "install"), wait)
    if done.status != 0:
        raise HostError(
            "host-packages-broken",
            f"an interrupted installation can't be finished: {_reason(done)}",
            "see what is wrong: dpkg --audit",
        )


def install(names: Sequence[str], recommends: bool, lists_age: float, wait: float) -> None:
    """Install packages, with fresh lists where theirs are missing, old or don't lead to the packages.

    :param lists_age: seconds after which lists are old
    :param wait: seconds to wait for APT's locks
    :raises HostError: ``host-package-unknown``, ``host-packages-failed``, ``host-packages-locked``
    """
    if _lists_older_than(lists_age):
        _refresh(wait)
    option = "--install-recommends" if recommends else "--no-install-recommends"
    command = _apt(option, "install", "--", *names)
    done = _patiently(command, wait)
    if done.status != 0 and not _refreshed and _STALE.search(done.error_output):
        _refresh(wait)
        done = _patiently(command, wait)
    if done.status != 0:
        raise _failure(names, done)


def remove(names: Sequence[str], wait: float) -> None:
    """Remove packages; their configuration and data stay.

    :raises HostError: ``host-packages-failed``, ``host-packages-locked``
    """
    done = _patiently(_apt("remove", "--", *names), wait)
    if done.status != 0:
        raise HostError("host-packages-failed", f"{', '.join(names)} can't be removed: {_reason(done)}")


def _apt(*arguments: str) -> "list[str]":
    return ["apt-get", "--quiet", "--yes", *_KEEP, *arguments]


def _patiently(command: Sequence[str], wait: float) -> Done:
    return patiently(lambda: run_manager(command, _QUIET), _lock_words, wait)


def _lock_words(done: Done) -> str:
    return next((line.strip() for line in done.error_output.splitlines() if _LOCKED.search(line)), "")


def _lists_older_than(age: float) -> bool:
    if _refreshed:
        return False
    stamp = newest_time([_LISTS, os.path.join(_LISTS, "partial"), "/var/lib/apt/periodic/update-success-stamp"])
    try:
        empty = not any(name.endswith(("_Packages", "_Packages.lz4", "InRelease")) for name in os.listdir(_LISTS))
    except OSError:
        empty = True
    return empty or time.time() - stamp > age


def _refresh(wait: float) -> None:
    """Fetch the lists, once in a run; where that fails, those that are there are used."""
    _refreshed.append(time.monotonic())
    done = _patiently(["apt-get", "--quiet", "update"], wait)
    if done.status == 0 and os.path.isdir(_LISTS):
        os.utime(_LISTS)


def _failure(names: Sequence[str], done: Done) -> HostError:
    unknown = sorted({first or second for first, second in _UNKNOWN.findall(done.error_output)})
    if unknown:
        return HostError(
            "host-package-unknown",
            f"no repository of this host has the package {', '.join(unknown)}",
            "add the repository that has it, or see how it is called here: apt-cache search WORD",
        )
    return HostError("host-packages-failed", f"{', '.join(names)} can't be installed: {_reason(done)}")


def _reason(done: Done) -> str:
    """The line that says why: APT's last one only says that dpkg had an error."""
    lines = [line.strip() for line in (done.output + "\n" + done.error_output).splitlines()]
    for sign in ("No space left", "Read-only file system", "dpkg: error", "dpkg: unrecoverable", "E: "):
        for line, following in zip(lines, [*lines[1:], ""]):
            if sign in line and "Sub-process" not in line:
                return f"{line} {following}" if line.endswith(":") else line
    return done.last_words()
