"""Programs that are not ours and that tests need: where they come from, and what to do without them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

DEBIAN_PACKAGES: dict[str, str] = {
    "age": "age",
    "borg": "borgbackup",
    "debootstrap": "debootstrap",
    "dpkg-scanpackages": "dpkg-dev",
    "csh": "csh",
    "icegridadmin": "zeroc-ice-utils",
    "icegridnode": "zeroc-icegrid",
    "ip": "iproute2",
    "nft": "nftables",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "pgbackrest": "pgbackrest",
    "postgres": "postgresql",
    "promtool": "prometheus",
    "psql": "postgresql-client",
    "rdiff-backup": "rdiff-backup",
    "restic": "restic",
    "rsync": "rsync",
    "sftp": "openssh-client",
    "shellcheck": "shellcheck",
    "ssh-agent": "openssh-client",
    "sshd": "openssh-server",
    "sudo": "sudo",
    "systemd-analyze": "systemd",
}
"""Program and the Debian package that holds it: the one list, also for whoever installs them."""

_SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))


def find(name: str) -> str | None:
    """A program on PATH, or in the directories for administrators and of PostgreSQL, which PATH may lack."""
    versions = sorted(str(path.parent) for path in Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return shutil.which(name, path=os.pathsep.join((_SEARCH_PATH, *versions)))


def missing_packages() -> list[str]:
    """Debian packages of the programs that this machine lacks."""
    return sorted({package for name, package in DEBIAN_PACKAGES.items() if find(name) is None})


def require_program(name: str, package: str | None = None) -> Path:
    """A program that the test can't do without.

    :param package: its Debian package; by default as :data:`DEBIAN_PACKAGES` says
    :return: its path; else the test is skipped, or fails where OMERO_TEST_REQUIRE_ALL is 1
    """
    found = find(name)
    if found is not None:
        return Path(found)
    reason = f"{name} is not installed (Debian package {package or DEBIAN_PACKAGES[name]})"
    if os.environ.get("OMERO_TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    print(f"skipped: {reason}")
    pytest.skip(reason)
