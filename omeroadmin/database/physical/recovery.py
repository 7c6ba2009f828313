"""Makes a cluster of a physical backup and the archive, as it was at a moment."""

from __future__ import annotations

import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from omeroadmin.database import cluster as clusters
from omeroadmin.database.cluster import Cluster
from omeroadmin.database.physical.layout import PhysicalLayout, configuration_text, recovery_text
from omeroadmin.database.physical.program import PgBackRest
from omeroadmin.database.programs import Programs
from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.system import files, process
from omeroadmin.system.scratch import end_processes

_REPLAY_TIMEOUT = 12 * 3600.0
"""Seconds for the replay of the archive: a bound for what hangs."""
_STOP_TIMEOUT = 60.0
_SINGLE_TIMEOUT = 120.0
_NOT_OF_A_COPY = re.compile(r"\s*(archive_|restore_command|recovery_)")
"""Settings of ``postgresql.auto.conf`` that a copy must not have: it would write into the original's archive."""
_LAST_COMMIT = re.compile(r"last completed transaction was at log time (.+)$")


@dataclass(frozen=True)
class Recovery:
    """A cluster to be made.

    :param cluster: where; nothing may run in it
    :param repository: pgBackRest's
    :param label: the physical backup that it begins with
    :param moment: ``None``: as late as the archive reaches
    :param covered: whether the archive is known to hold all that was logged until the moment: then a log without a
        later change ends where the moment is
    """

    cluster: Cluster
    repository: Path
    label: str
    moment: datetime | None
    covered: bool = False


def recover(wish: Recovery, program: Path, programs: Programs, *, port: int) -> None:
    """Restore, replay the archive up to the moment, and hand over a stopped cluster with a new superuser's password.

    What an earlier attempt left is removed first. The original's archive is read, never written.

    :param program: pgBackRest's path
    :param programs: of the major version that made the backup
    :param port: a port on loopback that the cluster gets
    :raises AdminError: ``moment-too-late``, ``physical-failed``, ``processes-not-ended``, and those of the cluster
    """
    clusters.refuse_root()
    cluster = wish.cluster
    if cluster.directory.is_dir():
        # A killed attempt may have left PostgreSQL running, or pgBackRest writing.
        end_processes(cluster.directory)
    layout = PhysicalLayout(cluster.directory, wish.repository)
    unfinished = cluster.directory / "data.unfinished"
    for path in (cluster.data, unfinished):
        if path.exists():
            shutil.rmtree(path)
    for path in (cluster.directory, layout.work, unfinished):
        files.make_directory(path, mode=0o700)
    files.write_atomically(layout.configuration, configuration_text(layout), mode=files.SECRET_MODE)
    pgbackrest = PgBackRest(program, layout.configuration)
    pgbackrest.restore(unfinished, wish.label, tablespaces=cluster.directory / "tablespaces")
    _drop_settings(unfinished / "postgresql.auto.conf")
    recovery = recovery_text(program, layout.configuration, wish.moment)
    files.write_atomically(layout.settings, recovery, mode=files.SECRET_MODE)
    (unfinished / "recovery.signal").touch(mode=files.SECRET_MODE)
    unfinished.rename(cluster.data)
    _replay(wish, program, programs, port)
    clusters.stop(cluster, programs, timeout=_STOP_TIMEOUT)
    for path in (layout.settings, layout.configuration):
        path.unlink()
    shutil.rmtree(layout.work, ignore_errors=True)
    _set_password(cluster, programs)


def _drop_settings(path: Path) -> None:
    lines = files.read_text(path).splitlines(keepends=True) if path.is_file() else []
    kept = [line for line in lines if not _NOT_OF_A_COPY.match(line)]
    if kept != lines:
        files.write_atomically(path, "".join(kept))


def _replay(wish: Recovery, program: Path, programs: Programs, port: int) -> None:
    """Start, which ends when the moment is reached and the cluster is one of its own.

    PostgreSQL knows that it has reached a moment by a change that is later.
    """
    log = wish.cluster.log
    begin = log.stat().st_size if log.exists() else 0
    try:
        clusters.start(wish.cluster, programs, port=port, timeout=_REPLAY_TIMEOUT)
    except AdminError as error:
        if error.code != "database-not-started" or "recovery ended before" not in error.message:
            raise
        if not wish.covered:
            raise _too_late(wish, begin) from error
        layout = PhysicalLayout(wish.cluster.directory, wish.repository)
        to_the_end = recovery_text(program, layout.configuration, None)
        files.write_atomically(layout.settings, to_the_end, mode=files.SECRET_MODE)
        clusters.start(wish.cluster, programs, port=port, timeout=_REPLAY_TIMEOUT)


def _too_late(wish: Recovery, begin: int) -> AdminError:
    last = "there is no change in it"
    with wish.cluster.log.open("rb") as stream:
        stream.seek(begin)
        for line in stream:
            found = _LAST_COMMIT.search(line.decode("utf-8", "replace").strip())
            if found is not None:
                last = f"its last change is of {found.group(1)}"
    return configuration_error(
        "moment-too-late",
        f"the archive in {wish.repository} does not reach {wish.moment:%Y-%m-%d %H:%M:%S}: {last}",
        "let the server hand over its log, omero backup create --physical; or name an earlier moment, or --at latest",
    )


def _set_password(cluster: Cluster, programs: Programs) -> None:
    """Give the superuser a password that this instance knows.

    Nobody can log in yet; without a server, whoever owns the files may.
    """
    password = secrets.token_urlsafe(24)
    files.write_atomically(cluster.password_file, password + "\n", mode=files.SECRET_MODE)
    done = process.run(
        [programs.path("postgres"), "--single", "-D", cluster.data.name, "postgres"],
        timeout=_SINGLE_TIMEOUT,
        environment={"LC_ALL": "C", "PGTZ": "UTC"},
        directory=cluster.directory,
        input_text=f"ALTER ROLE {clusters.SUPERUSER} PASSWORD '{password}'\n",
    )
    if not done.succeeded or "ERROR:" in done.error_output:
        raise failed_error(
            "database-not-started", f"the superuser's password could not be set in {cluster.data}: {done.last_words()}"
        )
