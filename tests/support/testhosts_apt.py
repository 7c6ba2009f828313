"""Fetches Debian packages the way this machine's apt does: its mirrors, proxies, certificates and keys."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.support.testhosts_parts import CannotMake, command

RELEASE = "bookworm"
"""What test hosts run: Debian 12."""
OLD_RELEASE = "bullseye"
"""Debian 11, for its Python 3.9."""
_DEFAULT = {
    RELEASE: "http://deb.debian.org/debian",
    f"{RELEASE}-updates": "http://deb.debian.org/debian",
    f"{RELEASE}-security": "http://deb.debian.org/debian-security",
}
ARCHIVE = "http://archive.debian.org/debian"
"""Where releases go that mirrors no longer have."""
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def mirrors() -> dict[str, str]:
    """Where apt gets the release here: address by suite; Debian's own where this machine runs something else."""
    found: dict[str, str] = {}
    for line in command(
        "apt-get", "indextargets", "Created-By: Packages", "--format", "$(SITE) $(RELEASE) $(COMPONENT)"
    ).splitlines():
        site, suite, component = line.split()
        if suite in _DEFAULT and component == "main":
            found.setdefault(suite, site)
    return found if RELEASE in found else dict(_DEFAULT)


def proxies() -> dict[str, str]:
    """Variables for programs that fetch without apt."""
    shell = command("apt-config", "shell", "HTTP", "Acquire::http::Proxy", "HTTPS", "Acquire::https::Proxy")
    found = dict(re.findall(r"^(HTTPS?)='([^']+)'$", shell, re.MULTILINE))
    return {**os.environ, **{f"{name.lower()}_proxy": value for name, value in found.items() if value != "DIRECT"}}


class Apt:
    """An apt of our own, beside the machine's.

    :param directory: where it keeps its lists and what it fetches
    :param status: dpkg's state file of the system that it fetches for
    :param sources: addresses by suite
    """

    def __init__(self, directory: Path, status: Path, sources: Mapping[str, str]) -> None:
        lines = [f"deb {site} {suite} main" for suite, site in sources.items()]
        self.fetched = directory / "fetched"
        for path in (self.fetched / "partial", directory / "lists" / "partial", directory / "keys"):
            path.mkdir(parents=True)
        (directory / "sources.list").write_text("\n".join([*lines, ""]))
        for path in (*Path("/etc/apt/trusted.gpg.d").glob("*"), _KEYRING):
            if path.is_file():
                shutil.copy(path, directory / "keys")
        self._options = [
            f"--option={name}={value}"
            for name, value in {
                "Dir::State::status": status,
                "Dir::State::lists": directory / "lists",
                "Dir::State::extended_states": directory / "extended_states",
                "Dir::Cache::archives": self.fetched,
                "Dir::Cache::pkgcache": "",
                "Dir::Cache::srcpkgcache": "",
                "Dir::Etc::sourcelist": directory / "sources.list",
                "Dir::Etc::sourceparts": "/dev/null",
                "Dir::Etc::trustedparts": directory / "keys",
                "APT::Sandbox::User": "root",
                "APT::Install-Recommends": "false",
                "Acquire::Retries": "3",
            }.items()
        ]
        self._run("update")

    def fetch(self, *packages: str) -> Path:
        """Fetch packages and all that they need which the system lacks.

        :return: where the files are
        """
        self._run("install", "--download-only", "--yes", *packages)
        return self.fetched

    def fetch_alone(self, *packages: str) -> list[Path]:
        """Fetch packages, without what they need.

        :return: their files
        """
        self._run("download", *packages, cwd=self.fetched)
        return sorted(self.fetched.glob("*.deb"))

    def _run(self, *arguments: str, cwd: Path | None = None) -> None:
        command("apt-get", "-q", *self._options, *arguments, cwd=cwd)


def index(directory: Path) -> None:
    """Make a directory with packages one that apt installs from."""
    text = command("dpkg-scanpackages", "--multiversion", ".", "/dev/null", cwd=directory)
    if not text:
        raise CannotMake(f"dpkg-scanpackages finds no packages in {directory}")
    (directory / "Packages").write_text(text)
