"""The steps of a restore from a dump and a mirror."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.backups import rows
from omeroadmin.backups.manifest import read_manifest
from omeroadmin.backups.mirror import copy_mirror
from omeroadmin.backups.reconcile import Tally, reconcile
from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, connect, schema_version
from omeroadmin.database.dump_file import restore_file
from omeroadmin.database.plan import mark_schema
from omeroadmin.database.programs import Programs
from omeroadmin.errors import failed_error
from omeroadmin.repository.layout import read_repository_uuid
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.host import Host
from omeroadmin.workflows.backup_scope import DATA
from omeroadmin.workflows.restore_steps import ADOPT, RestoreReport

if TYPE_CHECKING:
    from psycopg import Connection


@dataclass(frozen=True)
class Original:
    """Where the original had its files, as its database says.

    :param data: its ``omero.data.dir``
    :param managed: its ``omero.managed.dir``, inside of it
    """

    data: Path
    managed: Path


def _manifest(instance: Instance) -> Path:
    return instance.temporary_directory / "mirror.jsonl.zst"


def _rows(instance: Instance) -> Path:
    return instance.temporary_directory / "restored-rows.jsonl.zst"


def _managed(settings: Settings) -> str:
    """Where the manifest has the managed repository."""
    return f"{DATA}/{os.path.relpath(settings.managed_repository.absolute(), settings.data_directory.absolute())}"


@dataclass(frozen=True)
class CopyMirror:
    """Copy the mirror's files, hashing each on the way.

    :param skip: directories at its top that are left out
    """

    mirror: Path
    instance: Instance
    settings: Settings = field(repr=False)
    skip: frozenset[str]
    report: RestoreReport = field(repr=False, compare=False)

    def describe(self) -> str:
        """One line for the plan."""
        return f"copy the files of {self.mirror} to {self.settings.data_directory}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - files are restored where this runs
        """Make the change."""
        managed = _managed(self.settings)
        done = copy_mirror(
            self.mirror,
            self.settings.data_directory,
            _manifest(self.instance),
            root=DATA,
            skip=self.skip,
            with_sha1=_has_recorded_hash(managed),
        )
        self.report.files, self.report.size, self.report.present = done.files, done.size, done.present
        self.report.faults.extend(done.faults.kept)
        self.report.faults.count += done.faults.count - len(done.faults.kept)


def _has_recorded_hash(managed: str) -> Callable[[str], bool]:
    prefixes = (f"{managed}/", f"{DATA}/Files/")
    return lambda path: path.startswith(prefixes)


@dataclass(frozen=True)
class RestoreDumpFile:
    """Restore a dump into the database, and make it this instance's own.

    :param kind: format of the dump, for the plan
    """

    instance: Instance
    settings: Settings = field(repr=False)
    dump: Path
    kind: str
    programs: Programs
    original: Original
    jobs: int
    report: RestoreReport = field(repr=False, compare=False)

    def describe(self) -> str:
        """One line for the plan."""
        address = DatabaseAddress.from_settings(self.settings)
        return f"restore the {self.kind} dump {self.dump} into {address}, close its old sessions"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - reached by its address
        """Make the change.

        :raises AdminError: ``dump-not-omero``, and as :func:`omeroadmin.database.dump_file.restore_file`
        """
        address = DatabaseAddress.from_settings(self.settings)
        if embedded.is_embedded(self.settings):
            # An interrupted restore has left a part.
            embedded.recreate_database(embedded.superuser_address(self.instance, self.settings), address)
        restore_file(address, self.programs, self.dump, jobs=self.jobs)
        with connect(address) as connection:
            version = schema_version(connection)
            if version is None:
                raise failed_error(
                    "dump-not-omero", f"{self.dump} is the dump of another database than OMERO's", "name another dump"
                )
            for statement in ADOPT:
                connection.execute(statement)
            prefixes = repository_prefixes(connection, self.settings, self.original)
            self.report.faults.extend(rows.unknown_repositories(connection, prefixes))
            rows.put_aside(rows.named_files(connection, prefixes), _rows(self.instance))
        mark_schema(self.instance, self.settings, version)


def repository_prefixes(connection: Connection[Any], settings: Settings, original: Original) -> dict[str, str]:
    """Where the manifest has the files of each repository, by UUID.

    A repository is known by its marker among the files, or by the location that the database has for it.

    :raises AdminError: ``marker-invalid``, ``file-not-read``
    """
    managed = _managed(settings)
    places = {original.data: DATA, original.managed: managed}
    prefixes: dict[str, str] = {}
    for uuid, location in rows.registered_repositories(connection).items():
        path = Path(os.path.normpath(location))
        prefix = places.get(path) or (managed if path.name == original.managed.name else None)
        if prefix is not None:
            prefixes[uuid] = prefix
    database_uuid = rows.database_uuid(connection)
    for place, prefix in ((settings.data_directory, DATA), (settings.managed_repository, managed)):
        uuid_on_disk = read_repository_uuid(place, database_uuid) if database_uuid else None
        if uuid_on_disk is not None:
            prefixes[uuid_on_disk] = prefix
    return prefixes


@dataclass(frozen=True)
class CheckMirror:
    """Reconcile the restored database with the copied files."""

    instance: Instance
    report: RestoreReport = field(repr=False, compare=False)

    def describe(self) -> str:
        """One line for the plan."""
        return "check that database and files fit, and name those that don't"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - files are looked at where this runs
        """Look, and report what doesn't fit."""
        tally = Tally()
        manifest, named = _manifest(self.instance), _rows(self.instance)
        self.report.faults.extend(reconcile(rows.take_up(named), read_manifest(manifest), tally))
        self.report.rows = tally.rows
        named.unlink(missing_ok=True)
        manifest.unlink(missing_ok=True)
