"""The database's part of a backup: a dump, and in the same snapshot what the files are held against."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.backups import parts, rows
from omeroadmin.backups.faults import Fault
from omeroadmin.database.cluster_facts import ROLES_NAME, saving_cluster
from omeroadmin.database.connection import DatabaseAddress, schema_version, server_version
from omeroadmin.database.dump import Dumping, dumping, exported_snapshot
from omeroadmin.database.programs import Programs, client_programs
from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.schema.settings import Settings
from omeroadmin.version import VERSION
from omeroadmin.workflows.backup_scope import Scope, repository_prefixes

if TYPE_CHECKING:
    from psycopg import Connection


@dataclass(frozen=True)
class SavedDatabase:
    """What is known of a database that is dumped.

    :param repositories: which root or directory of the manifest each repository's UUID stands for
    :param versions: of the toolkit, of PostgreSQL, of the schema
    :param names: name, role and UUID
    :param highest_ids: the highest id by the directory with the files that are named by such ids
    :param faults: what makes the snapshot inconsistent
    """

    repositories: Mapping[str, str]
    versions: Mapping[str, str]
    names: Mapping[str, str]
    highest_ids: Mapping[str, int]
    faults: tuple[Fault, ...]


class SavingDatabase:
    """A database that is being dumped.

    :param known: what is known of it already
    :param roles: waits for what is saved beside the dump, and gives warnings
    :param transaction: ends with the dump
    :param directory: of the dump
    """

    def __init__(
        self,
        known: SavedDatabase,
        dump: Dumping,
        roles: Callable[[], tuple[Fault, ...]],
        transaction: contextlib.ExitStack,
        directory: Path,
    ) -> None:
        self.known = known
        self.warnings: tuple[Fault, ...] = ()
        """What is missing that a restore can do without; complete at the end."""
        self._dump = dump
        self._roles = roles
        self._transaction = transaction
        self._directory = directory
        self._is_finished = False

    def look(self) -> None:
        """See whether the dump has ended: until its transaction ends as well, PostgreSQL can't clean up.

        :raises AdminError: ``dump-failed``
        """
        if not self._is_finished and self._dump.has_ended:
            self.finish()

    def finish(self) -> None:
        """Wait for the end of the dump.

        :raises AdminError: ``dump-failed``, ``program-timeout``
        """
        if self._is_finished:
            return
        self._dump.finish()
        self._transaction.close()
        parts.make_private(self._directory)
        self.warnings = self._roles()
        self._is_finished = True


@contextlib.contextmanager
def saving_database(
    settings: Settings, scope: Scope, directory: Path, rows_file: Path, *, jobs: int, begun: Callable[[], None]
) -> Iterator[SavingDatabase]:
    """Put the rows aside that name files, and dump the database while the block goes on.

    All of it sees the same state, that of the moment when the block begins or an earlier one. The transaction ends with
    the dump, and not hours later with the files.

    :param directory: gets the dump, the roles and the settings
    :param rows_file: gets the rows
    :param jobs: connections that dump
    :param begun: called as soon as the state is settled that all of it sees
    :raises AdminError: ``database-empty``, ``postgresql-too-old``, ``dump-failed``, ``file-not-written``, and as
        :func:`omeroadmin.database.connection.connect`
    """
    address = DatabaseAddress.from_settings(settings)
    with contextlib.ExitStack() as transaction:
        snapshot = transaction.enter_context(exported_snapshot(address))
        begun()
        connection = snapshot.connection
        version, schema = server_version(connection), schema_version(connection)
        if schema is None:
            raise configuration_error(
                "database-empty", f"the database {address} holds no OMERO schema", "omero db init makes it"
            )
        programs = client_programs(settings, server_major=version[0])
        with (
            contextlib.ExitStack() as beside,
            dumping(address, programs, directory / parts.DATABASE, snapshot=snapshot.id, jobs=jobs) as dump,
        ):
            roles = _begin_cluster(beside, connection, address, programs, directory / parts.CLUSTER)
            repositories = repository_prefixes(connection, settings, scope)
            rows.put_aside(rows.named_files(connection, repositories), rows_file)
            known = SavedDatabase(
                repositories,
                {
                    "omeroadmin": VERSION,
                    "python": platform.python_version(),
                    "postgresql": ".".join(map(str, version)),
                    "schema": str(schema),
                },
                {"name": address.name, "user": address.user, "uuid": rows.database_uuid(connection)},
                rows.highest_ids(connection),
                tuple(rows.unknown_repositories(connection, repositories)),
            )
            yield SavingDatabase(known, dump, roles, transaction, directory / parts.DATABASE)


def _begin_cluster(
    stack: contextlib.ExitStack,
    connection: Connection[Any],
    address: DatabaseAddress,
    programs: Programs,
    directory: Path,
) -> Callable[[], tuple[Fault, ...]]:
    """Begin to save roles and settings.

    :param stack: ends what is begun
    :return: waits for the end, and gives warnings
    """
    try:
        finish = stack.enter_context(saving_cluster(connection, address, programs, directory))
    except AdminError as error:
        missing = _not_saved(error)
        return lambda: missing

    def warnings() -> tuple[Fault, ...]:
        try:
            finish()
        except AdminError as error:
            return _not_saved(error)
        return ()

    return warnings


def _not_saved(error: AdminError) -> tuple[Fault, ...]:
    if error.code not in ("roles-not-saved", "program-missing", "program-timeout"):
        raise error
    return (Fault("roles-not-saved", f"{parts.CLUSTER}/{ROLES_NAME}", error.message),)
