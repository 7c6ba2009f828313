"""Test hosts: machines made by the test itself, each with a root file system, an address, processes and an sshd.

They are Debian 12 in namespaces of their own (network, mounts, processes, host name), joined by a bridge to each other
and to the test. Services are started by init.d: no systemd runs there. Without network beyond the site, apt-get and pip
find what :mod:`tests.support.testhosts_debian` and :mod:`tests.support.testhosts_wheels` list. All of it goes when the
test ends, however it ends.

Root only; ``python -m tests.support.testhosts_prepare`` makes once what all hosts share.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.components import require_program
from tests.support.ssh import make_key
from tests.support.testhosts_debian import ADMIN, KEEPER
from tests.support.testhosts_host import SiteHost, Wanted
from tests.support.testhosts_network import Bridge
from tests.support.testhosts_wheels import build_wheel

__all__ = ["ADMIN", "KEEPER", "Site", "SiteHost", "Wanted", "running_hosts"]


@dataclass
class Site:
    """Hosts that run.

    :param home: of whoever logs in there: ``.ssh`` with a key that ``admin``, ``keeper`` and ``root`` know,
        ``known_hosts`` and a ``config`` with the hosts' names
    :param address: the test's own
    :param dist: what hosts see at ``/srv/dist``, where pip looks as well
    """

    home: Path
    address: str
    dist: Path
    hosts: dict[str, SiteHost]

    def __getitem__(self, name: str) -> SiteHost:
        """A host by its name."""
        return self.hosts[name]

    def __iter__(self) -> Iterator[SiteHost]:
        """All hosts."""
        return iter(self.hosts.values())

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a program on the test's side that is to log in."""
        cleaned = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
        return {**cleaned, "HOME": str(self.home)}

    def ssh(
        self, host: str, *command: str, account: str = ADMIN, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command over SSH, with OpenSSH's own client.

        :param timeout: in seconds
        """
        done = subprocess.run(
            [require_program("ssh", "openssh-client"), "-F", self.home / ".ssh/config", f"{account}@{host}", *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, f"{host}: {command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def inventory(
        self,
        path: Path,
        groups: Mapping[str, Sequence[str]] | None = None,
        variables: Mapping[str, Any] | None = None,
        hosts: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Path:
        """Write a hosts.yml.

        :param groups: names of hosts by group
        :param variables: for all
        :param hosts: more keys of single hosts
        :return: its path
        """
        import yaml

        document = {
            "defaults": {"user": ADMIN, "become": "sudo", "key": str(self.home / ".ssh/id_ed25519")},
            "variables": dict(variables or {}),
            "groups": {name: {"hosts": list(members)} for name, members in (groups or {}).items()},
            "hosts": {host.name: {"address": host.address, **(hosts or {}).get(host.name, {})} for host in self},
        }
        path.write_text(yaml.safe_dump({key: value for key, value in document.items() if value}, sort_keys=False))
        return path

    def provide_omeroadmin(self) -> Path:
        """Build the checkout's wheel where the hosts' pip finds it.

        :return: the wheel
        """
        return build_wheel(self.dist)


@contextlib.contextmanager
def running_hosts(directory: Path, wanted: Sequence[Wanted | str]) -> Iterator[Site]:
    """A site whose hosts answer; at the end they are switched off and removed.

    :param directory: of the test; ``directory/site`` is made
    :param wanted: the hosts, or their names
    """
    for program, package in (("ip", "iproute2"), ("unshare", "util-linux"), ("nsenter", "util-linux")):
        require_program(program, package)
    base = directory / "site"
    (base / "dist").mkdir(parents=True)
    (base / "home/.ssh").mkdir(parents=True, mode=0o700)
    make_key(base / "home/.ssh/id_ed25519")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, base / "dist", ignore_errors=True)
        try:
            bridge = Bridge()
            stack.callback(bridge.remove)
            site = Site(base / "home", bridge.address, base / "dist", {})
            for number, one in enumerate(wanted):
                _add(site, stack, one if isinstance(one, Wanted) else Wanted(one), bridge, number)
        except RuntimeError as problem:
            _cannot(str(problem))
        _introduce(site)
        for host in site:
            host.start()
        for host in site:
            host.wait()
        yield site


def _add(site: Site, stack: contextlib.ExitStack, wanted: Wanted, bridge: Bridge, number: int) -> None:
    address, port = bridge.host(number)
    host = SiteHost(wanted, address, port, site.home.parent / wanted.name, site.dist)
    stack.callback(host.remove)
    host.create(bridge.name)
    site.hosts[wanted.name] = host


def _introduce(site: Site) -> None:
    """Names and keys: hosts know each other's names, the test knows their keys, and they know the test's."""
    folder = site.home / ".ssh"
    public = (folder / "id_ed25519.pub").read_text()
    names = "".join(f"{host.address} {host.name}\n" for host in site)
    known, config = [], [f"IdentityFile {folder}/id_ed25519\nUserKnownHostsFile {folder}/known_hosts\nBatchMode yes\n"]
    for host in site:
        (host.root / "etc/hostname").write_text(f"{host.name}\n")
        (host.root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{names}")
        make_key(host.root / "etc/ssh/ssh_host_ed25519_key")
        kind, key, *_ = (host.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()
        known.append(f"{host.address},{host.name} {kind} {key}\n")
        config.append(f"Host {host.name}\n    HostName {host.address}\n    HostKeyAlias {host.name}\n")
        for place in ("root", f"home/{ADMIN}", f"home/{KEEPER}"):
            _authorize(host.root / place, public)
    (folder / "known_hosts").write_text("".join(known))
    # What is said first holds for all.
    (folder / "config").write_text("".join(config))


def _authorize(home: Path, public: str) -> None:
    owner = home.stat()
    folder = home / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "authorized_keys").write_text(public)
    for path in (folder, folder / "authorized_keys"):
        os.chown(path, owner.st_uid, owner.st_gid)


def _cannot(reason: str) -> None:
    """No namespaces or no overlays here: the test is skipped, or fails where OMERO_TEST_REQUIRE_ALL is 1."""
    if os.environ.get("OMERO_TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    print(f"skipped: {reason}")
    pytest.skip(reason)
