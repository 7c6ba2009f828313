"""Accounts that only an sshd and what it starts can see: it runs with a copy of /etc of its own. Needs root."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.components import require_program
from tests.support.ssh import Sshd, home_of, running_sshd

PASSWORD = "correct horse $1 \\ 'é'"
"""Of each of them."""
_FIRST_ID = 61_000
_HOMES = "omeroadmin-homes"
_KEYS = "/etc/omeroadmin-test.pub"


@dataclass(frozen=True)
class Account:
    """Someone who may log in by key.

    :param login: its login shell
    :param sudoers: lines about it for sudo; ``{name}`` is its name
    :param files: content of files in its home by name
    """

    login: str = "/bin/bash"
    sudoers: str = ""
    files: Mapping[str, str] | None = None


@contextlib.contextmanager
def sshd_with_accounts(directory: Path, accounts: Mapping[str, Account]) -> Iterator[Sshd]:
    """An sshd with these accounts; this process has the home of a user who has the key for all of them."""
    etc = directory / "etc"
    shutil.copytree("/etc", etc, symlinks=True)
    for number, (name, account) in enumerate(accounts.items(), _FIRST_ID):
        _add(etc, number, name, account)
    with (etc / "hosts").open("a") as stream:
        # sudo looks it up, and would wait for a name server that isn't there.
        stream.write(f"127.0.0.1 {socket.gethostname()}\n")
    mounting = f'mount --bind "{etc}" /etc && exec "$@"'
    inside = (require_program("unshare", "util-linux"), "-m", "sh", "-c", mounting, "sh")
    with running_sshd(directory, inside=inside, authorized=_KEYS) as running, home_of(running):
        shutil.copy(running.home / ".ssh" / "id_ed25519.pub", etc / Path(_KEYS).name)
        yield running


def _add(etc: Path, number: int, name: str, account: Account) -> None:
    openssl = require_program("openssl")
    hashing = subprocess.run(
        [openssl, "passwd", "-6", "-stdin"], input=PASSWORD, check=True, capture_output=True, text=True
    )
    home = etc / _HOMES / name
    home.mkdir(parents=True)
    for file, content in (account.files or {}).items():
        (home / file).write_text(content)
        (home / file).chmod(0o755)
    for path in (home, *home.iterdir()):
        os.chown(path, number, number)
    lines = {
        "passwd": f"{name}:x:{number}:{number}::/etc/{_HOMES}/{name}:{account.login}",
        "group": f"{name}:x:{number}:",
        "shadow": f"{name}:{hashing.stdout.strip()}:20000:0:99999:7:::",
        f"sudoers.d/{name}": account.sudoers.format(name=name),
    }
    for file, line in lines.items():
        with (etc / file).open("a") as stream:
            stream.write(f"{line}\n")
