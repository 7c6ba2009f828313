"""The words that operations use: wishes, facts, changes, failures.

Everything below ``omeroadmin/provisioning/agent`` runs on hosts, too, sent there as source: it imports nothing but the
standard library and itself, and runs with Python 3.9.
"""

from __future__ import annotations

import errno
from typing import Any, NamedTuple

Wish = dict[str, Any]
"""What an operation should make true: a JSON object with its fields, all of them, defaults filled in."""
Facts = dict[str, Any]
"""What is true of what the wish is about: a JSON object. Never a secret value."""
Undo = dict[str, Any]
"""What takes a change back: a JSON object that the operation's own ``undo`` understands. No secrets."""


_HINTS = {errno.ENOSPC: "make room there: df -h", errno.EROFS: "see why it can't be written: findmnt"}


class Change(NamedTuple):
    """One change, for the plan and for the journal.

    :param action: what ``apply`` has to do, a word of the operation's own
    :param words: one line for people, starting with a verb: ``write /etc/motd``
    :param before: present text for a diff; ``None`` where there is none to show
    :param after: wished text for a diff
    :param waits: whether it alters nothing: shown in a plan, but not counted, and it triggers nothing
    """

    action: str
    words: str
    before: str | None = None
    after: str | None = None
    waits: bool = False


class HostError(Exception):
    """An expected failure on a host: what is wrong and what to do next, as ``AdminError`` on the controller.

    :param code: stable kebab-case name
    :param message: one line with the names and values concerned; no secrets
    :param hint: the next step
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def record(self) -> dict[str, str]:
        """For the protocol."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


def system_failure(doing: str, path: str, error: OSError) -> HostError:
    """The failure of a system call.

    :param doing: a participle: ``written``, ``read``, ``made``
    """
    why = error.strerror or str(error)
    return HostError("host-file-not-" + doing, f"{path} can't be {doing}: {why}", system_hint(error))


def system_hint(error: OSError) -> str:
    """The next step, where the system's own words leave one."""
    return _HINTS.get(error.errno or 0, "")
