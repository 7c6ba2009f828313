"""The fire drill: a snapshot becomes a running server in a scratch directory, is used as by a client, and goes again.

It shows that a restore works and how long it takes. It needs nothing but the target.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.backups.drills import Drill, record_drill
from omeroadmin.backups.faults import Fault, FaultList
from omeroadmin.backups.keys import NO_KEYS, Keys
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.backups.store import using_snapshot
from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.errors import AdminError, ExitStatus, configuration_error
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import monotonic, utc_now
from omeroadmin.system.interrupts import endings_interrupt
from omeroadmin.system.scratch import scratch_directory
from omeroadmin.workflows import preconditions
from omeroadmin.workflows.backup_scope import CERTIFICATES
from omeroadmin.workflows.backup_target import open_target
from omeroadmin.workflows.drill_reading import choose_samples, count_faults, count_objects, read_sample
from omeroadmin.workflows.drill_server import drill_ports, isolate, logged_in, set_root_password
from omeroadmin.workflows.lifecycle import start
from omeroadmin.workflows.reporter import SILENT, Reporter
from omeroadmin.workflows.restore import RestoreWish, carry_out, plan_restore
from omeroadmin.workflows.restore_steps import RestoreReport

KIND = "omero-drill"
"""Beginning of the names of scratch directories."""


@dataclass(frozen=True)
class DrillWish:
    """What was asked for.

    :param target: address of the target
    :param snapshot: id, the beginning of one, or ``latest``
    :param scratch: directory in which the scratch instance is made; by default the system's for temporary files
    :param keys: what opens a sealed snapshot
    :param present: properties of the instance that is here: which file has the password of a repository
    """

    target: str | Path
    snapshot: str = "latest"
    scratch: Path | None = None
    jobs: int = 2
    keys: Keys = NO_KEYS
    present: Settings | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Drilled:
    """The outcome.

    :param fault_count: how many faults were found
    :param faults: the first of them
    """

    snapshot: Snapshot
    record: Drill
    fault_count: int
    faults: tuple[Fault, ...]

    @property
    def succeeded(self) -> bool:
        """Whether nothing was wrong."""
        return self.fault_count == 0


def drill_backup(wish: DrillWish, reporter: Reporter = SILENT) -> Drilled:
    """Restore a snapshot into a scratch instance, use it, and take it down; a success is recorded with the snapshot.

    What killed drills have left in the scratch directory is removed first. SIGTERM and SIGHUP are as good as Ctrl-C.

    :raises AdminError: ``drill-no-room``, ``directory-missing``, and those of
        :func:`omeroadmin.workflows.restore.plan_restore` and :func:`omeroadmin.workflows.lifecycle.start`
    """
    base = Path(tempfile.gettempdir()) if wish.scratch is None else wish.scratch.absolute()
    with open_target(wish.present, wish.target) as engine, using_snapshot(engine, wish.snapshot) as snapshot:
        with endings_interrupt(), scratch_directory(base, KIND) as directory:
            _require_room(base, snapshot)
            drilled = _Drill(wish, snapshot, directory, reporter).run()
        record_drill(engine, snapshot.id, drilled.record if drilled.succeeded else None)
    return drilled


def _require_room(base: Path, snapshot: Snapshot) -> None:
    free = shutil.disk_usage(base).free
    if free < snapshot.size:
        raise configuration_error(
            "drill-no-room",
            f"a drill restores {snapshot.size} bytes of files, and {base} has {free} free",
            "name a directory on a larger disk: --scratch DIR",
        )


class _Drill:
    """One drill in its directory; times are seconds."""

    def __init__(self, wish: DrillWish, snapshot: Snapshot, directory: Path, reporter: Reporter) -> None:
        self._wish = wish
        self._snapshot = snapshot
        self._directory = directory
        self._reporter = reporter
        self._instance = Instance(directory / "OMERO.server")
        self._faults = FaultList()

    def run(self) -> Drilled:
        began = monotonic()
        report = self._restore()
        restored = monotonic()
        self._check_certificates()
        settings = isolate(self._instance, self._directory / "certs")
        self._reporter.progress("starting the restored server")
        embedded.start(self._instance, settings)
        with connect(DatabaseAddress.from_settings(settings)) as connection:
            user, password = set_root_password(connection)
            samples, counts = choose_samples(connection), count_objects(connection)
        self._start()
        started = monotonic()
        with logged_in(settings, user, password) as client:
            for sample in samples:
                self._reporter.progress(f"reading {sample}")
                self._faults.extend(read_sample(client, sample, settings.managed_repository))
            self._faults.extend(count_faults(client, counts))
        record = Drill(
            finished=utc_now().timestamp(),
            seconds=monotonic() - began,
            restore_seconds=restored - began,
            start_seconds=started - restored,
            files=report.files,
            size=report.size,
            rows=report.rows,
            formats=tuple(sample.format for sample in samples),
            **counts,
        )
        return Drilled(self._snapshot, record, self._faults.count, tuple(self._faults.kept))

    def _restore(self) -> RestoreReport:
        self._reporter.progress(f"restoring {self._snapshot.id}: {self._snapshot.files} files")
        wish = RestoreWish(
            self._wish.target,
            self._snapshot.id,
            self._instance.omerodir,
            self._directory / "OMERO",
            jobs=self._wish.jobs,
            properties=drill_ports(),
            keys=self._wish.keys,
            present=self._wish.present,
        )
        with plan_restore(wish) as plan:
            report = carry_out(plan)
        self._faults.extend(report.faults.kept)
        self._faults.count += report.faults.count - len(report.faults.kept)
        for what, found, saved in (
            ("files", report.files, self._snapshot.files),
            ("rows", report.rows, self._snapshot.rows),
        ):
            if found != saved and not report.faults.count:
                self._faults.add(Fault("count-differs", what, f"{found} were restored, {saved} were saved"))
        return report

    def _start(self) -> None:
        """Start the server; what it says besides is of interest only if it can't be started."""
        words = _Kept(self._reporter)
        try:
            start(self._instance, reporter=words)
        except AdminError:
            for line in words.lines:
                self._reporter.say(line)
            raise

    def _check_certificates(self) -> None:
        """Whether a restored server could start with the certificate that was saved; the drill uses one of its own."""
        settings = load_settings(self._instance)
        if not self._saved_certificates(settings):
            return
        try:
            preconditions.check_certificates(settings)
        except AdminError as error:
            if error.exit_status != ExitStatus.CONFIGURATION:
                raise
            self._faults.add(Fault(error.code, "certificate", f"a restored server would not start: {error.message}"))

    def _saved_certificates(self, settings: Settings) -> bool:
        return CERTIFICATES in self._snapshot.roots or (settings.data_directory / "certs").is_dir()


class _Kept:
    """A reporter that keeps what is said."""

    def __init__(self, reporter: Reporter) -> None:
        self.lines: list[str] = []
        self._reporter = reporter

    def say(self, line: str) -> None:
        """Keep a line."""
        self.lines.append(line)

    def progress(self, line: str) -> None:
        """Pass a line on."""
        self._reporter.progress(line)
