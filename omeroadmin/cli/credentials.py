"""Asks for what opens a session: user and password on a terminal, passwords and keys from files, stdin, environment."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.errors import configuration_error, usage_error

if TYPE_CHECKING:
    from omeroadmin.access.address import Address
    from omeroadmin.errors import AdminError

_ATTEMPTS = 3


def ask_server(likely: str) -> str:
    """The server, asked for on a terminal.

    :param likely: what an empty answer means, and the answer where there is no terminal
    """
    return _ask("Server", likely) if sys.stdin.isatty() else likely


def ask_user(likely: str) -> str:
    """The name of the user, asked for on a terminal.

    :param likely: what an empty answer means, and the answer where there is no terminal
    """
    return _ask("Username", likely) if sys.stdin.isatty() else likely


def password(user: str, address: Address, typed: str | None, file: Path | None) -> str:
    """A user's password: typed as an option, from a file, ``OMERO_PASSWORD``, or the terminal.

    :param file: its first line counts; ``-`` is stdin
    :raises AdminError: ``password-missing``, ``file-not-read``
    """
    if typed is not None:
        return typed
    if file is not None:
        return from_stdin("password") if str(file) == "-" else _first_line(file)
    from_environment = os.environ.get("OMERO_PASSWORD")
    if from_environment is not None:
        return from_environment
    if not sys.stdin.isatty():
        raise configuration_error(
            "password-missing",
            f"no password for {user}@{address}, and no terminal to ask at",
            "give it by --password-file FILE (- is stdin) or OMERO_PASSWORD, or join a session: -k -",
        )
    import getpass

    return getpass.getpass(f"Password for {user}@{address}: ")


class Again:
    """Whether a wrong password is asked for once more: three times on a terminal, and nowhere else.

    :param typed: the password as an option
    :param file: the password's file
    """

    def __init__(self, typed: str | None, file: Path | None) -> None:
        asks = typed is None and file is None and "OMERO_PASSWORD" not in os.environ and sys.stdin.isatty()
        self._left = _ATTEMPTS - 1 if asks else 0

    def __call__(self, error: AdminError) -> bool:
        """Take an attempt, if one is left, and say what was wrong."""
        if self._left <= 0:
            return False
        self._left -= 1
        sys.stderr.write(f"{error.message}\n")
        return True


def from_stdin(what: str) -> str:
    """A secret as the first line of stdin.

    :param what: its name, for the message
    :raises AdminError: e.g. ``key-missing``
    """
    line = sys.stdin.readline().strip("\r\n")
    if not line:
        raise usage_error(f"{what}-missing", f"stdin has no {what}", f"write the {what} as one line to stdin")
    return line


def wait_for_enter(seconds: float) -> bool:
    """Wait.

    :return: whether the time has passed; on a terminal, Enter ends the wait before
    """
    if not sys.stdin.isatty():
        time.sleep(seconds)
        return True
    import select

    if not select.select([sys.stdin], [], [], seconds)[0]:
        return True
    sys.stdin.readline()
    return False


def _ask(what: str, likely: str) -> str:
    sys.stderr.write(f"{what}: [{likely}] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() or likely


def _first_line(file: Path) -> str:
    from omeroadmin.system.files import read_text

    return read_text(file).partition("\n")[0].rstrip("\r")
