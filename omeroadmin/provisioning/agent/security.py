"""SELinux on a host: booleans and types of ports, in force and for later."""

from __future__ import annotations

import glob
import os
import re

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.files import read_whole
from omeroadmin.provisioning.agent.running import check, find_program, run

_KERNEL = "/sys/fs/selinux"
_TIMEOUT = 300.0
_HINT = "install the package policycoreutils-python-utils before"


def is_on() -> bool:
    """Whether SELinux is enforcing or permissive."""
    return os.path.exists(os.path.join(_KERNEL, "enforce"))


def boolean_value(name: str) -> "bool | None":
    """What a boolean is now; ``None`` where there is none of this name."""
    content = read_whole(os.path.join(_KERNEL, "booleans", name))
    return content.split()[:1] == [b"1"] if content else None


def boolean_after_start(name: str) -> "bool | None":
    """What a boolean will be after the next start; ``None`` where nobody says."""
    local = re.search(rf"(?m)^{re.escape(name)}\s*=\s*(\w+)", _local("booleans.local"))
    if local:
        return local[1] in {"1", "on", "true"}
    if not find_program("semanage"):
        return None
    listed = re.search(
        rf"(?m)^{re.escape(name)}\s+\(\s*\w+\s*,\s*(\w+)\s*\)", run(["semanage", "boolean", "-l"]).output
    )
    return listed[1] == "on" if listed else None


def set_boolean(name: str, value: bool) -> None:
    """Set a boolean, now and for later.

    :raises HostError: ``host-selinux-unknown``, ``host-program-missing``, ``host-program-failed``
    """
    if boolean_value(name) is None:
        raise HostError("host-selinux-unknown", f"SELinux's policy has no boolean {name}", "see them: getsebool -a")
    check(["setsebool", "-P", f"{name}={'on' if value else 'off'}"], f"set {name}", timeout=_TIMEOUT)


def port_types(number: int, protocol: str) -> "list[str]":
    """Types of a port, those that somebody has added on this host first."""
    local = re.findall(rf"(?m)^portcon {protocol} {number} \S+?:\S+?:(\w+)", _local("ports.local"))
    if local or not find_program("semanage"):
        return local
    return parse_port_types(run(["semanage", "port", "-l", "-n"]).output, number, protocol)


def parse_port_types(text: str, number: int, protocol: str) -> "list[str]":
    """Types of the very port, not of a range around it, in a listing of ``semanage port -l``."""
    found = []
    for line in text.splitlines():
        words = line.replace(",", " ").split()
        if len(words) >= 3 and words[1] == protocol and str(number) in words[2:]:
            found.append(words[0])
    return found


def add_port(number: int, protocol: str, kind: str) -> None:
    """Give a port a type, for good.

    :raises HostError: ``host-program-missing``, ``host-program-failed``
    """
    common = ["-t", kind, "-p", protocol, str(number)]
    doing = f"give port {number} the type {kind}"
    if run(["semanage", "port", "-a", *common], timeout=_TIMEOUT).status != 0:
        # The policy itself has a type for it.
        check(["semanage", "port", "-m", *common], doing, _HINT, timeout=_TIMEOUT)


def drop_port(number: int, protocol: str) -> None:
    """Take back what was added.

    :raises HostError: ``host-program-missing``, ``host-program-failed``
    """
    check(["semanage", "port", "-d", "-p", protocol, str(number)], f"drop the type of port {number}", timeout=_TIMEOUT)


def _local(name: str) -> str:
    paths = sorted(glob.glob(f"/var/lib/selinux/*/active/{glob.escape(name)}"))
    return "".join((read_whole(path) or b"").decode(errors="replace") for path in paths)
