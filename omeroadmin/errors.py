"""Every failure that an admin may meet, as one exception type.

Library code raises an :class:`AdminError`; only the command line turns it into words on stderr and an exit
status. The code is stable: scripts and documentation may refer to it.
"""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """What the shell sees. Never above 125 but for an interrupt."""

    DONE = 0
    BUG = 1
    USAGE = 2
    CONFIGURATION = 3
    UNREACHABLE = 4
    FAILED = 5
    LOCKED = 6
    CHANGES_PENDING = 8
    INTERRUPTED = 130


class AdminError(Exception):
    """An expected failure: what is wrong, and what to do next.

    :param code: stable kebab-case name, e.g. ``omerodir-unset``
    :param message: one line, with the names and values concerned; no secrets
    :param hint: the next step, a command where there is one
    :param exit_status: status of the process
    """

    def __init__(self, code: str, message: str, *, hint: str = "", exit_status: ExitStatus) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.exit_status = exit_status

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process boundaries in worker pools."""
        return (_rebuild, (self.code, self.message, self.hint, self.exit_status))


class AdminWarning(UserWarning):
    """What an admin should know although the operation succeeds; given through :func:`warnings.warn`."""


def printable(text: str) -> str:
    """Text as one line: what names, paths and values hold must not steer a terminal, nor look like a line of ours."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def located(error: AdminError, origin: str) -> AdminError:
    """The same error, with its place in front."""
    return AdminError(error.code, f"{origin}: {error.message}", hint=error.hint, exit_status=error.exit_status)


def _rebuild(code: str, message: str, hint: str, exit_status: ExitStatus) -> AdminError:
    return AdminError(code, message, hint=hint, exit_status=exit_status)


def usage_error(code: str, message: str, hint: str = "") -> AdminError:
    """What was typed can't be meant (status 2)."""
    return AdminError(code, message, hint=hint, exit_status=ExitStatus.USAGE)


def configuration_error(code: str, message: str, hint: str = "") -> AdminError:
    """A setting, file or precondition is wrong (status 3)."""
    return AdminError(code, message, hint=hint, exit_status=ExitStatus.CONFIGURATION)


def unreachable_error(code: str, message: str, hint: str = "") -> AdminError:
    """A server, host or database does not answer (status 4)."""
    return AdminError(code, message, hint=hint, exit_status=ExitStatus.UNREACHABLE)


def failed_error(code: str, message: str, hint: str = "") -> AdminError:
    """The operation was tried and failed (status 5)."""
    return AdminError(code, message, hint=hint, exit_status=ExitStatus.FAILED)


def locked_error(code: str, message: str, hint: str = "") -> AdminError:
    """Somebody else is at it (status 6)."""
    return AdminError(code, message, hint=hint, exit_status=ExitStatus.LOCKED)
