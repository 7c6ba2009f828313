"""Why an agent did not start: what shells, sudo and Python say, in one line each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from omeroadmin.errors import AdminError, failed_error, printable, unreachable_error

_OLDEST = "3.9"
_NOT_FOUND = 127
_NOT_PERMITTED = 126


@dataclass(frozen=True)
class Ended:
    """A program that ended before the agent spoke.

    :param status: exit status; ``None``: a signal, or the connection is gone
    :param said: lines of its stdout
    :param errors: end of its stderr
    """

    status: int | None
    said: tuple[str, ...]
    errors: str

    def last_words(self) -> str:
        """The last line of stderr, or of stdout."""
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()] or list(self.said)
        return printable(lines[-1]) if lines else "it said nothing"


_SUDO = (
    (
        r"a (terminal|tty) is required|must have a tty|no tty present",
        "sudo-needs-terminal",
        "sudo there wants a terminal",
        "in its sudoers: Defaults:{login} !requiretty",
    ),
    (
        r"a password is required|password is needed",
        "sudo-password-needed",
        "sudo asks for a password, and the inventory has none",
        "give the host a sudo_password (!file or !env), or NOPASSWD in its sudoers",
    ),
    (
        r"not in the sudoers|is not allowed to|may not run sudo|not permitted",
        "sudo-not-allowed",
        "sudo does not let the user become {user}",
        "add the user to the group sudo or wheel there, or to its sudoers",
    ),
    (
        r"unknown user",
        "become-user-unknown",
        "there is no user {user} to become",
        "name another one, or make it first",
    ),
    (
        r"^env: .*sudo|sudo.{0,3}: (command )?not found|sudo.{0,3}: No such file|Unknown command.*sudo|not found: sudo",
        "sudo-missing",
        "there is no sudo",
        "install it there, log in as root, or become: none",
    ),
)
"""What sudo says, in English, to our code, words and hint."""

_REFUSED = re.compile(r"incorrect password|no password|authentication|account validation", re.IGNORECASE)
_OLD_PYTHON = re.compile(r"Unknown option: -I|unrecognized option.*-I")
_NO_PROGRAM = re.compile(r"not found|No such file or directory|Unknown command", re.IGNORECASE)


def sudo_refused(name: str) -> AdminError:
    """The password is wrong; it is tried once, since accounts get locked."""
    return failed_error(
        "sudo-refused",
        f"{name}: sudo does not take the password",
        "check sudo_password in the inventory; it was tried once",
    )


def python_too_old(name: str, python: str, version: Sequence[int]) -> AdminError:
    """There is a Python, but not the one that is needed."""
    found = ".".join(str(number) for number in version)
    return failed_error(
        "python-too-old",
        f"{name}: {python} is Python {found}; {_OLDEST} is needed",
        "name a newer one in the inventory: python: /usr/bin/python3.11",
    )


def why_not_started(name: str, python: str, user: str, ended: Ended, *, answered: bool) -> AdminError:
    """The one line for a host whose agent did not start.

    :param user: whom sudo was to make it
    :param answered: whether sudo has got a password
    """
    for pattern, code, words, hint in _SUDO:
        if re.search(pattern, ended.errors, re.IGNORECASE | re.MULTILINE):
            return failed_error(code, f"{name}: {words.format(user=user)}", hint.format(login="USER"))
    if answered and _REFUSED.search(ended.errors):
        return sudo_refused(name)
    if _OLD_PYTHON.search(ended.errors):
        return python_too_old(name, python, (2,))
    missing = python.rsplit("/", 1)[-1] in ended.errors and _NO_PROGRAM.search(ended.errors)
    if ended.status in (_NOT_FOUND, _NOT_PERMITTED) or missing:
        return failed_error(
            "python-missing",
            f"{name}: {python} can't be run there: {ended.last_words()}",
            f"install Python {_OLDEST} or newer there, or name it in the inventory: python: /usr/bin/python3.11",
        )
    if ended.status is None and not ended.said and not ended.errors.strip():
        return unreachable_error("host-lost", f"{name} hung up before the agent started", "run it again")
    return failed_error(
        "login-shell-unfit",
        f"{name}: the login there starts no programs (status {ended.status}): {ended.last_words()}",
        "check the user's login shell there: getent passwd USER",
    )
