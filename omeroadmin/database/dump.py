"""Dumps for backups, taken in a snapshot that others can share, and restored into an empty database."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.database import cluster as clusters
from omeroadmin.database.cluster import Cluster
from omeroadmin.database.connection import DatabaseAddress, connect, server_version
from omeroadmin.database.embedded import create_database
from omeroadmin.database.programs import Programs
from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.system import files, process

if TYPE_CHECKING:
    from psycopg import Connection

DUMP_TIMEOUT = 12 * 3600.0
"""Seconds for a dump or a restore: a bound for what hangs, not for what is large."""

_COMPRESSION_LEVEL = 1
_SCRATCH_TIMEOUT = 60.0


@dataclass(frozen=True)
class Snapshot:
    """A state of the database that several connections can see.

    :param connection: its transaction keeps the snapshot; read what belongs to the dump through it
    :param id: for ``pg_dump --snapshot``
    """

    connection: Connection[tuple[Any, ...]]
    id: str


@contextlib.contextmanager
def exported_snapshot(address: DatabaseAddress) -> Iterator[Snapshot]:
    """Hold a snapshot for the length of the block.

    :raises AdminError: as :func:`omeroadmin.database.connection.connect`
    """
    from psycopg import IsolationLevel

    with connect(address) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        yield Snapshot(connection, str(row[0]) if row is not None else "")
        connection.rollback()


def dump(
    address: DatabaseAddress,
    programs: Programs,
    directory: Path,
    *,
    snapshot: str | None = None,
    jobs: int = 2,
    timeout: float = DUMP_TIMEOUT,
) -> None:
    """Dump a database in PostgreSQL's directory format; a dump that fails leaves nothing behind.

    :param programs: not older than the server; see :func:`omeroadmin.database.programs.client_programs`
    :param directory: is made, mode 0700, with files of mode 0600
    :param snapshot: of :func:`exported_snapshot`; its connection must stay open
    :param jobs: connections that dump tables at the same time
    :param timeout: seconds
    :raises AdminError: ``dump-exists``, ``postgresql-too-old``, ``dump-failed``, and as
        :func:`omeroadmin.database.connection.connect`
    """
    with dumping(address, programs, directory, snapshot=snapshot, jobs=jobs, timeout=timeout) as under_way:
        under_way.finish()


class Dumping:
    """A dump that is being made."""

    def __init__(self, program: process.Running, address: DatabaseAddress, directory: Path) -> None:
        self._program = program
        self._address = address
        self._directory = directory

    @property
    def has_ended(self) -> bool:
        """Whether pg_dump has come to its end, good or bad."""
        return self._program.has_ended

    def finish(self) -> None:
        """Wait until it is whole.

        :raises AdminError: ``dump-failed``, ``program-timeout``
        """
        done = self._program.finish()
        if not done.succeeded:
            raise failed_error(
                "dump-failed",
                f"pg_dump could not dump {self._address}: {_reason(done)}",
                # Its own directory may be gone by the time that this is read.
                f"check the space left: df -h {self._directory.parent.parent}",
            )
        self._directory.chmod(0o700)
        for path in self._directory.iterdir():
            path.chmod(files.SECRET_MODE)


@contextlib.contextmanager
def dumping(
    address: DatabaseAddress,
    programs: Programs,
    directory: Path,
    *,
    snapshot: str | None = None,
    jobs: int = 2,
    timeout: float = DUMP_TIMEOUT,
) -> Iterator[Dumping]:
    """Dump a database while the block goes on; see :func:`dump`. A block that fails leaves nothing of the dump behind.

    The dump is whole when :meth:`Dumping.finish` returns, which the block must call.
    """
    if directory.exists():
        raise failed_error("dump-exists", f"{directory} is there already", f"remove it: rm -r {directory}")
    _check_programs(address, programs, "dumped")
    arguments: list[str | Path] = [
        programs.path("pg_dump"),
        "--format=directory",
        f"--file={directory}",
        f"--jobs={jobs}",
        f"--compress={_COMPRESSION_LEVEL}",
        "--no-owner",
        "--no-privileges",
        "--no-password",
        *(() if snapshot is None else (f"--snapshot={snapshot}",)),
    ]
    try:
        with (
            address.environment() as environment,
            process.running(arguments, timeout=timeout, environment={**environment, "LC_ALL": "C"}) as program,
        ):
            yield Dumping(program, address, directory)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _reason(done: process.Completed) -> str:
    """The first error: of several connections that dump, one meets it, and the last words are those of another."""
    errors = (line.partition("error: ")[2].strip() for line in done.error_output.splitlines())
    return next((error for error in errors if error), done.last_words())


def restore(
    address: DatabaseAddress,
    programs: Programs,
    directory: Path,
    *,
    jobs: int = 2,
    timeout: float = DUMP_TIMEOUT,
    again: bool = False,
) -> None:
    """Restore a dump into an existing, empty database.

    After a failure the database holds a part: drop it, make it anew with
    :func:`omeroadmin.database.embedded.recreate_database`, or restore the same dump ``again``.

    :param programs: not older than those that made the dump
    :param jobs: connections that restore tables at the same time
    :param timeout: seconds
    :param again: the database was empty until this dump was being restored: what there is of it is replaced
    :raises AdminError: ``dump-missing``, ``database-not-empty``, ``restore-failed``, and as
        :func:`omeroadmin.database.connection.connect`
    """
    if not (directory / "toc.dat").is_file():
        raise configuration_error("dump-missing", f"{directory} holds no dump: it has no toc.dat")
    if again:
        _check_programs(address, programs, "restored")
        _end_orphans(address)
    else:
        check_restorable(address, programs)
    arguments: list[str | Path] = [
        programs.path("pg_restore"),
        *(("--clean", "--if-exists") if again else ()),
        "--format=directory",
        f"--dbname={conninfo(address.name)}",
        f"--jobs={jobs}",
        "--no-owner",
        "--no-privileges",
        "--no-password",
        "--exit-on-error",
        directory,
    ]
    with address.environment() as environment:
        done = process.run(arguments, timeout=timeout, environment={**environment, "LC_ALL": "C"})
    if not done.succeeded:
        raise failed_error(
            "restore-failed",
            f"pg_restore could not restore {directory} into {address}: {done.last_words()}",
            "the database holds a part of the dump: make it anew before the next try",
        )
    with connect(address, autocommit=True) as connection:
        # Without statistics the first queries after a restore read whole tables.
        connection.execute("ANALYZE")


def check_restorable(address: DatabaseAddress, programs: Programs) -> None:
    """Make sure that a database is there, empty, and not newer than the programs.

    :raises AdminError: ``database-not-empty``, ``postgresql-too-old``, and as
        :func:`omeroadmin.database.connection.connect`
    """
    _check_programs(address, programs, "restored")
    _check_empty(address)


def _end_orphans(address: DatabaseAddress) -> None:
    """Cut off what a killed restore has left at work; connections of the same role only, for others are not ours."""
    with connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND usename = current_user AND application_name = 'pg_restore'"
        )


def conninfo(name: str) -> str:
    """A database's name as ``--dbname`` takes it, whatever is in it."""
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{escaped}'"


