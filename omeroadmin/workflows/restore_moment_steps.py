"""The steps of a restore to a moment."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from omeroadmin.backups import rows
from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.extract import extract
from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import MANIFEST_NAME, file_checksum, read_manifest
from omeroadmin.backups.moment import Picked, Picker, in_order
from omeroadmin.backups.snapshot import Snapshot, manifest_path
from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, connect, schema_version
from omeroadmin.database.physical.recovery import Recovery, recover
from omeroadmin.database.plan import mark_schema
from omeroadmin.database.programs import Programs
from omeroadmin.errors import AdminError
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files
from omeroadmin.system.clock import utc_now
from omeroadmin.system.host import Host
from omeroadmin.workflows.restore_steps import ADOPT, RestoreReport, check_file


@dataclass
class Picks:
    """What one step finds and the next ones need.

    :param directory: holds rows and manifests of what was picked
    :param highest_ids: the highest ids of the restored database, by the directory with the files that they name
    """

    directory: Path
    highest_ids: dict[str, int] = field(default_factory=dict)
    picked: list[Picked] = field(default_factory=list)

    @property
    def rows_file(self) -> Path:
        """Rows of the restored database."""
        return self.directory / "rows.jsonl.zst"


@dataclass(frozen=True)
class RecoverCluster:
    """Make the cluster of a physical backup and the archive."""

    recovery: Recovery
    program: Path
    programs: Programs
    port: int

    def describe(self) -> str:
        """One line for the plan."""
        moment = self.recovery.moment
        until = "its end" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"
        return f"restore physical backup {self.recovery.label}, and replay the archive up to {until} ({self.programs})"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - a cluster is made where this runs
        """Make the change."""
        recover(self.recovery, self.program, self.programs, port=self.port)


@dataclass(frozen=True)
class AdoptCluster:
    """Make the replayed database this instance's own, and put its rows aside."""

    instance: Instance
    settings: Settings = field(repr=False)
    repositories: tuple[tuple[str, str], ...]
    picks: Picks = field(repr=False, compare=False)

    def describe(self) -> str:
        """One line for the plan."""
        return "give the database this instance's password, and close its old sessions"

    def apply(self, host: Host) -> None:
        """Make the change."""
        shutil.rmtree(self.picks.directory, ignore_errors=True)
        host.make_directory(self.picks.directory, mode=0o700)
        address = DatabaseAddress.from_settings(self.settings)
        embedded.create_database(embedded.superuser_address(self.instance, self.settings), address)
        with connect(address) as connection:
            for statement in ADOPT:
                connection.execute(statement)
            version = schema_version(connection)
            self.picks.highest_ids = rows.highest_ids(connection)
            rows.put_aside(rows.named_files(connection, dict(self.repositories)), self.picks.rows_file)
        if version is not None:
            mark_schema(self.instance, self.settings, version)


@dataclass(frozen=True)
class FitFiles:
    """Find the files that fit the database among those of all snapshots, and bring them out."""

    engine: Engine = field(repr=False)
    snapshots: tuple[Snapshot, ...] = field(repr=False)
    unreadable: tuple[Fault, ...] = field(repr=False)
    moment: datetime | None
    places: tuple[tuple[str, Path], ...]
    picks: Picks = field(repr=False, compare=False)
    report: RestoreReport = field(repr=False, compare=False)

    def describe(self) -> str:
        """One line for the plan."""
        directories = ", ".join(str(place) for _, place in self.places)
        count = f"{len(self.snapshots)} snapshots" if len(self.snapshots) > 1 else "the snapshot"
        return f"restore the files that fit the database, out of {count}, to {directories}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - files are restored where this runs
        """Make the change."""
        moment = self.moment or utc_now()
        moment_ns = int(moment.timestamp() * 1e9)
        picker = Picker(self.picks.rows_file, moment_ns, self.picks.highest_ids, self.picks.directory)
        left_out: list[Fault] = list(self.unreadable)
        for number, snapshot in enumerate(in_order(self.snapshots, moment.timestamp())):
            if number >= _NEIGHBOURS and not picker.missing:
                break
            fault = self._take(picker, snapshot, others=number < _NEIGHBOURS)
            if fault is not None and number < _NEIGHBOURS:
                self.report.faults.add(fault)
            elif fault is not None:
                left_out.append(fault)
        self.report.rows = picker.rows
        if picker.missing:
            self.report.faults.extend([*left_out, *picker.faults()])
        self.picks.picked = picker.picked
        self._extract(picker.picked)

    def _take(self, picker: Picker, snapshot: Snapshot, *, others: bool) -> Fault | None:
        """Pick of one snapshot; the fault of one that can't be read."""
        try:
            with self.engine.parts(snapshot.id, only=(MANIFEST_NAME,)) as directory:
                manifest = manifest_path(directory)
                if file_checksum(manifest) == snapshot.manifest_checksum:
                    picker.take(snapshot.id, manifest, others=others)
                    return None
                problem = "its manifest has changed since the backup"
        except AdminError as error:
            if error.code not in ("manifest-damaged", "file-not-read"):
                raise
            problem = error.message
        place = self.engine.place(snapshot.id)
        return Fault("manifest-damaged", snapshot.id, f"{problem}; its files were left out", place)

    def _extract(self, picked: Iterable[Picked]) -> None:
        snapshots = {snapshot.id: snapshot for snapshot in self.snapshots}
        for item in picked:
            entries = read_manifest(item.manifest)
            done = extract(self.engine, snapshots[item.snapshot_id], entries, dict(self.places))
            self.report.files += done.files
            self.report.size += done.size
            self.report.present += done.present
            self.report.faults.extend(done.faults.kept)
            self.report.faults.count += done.faults.count - len(done.faults.kept)


_NEIGHBOURS = 2
"""The snapshots before and after the moment, which also give what no row of the database names."""


@dataclass(frozen=True)
class CheckFitting:
    """See that each file that was picked is there."""

    places: tuple[tuple[str, Path], ...]
    picks: Picks = field(repr=False, compare=False)
    report: RestoreReport = field(repr=False, compare=False)

    def describe(self) -> str:
        """One line for the plan."""
        return "check that the restored database and files fit"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - files are looked at where this runs
        """Look, and report what doesn't fit.

        :raises AdminError: ``file-not-removed``
        """
        known = {fault.path for fault in self.report.faults.kept}
        places = dict(self.places)
        for picked in self.picks.picked:
            for entry in read_manifest(picked.manifest):
                name, _, relative = entry.path.partition("/")
                if entry.is_file and name in places and entry.path not in known:
                    check_file(places[name] / relative, entry.path, entry.size, self.report.faults)
        try:
            shutil.rmtree(self.picks.directory)
        except OSError as error:
            raise files.file_error("removed", self.picks.directory, error) from error
