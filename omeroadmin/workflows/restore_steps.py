"""The steps of a restore that no domain has by itself."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.backups import parts, rows
from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.extract import extract
from omeroadmin.backups.faults import Fault, FaultList
from omeroadmin.backups.keys import Keys
from omeroadmin.backups.manifest import read_manifest
from omeroadmin.backups.reconcile import Tally, reconcile
from omeroadmin.backups.sealing import opened
from omeroadmin.backups.selection import Amount, Selection
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.database import embedded
from omeroadmin.database.cluster_facts import apply_own_settings
from omeroadmin.database.connection import DatabaseAddress, connect, schema_version
from omeroadmin.database.dump import restore
from omeroadmin.database.plan import DatabaseFacts, mark_schema
from omeroadmin.database.programs import Programs, client_programs
from omeroadmin.errors import configuration_error
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files
from omeroadmin.system.host import Host

# What was true of the original and isn't of the copy: its servers, the sessions of its users, its search index.
ADOPT = (
    "UPDATE session SET closed = now() WHERE closed IS NULL",
    "UPDATE node SET down = now() WHERE down IS NULL",
    "UPDATE configuration SET value = '0' WHERE name = 'PersistentEventLogLoader.v2.current_id'",
)


@dataclass
class RestoreReport:
    """What a restore has come to, filled while its steps are carried out.

    :param files: files that were written
    :param present: files that were there with the right bytes
    :param rows: rows of the restored database that were reconciled
    """

    files: int = 0
    size: int = 0
    present: int = 0
    rows: int = 0
    faults: FaultList = field(default_factory=FaultList)


@dataclass(frozen=True)
class Mark:
    """Note in the instance which restore is under way or done."""

    path: Path
    snapshot: str
    data_directory: Path
    finished: bool
    database: str = ""

    def describe(self) -> str:
        """One line for the plan."""
        return f"note in {self.path} that the restore {'is done' if self.finished else 'has begun'}"

    def apply(self, host: Host) -> None:
        """Make the change."""
        document = {"snapshot": self.snapshot, "data": str(self.data_directory), "finished": self.finished}
        if self.database:
            document["database"] = self.database
        host.write(self.path, json.dumps(document).encode() + b"\n", mode=files.SECRET_MODE)


def read_mark(path: Path) -> dict[str, object]:
    """The note of a restore; empty where there is none."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


@dataclass(frozen=True)
class Unmark:
    """Remove the note that a restore is under way."""

    path: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"remove the note {self.path}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - files are restored where this runs
        """Make the change.

        :raises AdminError: ``file-not-removed``
        """
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise files.file_error("removed", self.path, error) from error


@dataclass(frozen=True)
class EmptyDirectory:
    """Remove what a directory holds that is made anew by the servers."""

    path: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"empty {self.path}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - files are restored where this runs
        """Make the change.

        :raises AdminError: ``file-not-removed``
        """
        try:
            for entry in self.path.iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
        except OSError as error:
            raise files.file_error("removed", self.path, error) from error


@dataclass(frozen=True)
class ExtractFiles:
    """Bring the files out of the target, hashing each on the way."""

    engine: Engine = field(repr=False)
    snapshot: Snapshot = field(repr=False)
    manifest: Path
    places: tuple[tuple[str, Path], ...]
    selection: Selection
    amount: Amount
    report: RestoreReport = field(repr=False, compare=False)

    def describe(self) -> str:
        """One line for the plan."""
        directories = ", ".join(str(place) for name, place in self.places if self.selection.touches(name))
        return f"restore {self.amount.files} files ({self.amount.size} bytes) to {directories}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - files are restored where this runs
        """Make the change."""
        entries = self.selection.entries(read_manifest(self.manifest))
        done = extract(self.engine, self.snapshot, entries, dict(self.places))
        self.report.files, self.report.size, self.report.present = done.files, done.size, done.present
        self.report.faults.extend(done.faults.kept)
        self.report.faults.count += done.faults.count - len(done.faults.kept)


