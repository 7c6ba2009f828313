"""Connections to real sshds: jump hosts, host keys, keys with passphrases, agents, silence, ends."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.system.clock import wait_until
from omeroadmin.system.ssh import SshConnection, SshPool
from omeroadmin.system.ssh_route import SshTarget
from tests.support.components import require_program
from tests.support.ports import free_port
from tests.support.ssh import Sshd, home_of, make_key, running_sshd

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Sshd]]:
    """Two jump hosts and a host; each takes only its own key."""
    with (
        running_sshd(tmp_path_factory.mktemp("near")) as near,
        running_sshd(tmp_path_factory.mktemp("far")) as far,
        running_sshd(tmp_path_factory.mktemp("host")) as host,
    ):
        yield [near, far, host]


@pytest.fixture
def home(chain: list[Sshd], tmp_path: Path) -> Iterator[Path]:
    """The home of a user who knows all of them, but is known by their keys only where they are named."""
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    known = "".join((sshd.home / ".ssh" / "known_hosts").read_text() for sshd in chain)
    (tmp_path / "home" / ".ssh" / "known_hosts").write_text(known)
    with home_of(replace(chain[0], home=tmp_path / "home")):
        yield tmp_path / "home"


def key_of(sshd: Sshd) -> Path:
    return sshd.home / ".ssh" / "id_ed25519"


def target(sshd: Sshd, *jumps: SshTarget, accept_new: bool = False, keys: tuple[str, ...] | None = None) -> SshTarget:
    named = (str(key_of(sshd)),) if keys is None else keys
    return SshTarget(HOST, sshd.port, keys=named, jumps=jumps, accept_new=accept_new, timeout=20)


def look(wanted: SshTarget, path: Path, pool: SshPool | None = None) -> list[str]:
    """The names in a directory there."""
    connection = pool.connection(wanted) if pool is not None else SshConnection(wanted)
    try:
        with connection.sftp() as sftp:
            return sorted(sftp.listdir(str(path)))
    finally:
        if pool is None:
            connection.close()


def refusal(wanted: SshTarget, pool: SshPool | None = None) -> AdminError:
    with pytest.raises(AdminError) as caught:
        look(wanted, Path("/"), pool)
    assert "\n" not in caught.value.message
    return caught.value


def test_through_a_chain_of_jump_hosts(chain: list[Sshd], home: Path) -> None:
    near, far, host = chain
    pool = SshPool()
    wanted = target(host, target(near), target(far))
    try:
        assert ".ssh" in look(wanted, home, pool)
        assert ".ssh" in look(replace(wanted, keys=(str(key_of(host)), "other")), home, pool)
        # Whoever is behind it shares the connection to a jump host.
        assert [sshd.log.read_text().count("Accepted publickey") for sshd in chain] == [1, 1, 2]
    finally:
        pool.close()


def test_jump_hosts_of_the_configuration(chain: list[Sshd], home: Path) -> None:
    near, _, host = chain
    (home / ".ssh" / "config").write_text(
        f"Host gate\n  HostName {HOST}\n  Port {near.port}\n  IdentityFile {key_of(near)}\n"
        f"Host inner\n  HostName {HOST}\n  Port {host.port}\n  IdentityFile {key_of(host)}\n"
        "Host *\n  ProxyJump gate\n"
    )
    before = near.log.read_text().count("Accepted publickey")
    assert ".ssh" in look(SshTarget("inner"), home)
    assert near.log.read_text().count("Accepted publickey") == before + 1


def test_key_of_every_hop_is_checked(chain: list[Sshd], home: Path, tmp_path: Path) -> None:
    near, far, host = chain
    make_key(tmp_path / "other")
    other = " ".join((tmp_path / "other.pub").read_text().split()[:2])
    known = home / ".ssh" / "known_hosts"
    lines = known.read_text()
    for sshd in chain:
        known.write_text("".join(f"{line}\n" for line in lines.splitlines() if f":{sshd.port} " not in line))
        assert refusal(target(host, target(near), target(far))).code == "ssh-host-key-unknown"
        known.write_text(f"{known.read_text()}[{HOST}]:{sshd.port} {other}\n")
        before = known.read_bytes()
        error = refusal(target(host, target(near), target(far), accept_new=True))
        assert (error.code, str(sshd.port) in error.message) == ("ssh-host-key-changed", True)
        assert known.read_bytes() == before


def test_new_keys_are_recorded_once(chain: list[Sshd], home: Path) -> None:
    near, _, host = chain
    known = home / ".ssh" / "known_hosts"
    known.unlink()
    wanted = target(host, target(near), accept_new=True)
    look(wanted, home)
    assert stat.S_IMODE(known.stat().st_mode) == 0o600
    recorded = known.read_text()
    assert sorted(recorded.splitlines()) == sorted(
        (sshd.home / ".ssh" / "known_hosts").read_text().strip() for sshd in (near, host)
    )
    look(replace(wanted, accept_new=False, jumps=(replace(target(near), accept_new=False),)), home)
    look(wanted, home)
    assert known.read_text() == recorded


def test_revoked_key_is_never_taken(chain: list[Sshd], home: Path) -> None:
    known = home / ".ssh" / "known_hosts"
    known.write_text("".join(f"@revoked * {line.split(' ', 1)[1]}\n" for line in known.read_text().splitlines()))
    assert refusal(target(chain[0], accept_new=True)).code == "ssh-host-key-revoked"


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Adds keys to an ssh-agent of the test's own."""
    place = f"/tmp/a{os.getpid()}-{free_port()}"  # paths of sockets are short
    process = subprocess.Popen([require_program("ssh-agent"), "-D", "-a", place], stdout=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: Path(place).exists(), timeout=20)

        def add(key: Path) -> None:
            monkeypatch.setenv("SSH_AUTH_SOCK", place)
            subprocess.run([require_program("ssh-add", "openssh-client"), "-q", key], check=True)

        yield add
    finally:
        process.terminate()
        process.wait(20)
        Path(place).unlink(missing_ok=True)


