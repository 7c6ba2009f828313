"""Drives pgBackRest: argument lists, its words as errors of ours, no secrets where others can read them."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.database.connection import DatabaseAddress
from omeroadmin.database.physical.catalog import Catalog, RepositoryFault, read_catalog, read_report
from omeroadmin.database.physical.layout import STANZA, PhysicalLayout, configuration_text
from omeroadmin.errors import AdminError, configuration_error, failed_error, locked_error
from omeroadmin.system import files, process
from omeroadmin.system.process import Completed
from omeroadmin.system.scratch import end_processes

_QUICK = 60.0
_LONG = 12 * 3600.0
"""Seconds for what reads or writes a whole cluster: a bound for what hangs, not for what is large."""

_CODE = re.compile(r"ERROR: \[(\d{3})\]:\s*(.*)")
_LOCKED = "050"
_BACKED_UP = re.compile(r"(?m)^P\d+\s+INFO: new backup label = (\S+)$")


@dataclass(frozen=True)
class PgBackRest:
    """pgBackRest with one configuration.

    :param program: its path
    :param configuration: path of its configuration file
    """

    program: Path
    configuration: Path

    def create_stanza(self, superuser: DatabaseAddress) -> None:
        """Make the repository ready for a running cluster; one that is ready is left alone.

        :raises AdminError: ``physical-unsupported``, ``physical-failed``
        """
        self._run(["stanza-create"], timeout=_QUICK, superuser=superuser)

    def check(self, superuser: DatabaseAddress) -> None:
        """Make sure that what the cluster logs arrives in the repository.

        :raises AdminError: ``physical-failed``
        """
        self._run(["check"], timeout=_LONG, superuser=superuser)

    def back_up(self, superuser: DatabaseAddress, kind: str, work: Path) -> str:
        """Take a backup of a running cluster. The caller is the only one; what a killed one has left running is ended.

        :param work: private directory that pgBackRest works in, so that it is found
        :param kind: ``full``, ``diff``, ``incr``; without a full one it becomes full
        :return: its label
        :raises AdminError: ``locked``, ``physical-failed``, ``processes-not-ended``
        """
        files.make_directory(work, mode=0o700)
        end_processes(work)
        arguments = [f"--type={kind}", "--log-level-console=info", "backup"]
        done = self._run(arguments, timeout=_LONG, superuser=superuser, directory=work)
        found = _BACKED_UP.search(done.output)
        if found is None:
            raise failed_error("physical-failed", f"pgBackRest named no backup: {done.last_words()}")
        return found.group(1)

    def catalog(self) -> Catalog:
        """What the repository holds.

        :raises AdminError: ``physical-answer-invalid``, ``physical-failed``
        """
        return read_catalog(self._run(["info", "--output=json"], timeout=_QUICK).output, STANZA)

    def expire(self, keep: int) -> None:
        """Remove all but the newest full backups, what rests on the removed ones, and the archive before the oldest.

        :param keep: full backups that stay
        :raises AdminError: ``locked``, ``physical-failed``
        """
        self._run([f"--repo1-retention-full={keep}", "expire"], timeout=_LONG)

    def verify(self) -> list[RepositoryFault]:
        """Read all backups and the archive again, and compare their checksums.

        :raises AdminError: ``physical-failed``
        """
        return read_report(self._run(["verify", "--output=text"], timeout=_LONG).output)

    def restore(self, data: Path, label: str, *, tablespaces: Path) -> None:
        """Restore the files of a backup into a directory that is there and empty; what recovery does is left open.

        :param data: pgBackRest works in the directory above, so that who clears that away finds it
        :param tablespaces: where tablespaces go, should the cluster have any
        :raises AdminError: ``physical-failed``
        """
        words = [
            f"--pg1-path={data}",
            f"--set={label}",
            f"--tablespace-map-all={tablespaces}",
            "--type=none",
            "restore",
        ]
        self._run(words, timeout=_LONG, directory=data.parent)

    def _run(
        self,
        arguments: Sequence[str],
        *,
        timeout: float,
        superuser: DatabaseAddress | None = None,
        directory: Path | None = None,
    ) -> Completed:
        words = [str(self.program), f"--config={self.configuration}", f"--stanza={STANZA}"]
        variables = {"LC_ALL": "C"}
        with contextlib.ExitStack() as stack:
            if superuser is not None:
                # Without a socket's path in its configuration libpq takes host and password from the environment.
                words += [f"--pg1-port={superuser.port}", f"--pg1-user={superuser.user}"]
                variables |= stack.enter_context(superuser.environment())
            done = process.run([*words, *arguments], timeout=timeout, environment=variables, directory=directory)
        if not done.succeeded:
            raise explain(done)
        return done


@contextlib.contextmanager
def reading(program: Path, repository: Path) -> Iterator[PgBackRest]:
    """pgBackRest for what needs no cluster: a look at a repository, its verification, its expiry.

    :param program: pgBackRest's path
    :raises AdminError: ``path-unusable``
    """
    with tempfile.TemporaryDirectory(prefix="omero-pgbackrest-") as directory:
        layout = PhysicalLayout(Path(directory), repository)
        files.write_atomically(layout.configuration, configuration_text(layout), mode=files.SECRET_MODE)
        yield PgBackRest(program, layout.configuration)


def find_pgbackrest() -> Path:
    """pgBackRest's program.

    :raises AdminError: ``pgbackrest-missing``
    """
    found = process.find_program("pgbackrest")
    if found is None:
        raise configuration_error("pgbackrest-missing", "pgBackRest is not installed", "apt install pgbackrest")
    return found


def refuse_unsupported(program: Path, data: Path) -> None:
    """Make sure that pgBackRest knows the PostgreSQL that a cluster was made by: it is tried, on nothing of value.

    :param data: the cluster's data directory, running or not
    :raises AdminError: ``physical-unsupported``
    """
    with tempfile.TemporaryDirectory(prefix="omero-pgbackrest-") as directory:
        arguments: list[str | Path] = [
            program,
            "--no-config",
            f"--stanza={STANZA}",
            f"--pg1-path={data}",
            f"--repo1-path={directory}/repository",
            f"--lock-path={directory}/lock",
            "--log-level-file=off",
            "--log-level-console=off",
            "--log-timestamp=n",
            "--no-online",
            "stanza-create",
        ]
        done = process.run(arguments, timeout=_QUICK, environment={"LC_ALL": "C"})
    if not done.succeeded:
        raise explain(done)


def explain(done: Completed) -> AdminError:
    """The failure that pgBackRest's words stand for."""
    code, words = _words(done)
    if code == _LOCKED:
        return locked_error("locked", "another pgBackRest works on the same cluster", "wait until it has ended")
    if "unexpected control version" in words or "unexpected WAL magic" in words:
        version = process.run([done.arguments[0], "version"], timeout=_QUICK).output.strip()
        return configuration_error(
            "physical-unsupported",
            f"{version or 'this pgBackRest'} does not know the version of PostgreSQL that made this cluster",
            "install a newer pgBackRest; backups without --physical work with every version",
        )
    return failed_error("physical-failed", f"pgBackRest: {words}", "its configuration: omero backup archive --dry-run")


def _words(done: Completed) -> tuple[str, str]:
    """Code and message of the first error; further lines of it are indented."""
    lines = (done.error_output or done.output).splitlines()
    for number, line in enumerate(lines):
        found = _CODE.search(line)
        if found is None:
            continue
        rest = [more.strip() for more in lines[number + 1 :]]
        hints = [more for more in rest if more and not _CODE.search(more)][:3]
        return found.group(1), "; ".join([found.group(2).strip(), *hints])
    return "", done.last_words()
