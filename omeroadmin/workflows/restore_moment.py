"""Makes a second instance as the original was at a moment: its database replayed to it, and the files that fit."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.faults import Fault
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.backups.store import list_snapshots
from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress
from omeroadmin.database.physical.catalog import PhysicalBackup, choose, reaches
from omeroadmin.database.physical.program import find_pgbackrest, reading
from omeroadmin.database.physical.recovery import Recovery
from omeroadmin.database.plan import StartCluster, StopCluster
from omeroadmin.database.programs import Programs, client_programs
from omeroadmin.errors import configuration_error, usage_error
from omeroadmin.profiles.plan import plan_properties
from omeroadmin.repository.layout import inspect_data_directories, plan_data_directories
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.plan import Plan, Step
from omeroadmin.system.clock import utc_now, utc_stamp
from omeroadmin.system.local import LocalHost
from omeroadmin.workflows.backup_physical import physical_repository
from omeroadmin.workflows.backup_target import open_target
from omeroadmin.workflows.restore import (
    Copy,
    RestorePlan,
    RestoreWish,
    look,
    restored_properties,
    saved_configuration,
)
from omeroadmin.workflows.restore_destination import empty_index, interrupted_leftovers, missing_directories
from omeroadmin.workflows.restore_moment_steps import AdoptCluster, CheckFitting, FitFiles, Picks, RecoverCluster
from omeroadmin.workflows.restore_steps import Mark, RestoreReport

LATEST = "latest"
"""Word for as late as the archive reaches."""

_MOST_IN_USE = 200
"""Each takes an open file, of which a process may have 1024."""


def parse_moment(text: str) -> datetime | None:
    """A moment as a person writes it.

    :param text: ISO 8601; without a time zone that of this machine. ``latest``: as late as the archive reaches
    :return: in UTC; ``None`` for ``latest``
    :raises AdminError: ``moment-invalid``
    """
    if text.strip() == LATEST:
        return None
    try:
        moment = datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise usage_error(
            "moment-invalid",
            f"{text!r} is no moment",
            f"write it like {utc_stamp()}, or '2026-11-24 09:30' for this machine's time; or latest",
        ) from error
    if moment > utc_now():
        raise usage_error(
            "moment-invalid", f"{utc_stamp(moment)} is still to come", "name an earlier moment, or --at latest"
        )
    return moment


def plan_moment_restore(wish: RestoreWish, moment: datetime | None) -> RestorePlan:
    """Look at snapshots, repository and destination, and plan.

    :param wish: its snapshot is not looked at
    :param moment: ``None``: as late as the archive reaches
    :raises AdminError: ``physical-missing``, ``moment-too-early``, ``physical-external``, ``pgbackrest-missing``,
        ``postgresql-missing``, and as :func:`omeroadmin.workflows.restore.plan_restore`
    """
    if wish.database is not None:
        raise usage_error(
            "physical-external",
            "a moment can be restored into a PostgreSQL of the instance's own only",
            "leave --db-host out; or restore a snapshot: omero backup restore ID",
        )
    if wish.only:
        raise usage_error(
            "only-with-moment", "--at restores everything", "leave --only out; or restore parts of a snapshot by its ID"
        )
    with contextlib.ExitStack() as stack:
        with open_target(wish.present, wish.target) as engine:
            chosen = _choose(engine, moment)
        stamp = LATEST if moment is None else moment.isoformat()
        copy = look(replace(wish, snapshot=chosen.anchor.id), stack, f" {stamp}")
        stack.enter_context(copy.engine.using([snapshot.id for snapshot in _nearest(chosen)]))
        return _plan(copy, chosen, moment, stack.pop_all())


@dataclass(frozen=True)
class _Chosen:
    """What a moment is made of.

    :param anchor: the snapshot that the configuration is taken of: the last one before the moment, else the first
    :param backup: the physical backup that recovery begins with
    :param repository: where that is
    :param covered: whether a later physical backup proves that the archive reaches the moment
    :param snapshots: all that can be read
    :param unreadable: faults of the others
    """

    anchor: Snapshot
    backup: PhysicalBackup
    repository: Path
    covered: bool
    snapshots: tuple[Snapshot, ...]
    unreadable: tuple[Fault, ...]


def _choose(engine: Engine, moment: datetime | None) -> _Chosen:
    listed = list_snapshots(engine)
    snapshots = [item.snapshot for item in listed if item.snapshot is not None]
    unreadable = [
        Fault("snapshot-damaged", item.id, f"its files can't be looked for: {item.damage}")
        for item in listed
        if item.snapshot is None
    ]
    physical = [item.physical for item in snapshots if item.physical]
    if not physical:
        raise configuration_error(
            "physical-missing",
            f"no snapshot in {engine.address} has a physical backup",
            "from now on: omero backup archive, then omero backup create --physical",
        )
    repository = physical_repository(engine, physical[-1])
    with reading(find_pgbackrest(), repository) as pgbackrest:
        backups = pgbackrest.catalog().backups
        backup = choose(backups, moment)
    covered = moment is not None and reaches(backups, moment)
    return _Chosen(_anchor(snapshots, moment), backup, repository, covered, tuple(snapshots), tuple(unreadable))


def _nearest(chosen: _Chosen) -> list[Snapshot]:
    """The snapshots that are to stay as long as files are looked for in them: most files are in the nearest."""
    return sorted(chosen.snapshots, key=lambda one: abs(one.started - chosen.anchor.started))[:_MOST_IN_USE]


def _anchor(snapshots: Sequence[Snapshot], moment: datetime | None) -> Snapshot:
    before = [item for item in snapshots if moment is None or item.started <= moment.timestamp()]
    return before[-1] if before else snapshots[0]


def _plan(copy: Copy, chosen: _Chosen, moment: datetime | None, resources: contextlib.ExitStack) -> RestorePlan:
    values, settings, properties = restored_properties(copy)
    instance, report = copy.instance, RestoreReport()
    programs = _programs(settings, chosen.backup, copy.snapshot)
    cluster = embedded.cluster_of(instance)
    recovery = Recovery(cluster, chosen.repository, chosen.backup.label, moment, chosen.covered)
    picks = Picks(instance.temporary_directory / "restored-moment")
    places = tuple(copy.places.items())
    port = DatabaseAddress.from_settings(settings).port
    steps: list[Step] = [
        *missing_directories(instance),
        *interrupted_leftovers(copy.destination),
        Mark(copy.destination.mark, copy.destination.source, copy.data, finished=False),
        *saved_configuration(copy),
        *plan_properties(values, properties, instance.config_xml, "backup restore"),
        *plan_data_directories(settings, inspect_data_directories(settings, LocalHost())),
        *empty_index(copy.data),
        RecoverCluster(recovery, find_pgbackrest(), programs, port),
        StartCluster(instance, settings, port),
        AdoptCluster(instance, settings, tuple(copy.snapshot.repositories.items()), picks),
        StopCluster(instance, settings),
        FitFiles(copy.engine, chosen.snapshots, chosen.unreadable, moment, places, picks, report),
        CheckFitting(places, picks, report),
        Mark(copy.destination.mark, copy.destination.source, copy.data, finished=True),
    ]
    verb = "go on restoring" if copy.destination.resumes else "restore"
    when = "as late as the archive reaches" if moment is None else f"as it was at {utc_stamp(moment)}"
    title = f"{verb} {copy.snapshot.omerodir} {when} to {instance.omerodir}, data to {copy.data}"
    source = f"{chosen.backup.label} at {LATEST if moment is None else utc_stamp(moment)}"
    return RestorePlan(source, Plan(title, tuple(steps)), instance, settings, report, resources)


def _programs(settings: Settings, backup: PhysicalBackup, snapshot: Snapshot) -> Programs:
    """PostgreSQL of the very version that made the backup: its files can be read by no other."""
    major = backup.major
    programs = client_programs(settings, server_major=major, whole=True)
    if programs.major != major:
        raise configuration_error(
            "postgresql-missing",
            f"physical backup {backup.label} was made by PostgreSQL {major}, which is not installed",
            f"apt install postgresql-{major}; or restore a snapshot's dump: omero backup restore {snapshot.id}",
        )
    return programs
