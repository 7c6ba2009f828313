"""The test hosts themselves: logins, packages without network, services, cables, disks, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from tests.support.components import require_program
from tests.support.testhosts import KEEPER, Site, Wanted, running_hosts
from tests.support.testhosts_debian import SUDO_PASSWORD

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes namespaces"),
]
CHECKOUT = Path(__file__).resolve().parents[3]
KILLED = """
import sys
from pathlib import Path
from tests.support.testhosts import running_hosts
with running_hosts(Path(sys.argv[1]), ["lost"]) as site:
    print(site["lost"].port, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    wanted = [Wanted("db"), Wanted("web", python="3.9", size="64m"), Wanted("bare", python="none")]
    with running_hosts(tmp_path_factory.mktemp("hosts"), wanted) as running:
        yield running


def test_each_is_a_machine_of_its_own(site: Site) -> None:
    for host in site:
        assert site.ssh(host.name, "hostname").stdout == f"{host.name}\n"
        assert site.ssh(host.name, "sudo", "-n", "id", "-u").stdout == "0\n"
        assert f"inet {host.address}/24" in site.ssh(host.name, "ip", "address", "show", "eth0").stdout
        assert host.run("cat", "/proc/1/comm").stdout == "bash\n"
    assert site.ssh("db", "python3", "--version").stdout.startswith("Python 3.11.")
    assert site.ssh("web", "python3", "--version").stdout.startswith("Python 3.9.")
    assert site.ssh("bare", "python3", "--version", check=False).returncode == 127
    refused = site.ssh("db", "sudo", "-n", "true", account=KEEPER, check=False)
    assert "a password is required" in refused.stderr
    assert site["db"].run("sudo", "-S", "id", "-u", account=KEEPER, input=f"{SUDO_PASSWORD}\n").stdout == "0\n"


def test_packages_and_services_without_network(site: Site) -> None:
    db = site["db"]
    db.run("apt-get", "update")
    db.run("apt-get", "install", "--yes", "--no-install-recommends", "redis-server", "python3-venv")
    assert "redis-server is running" in db.run("service", "redis-server", "status").stdout
    db.run("service", "redis-server", "stop")
    assert db.run("service", "redis-server", "status", check=False).returncode == 3
    wheel = site.provide_omeroadmin()
    db.run("python3", "-m", "venv", "/opt/omero")
    pip = ("/opt/omero/bin/pip", "install", "--no-compile", "omeroadmin")
    assert "tantivy" in db.run(*pip, "--dry-run").stdout
    db.run(*pip, "--no-deps")
    assert db.run("/opt/omero/bin/omero", "version").stdout.strip() in wheel.name


def test_a_checksum_tells_what_changed(site: Site) -> None:
    host = site["bare"]
    before, checksum = host.changes(), host.checksum()
    site.ssh("bare", "ls", "/root", "/etc", check=False)
    assert host.changes() == before
    host.run("chmod", "600", "/etc/motd")
    host.run("rm", "/etc/issue.net")
    after = host.changes()
    assert {path for path in {*before, *after} if before.get(path) != after.get(path)} == {
        "etc", "etc/motd", "etc/issue.net",
    }  # fmt: skip
    assert host.checksum() != checksum


def test_a_cable_that_is_pulled(site: Site) -> None:
    web = site["web"]
    web.link("down")
    assert not web.answers()
    web.link("up")
    web.wait()
    site["bare"].hide_from(site.address)
    assert not site["bare"].answers()
    assert site["db"].run("ssh-keyscan", "-T", "5", "-t", "ed25519", "bare").stdout.startswith("bare ssh-ed25519")


def test_a_power_cut_a_full_disk_and_one_that_cannot_be_written(site: Site) -> None:
    web = site["web"]
    web.run("touch", "/etc/kept", "/run/lost")
    web.kill()
    assert not web.answers()
    web.start()
    web.wait()
    web.run("test", "-e", "/etc/kept")
    assert (web.root / "etc/kept").exists()
    assert not (web.root / "run/lost").exists()
    web.fill_disk()
    assert "No space left" in web.run("dd", "if=/dev/zero", "of=/etc/more", "bs=64k", "count=1", check=False).stderr
    web.empty_disk()
    web.set_read_only()
    assert "Read-only file system" in site.ssh("web", "sudo", "touch", "/etc/more", check=False).stderr
    web.set_read_only(read_only=False)
    site.ssh("web", "sudo", "touch", "/etc/more")


def test_nothing_is_left_of_a_run_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert _has_link(port)
        process.send_signal(signal.SIGKILL)
    assert wait_until(lambda: not _has_link(port), timeout=20)
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    with running_hosts(tmp_path / "next", []):
        left = subprocess.run(["ip", "link", "show", "type", "bridge"], capture_output=True, text=True, check=True)
    assert f"omb{process.pid}" not in left.stdout


def test_the_scripts_are_clean() -> None:
    scripts = sorted((CHECKOUT / "tests/support").glob("testhosts_*.sh"))
    assert len(scripts) == 2
    subprocess.run([require_program("shellcheck"), *scripts], check=True)


def _has_link(name: str) -> bool:
    return subprocess.run(["ip", "link", "show", name], capture_output=True, check=False).returncode == 0
