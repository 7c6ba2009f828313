"""What is asked of every host at once: distribution, Python, service manager, size."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from omeroadmin.provisioning.agent.accounts import user_name

_FAMILIES = {"debian": "debian", "ubuntu": "debian", "rhel": "redhat", "fedora": "redhat", "centos": "redhat"}


def base_facts() -> dict[str, Any]:
    """Facts of the host that playbooks may use as ``base``."""
    release = _os_release()
    kinds = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    family = next((_FAMILIES[kind] for kind in kinds if kind in _FAMILIES), "")
    machine, root = os.uname(), os.statvfs("/")
    return {
        "hostname": machine.nodename,
        "distribution": release.get("ID", ""),
        "version": release.get("VERSION_ID", ""),
        "distribution_name": release.get("PRETTY_NAME", ""),
        "family": family,
        "architecture": machine.machine,
        "kernel": machine.release,
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "systemd": os.path.isdir("/run/systemd/system"),
        "selinux": _selinux(),
        "memory_bytes": _memory(),
        "cpus": os.cpu_count() or 1,
        "disk_bytes": root.f_blocks * root.f_frsize,
        "user": user_name(os.geteuid()),
        "time": int(time.time()),
    }


def _os_release() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            with open(path, encoding="utf-8", errors="replace") as stream:
                for line in stream:
                    name, equals, value = line.strip().partition("=")
                    if equals:
                        found[name] = value.strip("\"'")
        except OSError:
            continue
        return found
    return found


def _selinux() -> str:
    try:
        with open("/sys/fs/selinux/enforce", encoding="ascii") as stream:
            return "enforcing" if stream.read().strip() == "1" else "permissive"
    except OSError:
        return "disabled"


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