def test_key_with_a_passphrase_needs_an_agent(
    chain: list[Sshd], home: Path, tmp_path: Path, agent: Callable[[Path], None]
) -> None:
    sshd = chain[2]
    make_key(tmp_path / "unrelated")
    locked = home / ".ssh" / "id_ed25519"
    for suffix in ("", ".pub"):
        Path(f"{locked}{suffix}").write_bytes(Path(f"{key_of(sshd)}{suffix}").read_bytes())
    locked.chmod(0o600)
    change: list[str | Path] = [
        require_program("ssh-keygen", "openssh-client"),
        "-q",
        "-p",
        "-N",
        "a passphrase",
        "-f",
        locked,
    ]
    subprocess.run(change, check=True, stdout=subprocess.DEVNULL)
    named, usual = target(sshd, keys=(str(locked),)), target(sshd, keys=())
    for wanted in (named, usual):
        error = refusal(wanted)
        assert (error.code, str(locked) in error.message) == ("ssh-key-locked", True)
    agent(tmp_path / "unrelated")
    agent(key_of(sshd))
    for wanted in (named, usual):
        assert ".ssh" in look(wanted, home)
    # Others of the agent are not offered where one is named.
    refused = sshd.log.read_text().count("Failed publickey")
    look(named, home)
    assert sshd.log.read_text().count("Failed publickey") == refused


def test_keys_that_are_of_no_use(chain: list[Sshd], home: Path, tmp_path: Path) -> None:
    make_key(tmp_path / "wrong")
    (tmp_path / "garbage").write_text("this is no key")
    keys = tuple(str(tmp_path / name) for name in ("wrong", "missing", "garbage"))
    error = refusal(target(chain[0], keys=keys))
    assert error.code == "ssh-refused"
    assert all(key in error.message for key in keys)
    assert refusal(target(chain[0], keys=())).message.endswith("there are none")


def test_one_silent_jump_host_is_waited_for_once(chain: list[Sshd], home: Path) -> None:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        silent = SshTarget(HOST, listener.getsockname()[1], keys=(str(key_of(chain[0])),), timeout=1)
        pool, errors = SshPool(), list[AdminError]()
        wanted = [target(sshd, silent) for sshd in chain]
        threads = [threading.Thread(target=lambda each=each: errors.append(refusal(each, pool))) for each in wanted]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [(error.code, error.exit_status) for error in errors] == [("ssh-unreachable", 4)] * 3
        listener.setblocking(False)
        listener.accept()[0].close()
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_host_that_its_jump_host_does_not_reach(chain: list[Sshd], home: Path) -> None:
    error = refusal(SshTarget(HOST, free_port(), jumps=(target(chain[0]),)))
    assert error.code == "ssh-unreachable"
    assert "does not reach" in error.message


def test_connection_that_is_cut(chain: list[Sshd], home: Path) -> None:
    near, _, host = chain
    connection = SshConnection(target(host, target(near)))
    try:
        with connection.sftp() as sftp:
            sftp.listdir("/")
        for child in host.children():
            os.kill(child, signal.SIGKILL)
        assert wait_until(lambda: _is_broken(connection), timeout=20)
    finally:
        connection.close()


def _is_broken(connection: SshConnection) -> bool:
    try:
        connection.tunnel(HOST, 1)
    except AdminError as error:
        return "broke" in error.message
    return False
