"""The database's part of a backup: a dump, and in the same snapshot what the files are held against."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.backups import parts, rows
from omeroadmin.backups.faults import Fault
from omeroadmin.database.cluster_facts import ROLES_NAME, save_cluster
from omeroadmin.database.connection import DatabaseAddress, schema_version, server_version
from omeroadmin.database.dump import dump, exported_snapshot
from omeroadmin.database.programs import Programs, client_programs
from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.schema.settings import Settings
from omeroadmin.version import VERSION
from omeroadmin.workflows.backup_scope import Scope, repository_prefixes

if TYPE_CHECKING:
    from psycopg import Connection


@dataclass(frozen=True)
class SavedDatabase:
    """What is known of a database that was dumped.

    :param repositories: which root or directory of the manifest each repository's UUID stands for
    :param versions: of the toolkit, of PostgreSQL, of the schema
    :param names: name, role and UUID
    :param highest_ids: the highest id by the directory with the files that are named by such ids
    :param faults: what makes the snapshot inconsistent
    :param warnings: what is missing that a restore can do without
    """

    repositories: Mapping[str, str]
    versions: Mapping[str, str]
    names: Mapping[str, str]
    highest_ids: Mapping[str, int]
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def save_database(settings: Settings, scope: Scope, directory: Path, rows_file: Path, *, jobs: int) -> SavedDatabase:
    """Dump the database, and put the rows aside that name files.

    All of it sees the same state. The transaction ends with the dump, and not hours later with the files: until it
    ends, PostgreSQL can't clean up.

    :param directory: gets the dump, the roles and the settings
    :param rows_file: gets the rows
    :param jobs: connections that dump
    :raises AdminError: ``database-empty``, ``postgresql-too-old``, ``dump-failed``, ``file-not-written``, and as
        :func:`omeroadmin.database.connection.connect`
    """
    address = DatabaseAddress.from_settings(settings)
    with exported_snapshot(address) as snapshot:
        connection = snapshot.connection
        version, schema = server_version(connection), schema_version(connection)
        if schema is None:
            raise configuration_error(
                "database-empty", f"the database {address} holds no OMERO schema", "omero db init makes it"
            )
        repositories = repository_prefixes(connection, settings, scope)
        rows.put_aside(rows.named_files(connection, repositories), rows_file)
        programs = client_programs(settings, server_major=version[0])
        saved = SavedDatabase(
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
            _save_cluster(connection, address, programs, directory / parts.CLUSTER),
        )
        dump(address, programs, directory / parts.DATABASE, snapshot=snapshot.id, jobs=jobs)
    parts.make_private(directory / parts.DATABASE)
    return saved


def _save_cluster(
    connection: Connection[Any], address: DatabaseAddress, programs: Programs, directory: Path
) -> tuple[Fault, ...]:
    try:
        save_cluster(connection, address, programs, directory)
    except AdminError as error:
        if error.code not in ("roles-not-saved", "program-missing", "program-timeout"):
            raise
        return (Fault("roles-not-saved", f"{parts.CLUSTER}/{ROLES_NAME}", error.message),)
    return ()
