"""Runs restic and borg, and says in one line what they fail of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from omeroadmin.backups.engines.archiver import LONG
from omeroadmin.errors import AdminError, configuration_error, failed_error, locked_error, unreachable_error
from omeroadmin.system import process, program_output

_MISSING = ("Is there a repository at the following location", "does not exist", "is not a valid repository")
_PASSWORD = (
    "wrong password",
    "no key found",
    "passphrase supplied in",
    "can not acquire a passphrase",
    "an empty password is not a password",
)
_LOCKED = ("already locked", "Failed to create/acquire the lock")
_AWAY = (
    "connection refused",
    "Connection closed by remote host",
    "no such host",
    "dial tcp",
    "Host key verification failed",
    "Permission denied (publickey",
    "Could not resolve hostname",
)


class Program:
    """A program of which each call is about one repository.

    :param name: ``restic``
    :param repository: for messages; without a password
    :param environment: variables for it
    """

    def __init__(self, name: str, repository: str, environment: Mapping[str, str]) -> None:
        self.name = name
        self.repository = repository
        self._environment = environment

    def run(
        self, *arguments: str, directory: Path | None = None, accepted: Sequence[int] = (0,), timeout: float = LONG
    ) -> str:
        """Run it to its end.

        :param accepted: exit statuses that are no failure
        :return: its stdout
        :raises AdminError: ``program-missing``, ``backup-target-missing``, ``backup-password-wrong``, ``locked``,
            ``backup-target-unreachable``, ``backup-program-failed``
        """
        done = process.run([self.name, *arguments], timeout=timeout, environment=self._environment, directory=directory)
        if done.status not in accepted:
            raise self.failure(done.status, done.error_output or done.output)
        return done.output

    def feed(self, *arguments: str, chunks: Iterable[bytes], accepted: Sequence[int] = (0,)) -> None:
        """Run it to its end with something on stdin.

        :raises AdminError: as :meth:`run`
        """
        done = process.feed([self.name, *arguments], chunks, timeout=LONG, environment=self._environment)
        if done.status not in accepted:
            raise self.failure(done.status, done.error_output or done.output)

    @contextlib.contextmanager
    def reading(self, *arguments: str) -> Iterator[IO[bytes]]:
        """What it writes, as it comes. Left early, it is ended; read to its end, it must have succeeded.

        :raises AdminError: as :meth:`run`
        """
        with program_output.reading([self.name, *arguments], environment=self._environment) as running:
            yield running.output
            if not running.output.read(1):
                done = running.finish()
                if not done.succeeded:
                    raise self.failure(done.status, done.error_output)

    def failure(self, status: int, words: str) -> AdminError:
        """The one line for a call that failed."""
        line = _telling(words)
        if any(sign in words for sign in _LOCKED):
            return locked_error("locked", f"{self.repository} is locked: {line}", "wait for whoever uses it")
        if any(sign in words for sign in _PASSWORD):
            variable = "RESTIC_PASSWORD_FILE" if self.name == "restic" else "BORG_PASSCOMMAND"
            return configuration_error(
                "backup-password-wrong",
                f"{self.repository} can't be opened: {line}",
                f"omero config set omero.backup.password_file FILE, or set {variable}",
            )
        if any(sign in words for sign in _AWAY):
            return unreachable_error(
                "backup-target-unreachable", f"{self.repository} can't be reached: {line}", "check the connection"
            )
        if any(sign in words for sign in _MISSING):
            address = f"{self.name}:{self.repository}"
            return configuration_error(
                "backup-target-missing",
                f"{address} holds no snapshots",
                f"take one: omero backup create --target {address}",
            )
        return failed_error(
            "backup-program-failed", f"{self.name} ended with status {status}: {line}", f"{self.name} --help"
        )


def _telling(words: str) -> str:
    """The line that says most: restic's is the one with "Fatal", borg's the last one."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("Fatal: ")]
    return (fatal or lines or ["(no output)"])[-1].removeprefix("Fatal: ")
