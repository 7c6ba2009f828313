"""Why a server can't run here, for the node daemon and the admin who asks it."""

from __future__ import annotations

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.schema.instance import Instance
from omeroadmin.system import files

NOT_INSTALLED = 69
"""Exit status: something optional isn't installed."""
MISCONFIGURED = 78
"""Exit status: configuration or database is wrong; starting again wouldn't help."""
CRASHED = 1
"""Exit status: starting again may help."""


class ServiceFailure(Exception):  # noqa: N818 - the end of a server, not always an error
    """A server's reason for not running, with its exit status.

    :param reason: one line; no secrets
    """

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason = " ".join(reason.split())
        self.status = status


def not_installed(reason: str) -> ServiceFailure:
    """Something optional is missing: the server is disabled and the start goes on."""
    return ServiceFailure(reason, NOT_INSTALLED)


def misconfigured(reason: str) -> ServiceFailure:
    """Configuration or database is wrong: the start fails with this reason."""
    return ServiceFailure(reason, MISCONFIGURED)


def failure_of(error: AdminError) -> ServiceFailure:
    """What an expected failure of the library means for a server."""
    wrong = error.exit_status in (ExitStatus.CONFIGURATION, ExitStatus.USAGE)
    return ServiceFailure(error.message, MISCONFIGURED if wrong else CRASHED)


def record(instance: Instance, server_id: str, failure: ServiceFailure) -> None:
    """Leave the reason in ``var/run/<server id>.failure``.

    :raises AdminError: ``file-not-written``
    """
    path = instance.run_directory / f"{server_id}.failure"
    files.write_atomically(path, failure.reason + "\n", mode=files.SECRET_MODE)


def forget(instance: Instance, server_id: str) -> None:
    """Remove the reason of an earlier run."""
    (instance.run_directory / f"{server_id}.failure").unlink(missing_ok=True)