@dataclass(frozen=True)
class RestoreDump:
    """Restore the dump into the database, and make it this instance's own.

    :param directory: the snapshot's
    :param keys: what opens a sealed dump
    :param again: whether an interrupted restore may have left a part in a database that is not the instance's own
    """

    instance: Instance
    settings: Settings = field(repr=False)
    snapshot: Snapshot = field(repr=False)
    directory: Path
    keys: Keys = field(repr=False)
    programs: Programs
    rows_file: Path
    jobs: int
    again: bool = False

    def describe(self) -> str:
        """One line for the plan."""
        return f"restore the dump into {DatabaseAddress.from_settings(self.settings)}, close its old sessions"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - reached by its address
        """Make the change."""
        address = session = DatabaseAddress.from_settings(self.settings)
        if embedded.is_embedded(self.settings):
            session = embedded.superuser_address(self.instance, self.settings)
            # An interrupted restore has left a part.
            embedded.recreate_database(session, address)
        temporary = self.instance.temporary_directory
        wanted, original = [parts.DATABASE, parts.CLUSTER], self.snapshot.database
        with opened(self.directory, self.snapshot, self.keys, only=wanted, temporary=temporary) as clear:
            restore(address, self.programs, clear / parts.DATABASE, jobs=self.jobs, again=self.again)
            role = original.get("user", address.user)
            apply_own_settings(address, session, clear / parts.CLUSTER, database=original["name"], role=role)
        with connect(address) as connection:
            for statement in ADOPT:
                connection.execute(statement)
            version = schema_version(connection)
            rows.put_aside(rows.named_files(connection, self.snapshot.repositories), self.rows_file)
        if version is not None:
            mark_schema(self.instance, self.settings, version)


@dataclass(frozen=True)
class CheckRestored:
    """Reconcile the restored database with the snapshot, and look for the restored files.

    :param rows_file: rows of the restored database; ``None``: it wasn't restored
    """

    manifest: Path
    places: tuple[tuple[str, Path], ...]
    selection: Selection
    rows_file: Path | None
    report: RestoreReport = field(repr=False, compare=False)

    def describe(self) -> str:
        """One line for the plan."""
        if self.rows_file is None:
            return "check that the restored files are there"
        return "check that the restored database and files fit"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - files are looked at where this runs
        """Look, and report what doesn't fit."""
        tally = Tally()
        known = {fault.path for fault in self.report.faults.kept}
        if self.rows_file is not None:
            for fault in reconcile(rows.take_up(self.rows_file), read_manifest(self.manifest), tally):
                self.report.faults.add(fault)
                known.add(fault.path)
            self.rows_file.unlink(missing_ok=True)
        places = dict(self.places)
        for entry in self.selection.entries(read_manifest(self.manifest)):
            name, _, relative = entry.path.partition("/")
            if entry.is_file and name in places and entry.path not in known:
                check_file(places[name] / relative, entry.path, entry.size, self.report.faults)
        self.report.rows = tally.rows


def check_file(place: Path, path: str, size: int, faults: FaultList) -> None:
    """Look whether a restored file is there with its size.

    :param place: where it was restored to
    :param path: as the manifest names it
    :param faults: gets what is wrong
    """
    try:
        found = place.stat().st_size
    except OSError as error:
        faults.add(Fault("file-missing", path, f"is not at {place}: {error.strerror}"))
        return
    if found != size:
        faults.add(Fault("size-differs", path, f"has {found} bytes at {place}, {size} were saved"))


def restore_programs(facts: DatabaseFacts, settings: Settings, snapshot: Snapshot) -> Programs:
    """The programs that restore a snapshot's dump.

    :raises AdminError: ``postgresql-too-old``
    """
    major = snapshot.versions.get("postgresql", "").partition(".")[0]
    programs = facts.programs or client_programs(settings, server_major=int(major) if major.isdigit() else 0)
    refuse_too_old(programs, snapshot)
    return programs


def refuse_too_old(programs: Programs, snapshot: Snapshot) -> None:
    """A dump can't be read by programs older than those that made it.

    :raises AdminError: ``postgresql-too-old``
    """
    version = snapshot.versions.get("postgresql", "")
    major = version.partition(".")[0]
    if major.isdigit() and programs.major < int(major):
        raise configuration_error(
            "postgresql-too-old",
            f"snapshot {snapshot.id} was dumped from PostgreSQL {version}, here is {programs}",
            f"apt install postgresql-{major}",
        )
