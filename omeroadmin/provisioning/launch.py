"""Starts the agent's Python on a host, with sudo where that is wished, through whatever shell there is."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from omeroadmin.errors import AdminError, configuration_error, unreachable_error
from omeroadmin.provisioning.launch_faults import Ended, python_too_old, sudo_refused, why_not_started
from omeroadmin.provisioning.lines import LineChannel, Streams
from omeroadmin.provisioning.packing import BOOT
from omeroadmin.system.clock import monotonic

_START = 30.0
"""Seconds in which a login shell, sudo and Python start."""
_STATUS = 5.0
_KEPT = 20
"""Lines of a login shell's talk that are kept, for messages."""


@dataclass(frozen=True)
class Rights:
    """With whose rights the agent runs.

    :param sudo: whether by sudo; else it runs as the user that logs in
    :param user: whom sudo makes it
    :param password: for sudo, which isn't asked for one without
    """

    sudo: bool = False
    user: str = "root"
    password: str | None = field(default=None, repr=False)


class AgentChannel:
    """A :class:`~omeroadmin.provisioning.channel.Channel` to an agent that is being started.

    What login shells, sudo and banners say before the agent is none of its lines. Unless sudo needs a password, nothing
    is waited for before the first line is: the agent's sources are there when Python is.

    :param name: the other side, for messages
    :param python: the program there
    :param open_streams: starts a program there
    :raises AdminError: as the opener, and with a password as :meth:`receive`
    """

    def __init__(
        self, name: str, python: str, rights: Rights, open_streams: Callable[[Sequence[str]], Streams]
    ) -> None:
        token = secrets.token_hex(8)
        self.name = name
        self._python = python
        self._rights = rights
        self._mark = f"omeroadmin-{token}"
        self._prompt = f"[omeroadmin-sudo-{token}]"
        self._has_begun = False
        self._noise: list[str] = []
        _require_one_line(name, rights)
        self._lines = LineChannel(name, open_streams(self._arguments()))
        if rights.sudo and rights.password is not None:
            try:
                self._begin()
            except BaseException:
                self.close()
                raise

    def send(self, content: bytes) -> None:
        """See :class:`~omeroadmin.provisioning.channel.Channel`."""
        try:
            self._lines.send(content)
        except AdminError:
            if self._has_begun:
                raise
            # It has ended already, and has said why.
            self._begin()

    def receive(self, timeout: float) -> bytes | None:
        """See :class:`~omeroadmin.provisioning.channel.Channel`.

        :raises AdminError: ``python-missing``, ``python-too-old``, ``sudo-refused``, ``sudo-password-needed``,
            ``sudo-not-allowed``, ``sudo-needs-terminal``, ``sudo-missing``, ``become-user-unknown``,
            ``login-shell-unfit``, ``host-silent``, ``host-lost``
        """
        if not self._has_begun:
            self._begin()
        return self._lines.receive(timeout)

    def last_words(self) -> str:
        """See :class:`~omeroadmin.provisioning.channel.Channel`."""
        return self._lines.last_words()

    def close(self, *, wait: bool = True) -> None:
        """See :class:`~omeroadmin.provisioning.channel.Channel`."""
        self._lines.close(wait=wait)

    def _arguments(self) -> list[str]:
        # Letters that no shell, sh or not, does anything about; and for any Python, so that an old one can say so.
        start = (
            "import sys\n"
            f"sys.stdout.write('\\n{self._mark} %d %d\\n' % sys.version_info[:2])\n"
            "sys.stdout.flush()\n"
            "if sys.version_info < (3, 9): sys.exit(77)\n"
            f"exec({BOOT!r})\n"
        )
        letters = base64.b64encode(start.encode()).decode()
        # -B: a plan must not even leave compiled modules of the host's own Python.
        python = [self._python, "-I", "-SB", "-c", f'import base64;exec(base64.b64decode(b"{letters}"))']
        if not self._rights.sudo:
            return python
        # -k: sudo neither counts on an earlier answer nor notes this one.
        asking = ["-n"] if self._rights.password is None else ["-k", "-S", "-p", self._prompt]
        # In other languages, what sudo says would not be understood.
        return ["env", "LC_ALL=C", "sudo", *asking, "-H", "-u", self._rights.user, "--", *python]

    def _begin(self) -> None:
        """Wait for Python, and answer sudo once."""
        deadline, answered = monotonic() + _START, False
        while not self._started():
            asked = self._lines.errors().count(self._prompt.encode())
            if answered and (asked > 1 or b"try again" in self._lines.errors()):
                raise sudo_refused(self.name)
            if asked and not answered:
                self._lines.send(f"{self._rights.password}\n".encode())
                answered = True
            if self._lines.ended:
                raise self._fault(answered=answered)
            if monotonic() >= deadline:
                raise self._silent()
            self._lines.wait(deadline - monotonic())
        self._has_begun = True
        self._lines.forget_errors()

    def _started(self) -> bool:
        while (line := self._lines.next_line()) is not None:
            text = line.decode(errors="replace").strip()
            if text.startswith(f"{self._mark} "):
                version = tuple(int(number) for number in text.split()[1:])
                if version < (3, 9):
                    raise python_too_old(self.name, self._python, version)
                return True
            self._noise = [*self._noise, text][-_KEPT:]
        return False

    def _fault(self, *, answered: bool) -> AdminError:
        said = [*self._noise, self._lines.rest().decode(errors="replace")]
        errors = self._lines.errors().decode(errors="replace").replace(self._prompt, "")
        ended = Ended(self._lines.status(_STATUS), tuple(line for line in said if line.strip()), errors)
        return why_not_started(self.name, self._python, self._rights.user, ended, answered=answered)

    def _silent(self) -> AdminError:
        said = self._noise[-1:] or [self._lines.last_words()]
        return unreachable_error(
            "host-silent",
            f"{self.name}: {self._python} did not start within {_START:g} seconds; the last words there: {said[0]}",
            f"try it: ssh {self.name} {self._python} --version",
        )


def _require_one_line(name: str, rights: Rights) -> None:
    if rights.password is not None and ("\n" in rights.password or "\0" in rights.password):
        raise configuration_error(
            "sudo-password-invalid", f"{name}: the password for sudo has more than one line", "check its file"
        )
    if not rights.user or rights.user.startswith("-"):
        raise configuration_error("become-user-unknown", f"{name}: {rights.user!r} names no user")
