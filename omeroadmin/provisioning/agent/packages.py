"""The package managers of a host: what is installed, and how more comes or goes."""

from __future__ import annotations

import os
import time
from typing import Callable, NamedTuple, Sequence

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.running import Done, find_program, run

INSTALL_TIMEOUT = 1800.0
"""Seconds in which packages are fetched and set up."""
_RETRY = 2.0


class Installed(NamedTuple):
    """What a package database says.

    :param versions: by name, of what is whole
    :param unfinished: names whose installation or removal was broken off
    """

    versions: "dict[str, str]"
    unfinished: "list[str]"


def package_family() -> str:
    """``debian`` or ``redhat``, by the programs that are there.

    :raises HostError: ``host-packages-unknown``
    """
    for program, family in (("dpkg-query", "debian"), ("rpm", "redhat")):
        if find_program(program):
            return family
    raise HostError(
        "host-packages-unknown",
        "there is neither dpkg nor rpm on this host: packages can't be installed",
        "install them by hand and leave the stage out: --skip-tags packages",
    )


def patiently(act: Callable[[], Done], lock_words: Callable[[Done], str], wait: float) -> Done:
    """Do something as often as another program holds the lock of the package manager.

    :param lock_words: says what a failure tells of the lock; nothing, if it was another one
    :param wait: seconds after which it is given up
    :raises HostError: ``host-packages-locked``
    """
    deadline = time.monotonic() + wait
    while True:
        done = act()
        words = lock_words(done) if done.status != 0 else ""
        if not words:
            return done
        if time.monotonic() >= deadline:
            raise HostError(
                "host-packages-locked",
                f"another program has held the package manager's lock for {wait:g} seconds: {words}",
                "wait until it is done, or see what it is: ps aux | grep -e apt -e dpkg -e dnf",
            )
        time.sleep(_RETRY)


def run_manager(arguments: Sequence[str], environment: "dict[str, str] | None" = None) -> Done:
    """Run a package manager, as long as it may take."""
    return run(arguments, timeout=INSTALL_TIMEOUT, environment=environment)


def newest_time(paths: Sequence[str]) -> float:
    """When the youngest of some paths was changed, in seconds; 0 where none exists."""
    return max((os.stat(path).st_mtime for path in paths if os.path.exists(path)), default=0.0)
