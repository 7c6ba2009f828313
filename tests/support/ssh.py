"""A real sshd on loopback, run by the present user, and a home directory that knows its key."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.system.clock import wait_until
from tests.support.components import require_program
from tests.support.ports import free_port


@dataclass
class Sshd:
    """A running sshd.

    :param home: of a user who may log in: key, known_hosts
    :param log: what sshd writes
    """

    port: int
    home: Path
    log: Path
    process: subprocess.Popen[bytes]

    def address(self, directory: Path) -> str:
        """The target in a directory there."""
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{directory}"

    def children(self) -> list[int]:
        """The processes of its connections."""
        import psutil

        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]


def make_key(path: Path) -> None:
    """A key without a passphrase."""
    keygen = require_program("ssh-keygen", "openssh-client")
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


@contextlib.contextmanager
def running_sshd(directory: Path, *, inside: tuple[str | Path, ...] = (), authorized: str = "") -> Iterator[Sshd]:
    """An sshd that offers SFTP, tunnels, and programs to those whose login shell starts some.

    :param inside: program and arguments that start it, in other surroundings
    :param authorized: the file of authorized keys; by default, the key in its home is
    """
    program = require_program("sshd")
    if os.geteuid() == 0:
        # Its own start script makes it, as a rule.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    home = directory / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    make_key(directory / "host_key")
    make_key(home / ".ssh" / "id_ed25519")
    port, log = free_port(), directory / "sshd.log"
    public = (directory / "host_key.pub").read_text().split()
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
    (directory / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {directory}/host_key\nPidFile none\nStrictModes no\n"
        # With PAM, accounts without a password may log in by key, as the one that tests run as.
        "UsePAM yes\nPrintMotd no\nMaxStartups 100\n"
        f"AuthorizedKeysFile {authorized or f'{home}/.ssh/id_ed25519.pub'}\nPasswordAuthentication no\n"
        f"KbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\n"
    )
    with log.open("wb") as stream:
        process = subprocess.Popen([*inside, program, "-D", "-e", "-f", directory / "sshd_config"], stderr=stream)
    try:
        assert wait_until(lambda: process.poll() is not None or _answers(port), timeout=20), log.read_text()
        assert process.poll() is None, log.read_text()
        yield Sshd(port, home, log, process)
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            return line.recv(4) == b"SSH-"
    except OSError:
        return False


@contextlib.contextmanager
def home_of(sshd: Sshd) -> Iterator[None]:
    """This process has the home directory of the user who may log in, and no agent."""
    names = ("HOME", "SSH_AUTH_SOCK")
    before = {name: os.environ.get(name) for name in names}
    os.environ["HOME"] = str(sshd.home)
    os.environ.pop("SSH_AUTH_SOCK", None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
