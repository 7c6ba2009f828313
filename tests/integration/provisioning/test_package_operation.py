"""Packages by APT on a host of its own: known and unknown, interrupted, locked, with a full disk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.agents import Worker, worker
from tests.support.testhosts import SiteHost, Wanted, running_hosts

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes namespaces")]
LOCK = """
import fcntl, sys
with open("/var/lib/dpkg/lock-frontend", "w") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX)
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteHost]:
    with running_hosts(tmp_path_factory.mktemp("packages"), [Wanted("plain", size="128m")]) as site:
        yield site["plain"]


@pytest.fixture
def agent(host: SiteHost) -> Iterator[Worker]:
    """A run of its own: what is known of packages is asked for once in a run."""
    with worker(host.inside, "python3") as found:
        yield found


def test_package_comes_once_and_goes_with_what_came_with_it(agent: Worker, host: SiteHost) -> None:
    host.run("rm", "-rf", "/var/lib/apt/lists")
    wish = agent.wish("package", names=["zip", "tree"])
    assert agent.apply(wish) == ["install packages zip, tree"]
    assert host.run("which", "tree", "zip").stdout.split() == ["/usr/bin/tree", "/usr/bin/zip"]
    assert agent.undo() == ["removed packages tree:amd64, zip:amd64"]
    assert host.run("which", "tree", "zip", check=False).stdout == ""
    agent.apply(wish)
    assert agent.apply(wish) == []
    assert agent.apply({**wish, "names": ["tree"], "state": "absent"}) == ["remove package tree"]
    agent.undo()
    assert agent.apply(wish) == []


def test_package_that_is_nowhere_is_named(agent: Worker, host: SiteHost) -> None:
    error = agent.failure(agent.wish("package", names=["rsync", "nosuch-package"]))
    assert error["code"] == "host-package-unknown"
    assert error["message"] == "no repository of this host has the package nosuch-package"
    assert host.run("which", "rsync", check=False).stdout == ""


def test_interrupted_installation_is_finished(agent: Worker, host: SiteHost) -> None:
    host.run("sh", "-c", "cd /tmp && apt-get download rsync && dpkg --unpack rsync*.deb")
    assert agent.facts("package", names=["rsync"]) == {"installed": {}, "unfinished": ["rsync"]}
    assert agent.apply(agent.wish("package", names=["rsync"])) == [
        "finish an interrupted installation: rsync", "install package rsync",
    ]  # fmt: skip
    assert agent.apply(agent.wish("package", names=["rsync"])) == []
    assert host.run("dpkg", "--audit").stdout == ""


def test_lock_of_somebody_else_is_waited_for(agent: Worker, host: SiteHost) -> None:
    wish = agent.wish("package", names=["bzip2"])
    with subprocess.Popen(
        [*host.inside, "python3", "-c", LOCK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        error = agent.failure({**wish, "wait": 1})
        assert error["code"] == "host-packages-locked"
        assert "(python3)" in error["message"], error["message"]
    assert agent.apply(wish) == ["install package bzip2"]


def test_full_disk_is_one_line_and_completed_later(agent: Worker, host: SiteHost) -> None:
    wish = agent.wish("package", names=["zeroc-icegrid"])
    host.fill_disk()
    error = agent.failure(wish)
    assert "\n" not in error["message"]
    assert "No space left on device" in error["message"] or "enough free space" in error["message"], error["message"]
    host.empty_disk()
    assert agent.apply(wish)[-1] == "install package zeroc-icegrid"
    assert agent.apply(wish) == []