def _check_programs(address: DatabaseAddress, programs: Programs, verb: str) -> None:
    with connect(address) as connection:
        major = server_version(connection)[0]
    if programs.major < major:
        raise configuration_error(
            "postgresql-too-old",
            f"a database of PostgreSQL {major} can't be {verb} with {programs}",
            f"apt install postgresql-client-{major}, or set omero.db.embedded.bindir",
        )


def _check_empty(address: DatabaseAddress) -> None:
    with connect(address) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v')"
        ).fetchone()
    found = int(row[0]) if row is not None else 0
    if found:
        raise failed_error(
            "database-not-empty",
            f"the database {address} is not empty: it has {found} tables and views",
            "restore into a new instance, or make the database anew first",
        )


@contextlib.contextmanager
def scratch_cluster(programs: Programs, directory: Path, port: int) -> Iterator[DatabaseAddress]:
    """A throwaway cluster with an empty database ``omero``, to try a restore in; gone when the block ends.

    :param programs: not older than those that made the dump
    :param directory: is made, and removed at the end
    :param port: a free port on loopback
    :raises AdminError: ``directory-exists``, ``database-as-root``, ``cluster-not-made``, ``port-taken``,
        ``database-not-started``
    """
    if directory.exists():
        raise _in_the_way(directory)
    cluster = Cluster(directory, directory / "postgresql.log")
    try:
        clusters.initialise(cluster, programs, durable=False)
        clusters.start(cluster, programs, port=port, timeout=_SCRATCH_TIMEOUT, durable=False)
        superuser = cluster.superuser(port)
        scratch = DatabaseAddress(clusters.LOOPBACK, port, "omero", "omero", superuser.password)
        create_database(superuser, scratch)
        yield scratch
    finally:
        clusters.stop(cluster, programs, timeout=_SCRATCH_TIMEOUT, mode="immediate")
        shutil.rmtree(directory, ignore_errors=True)


def _in_the_way(directory: Path) -> AdminError:
    return failed_error("directory-exists", f"{directory} is there already", "name a directory that doesn't exist")
