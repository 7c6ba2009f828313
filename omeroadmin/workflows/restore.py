"""Makes a second instance of a snapshot: other directory, other ports, the same images.

Nothing that exists is touched without being asked. A restore that was interrupted goes on where it was: files with
the right bytes stay, the database is made anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from omeroadmin.backups import parts
from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.keys import NO_KEYS, Keys
from omeroadmin.backups.manifest import read_manifest
from omeroadmin.backups.sealing import clear_names, opened
from omeroadmin.backups.selection import Amount, Selection, check_found, read_selection
from omeroadmin.backups.snapshot import Snapshot, manifest_path
from omeroadmin.backups.store import using_snapshot
from omeroadmin.backups.verify import check_parts
from omeroadmin.database import embedded
from omeroadmin.errors import failed_error
from omeroadmin.profiles.relocation import relocated
from omeroadmin.profiles.store import read_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import Listener, apply_plan
from omeroadmin.steps.kinds import MakeDirectory, WriteFile
from omeroadmin.steps.plan import Plan, Step
from omeroadmin.system import files
from omeroadmin.system.interrupts import endings_interrupt
from omeroadmin.system.local import LocalHost
from omeroadmin.workflows.backup_scope import CERTIFICATES, DATA, MANAGED, SCRIPTS, managed_place
from omeroadmin.workflows.backup_target import TARGET_PROPERTY, open_target
from omeroadmin.workflows.install import ExternalDatabase
from omeroadmin.workflows.lifecycle import start
from omeroadmin.workflows.restore_destination import (
    Destination,
    database_properties,
    find_destination,
    find_files_destination,
    refuse_unsuitable,
)
from omeroadmin.workflows.restore_files import file_steps
from omeroadmin.workflows.restore_instance_steps import data_steps, database_steps, instance_steps, rows_file, title
from omeroadmin.workflows.restore_room import warn_if_full
from omeroadmin.workflows.restore_steps import (
    CheckRestored,
    Mark,
    RestoreReport,
)

_RENDERED = frozenset(
    {"master.cfg", "internal.cfg", "ice.config", "grid/default.xml", "grid/windefault.xml", "grid/templates.xml"}
)
"""Files below etc that each start writes anew; the absence of internal.cfg means "never started"."""


@dataclass(frozen=True)
class RestoreWish:
    """What was asked for.

    :param target: address of the target
    :param snapshot: id, the beginning of one, or ``latest``
    :param into: directory of the new instance
    :param data_directory: its data; ``None``: beside it, named after it
    :param ports_prefix: text put before the ports; ``None``: as in the snapshot
    :param database: ``None``: a PostgreSQL of the instance's own
    :param overwrite: whether existing files and the existing database may be replaced
    :param properties: what the new instance is to have instead of the snapshot's
    :param only: ``config``, ``database``, ``repository``, and paths of files; empty: everything. Without the first two
        no instance is made, and ``into`` gets the files
    :param keys: what opens a sealed dump and configuration
    :param present: properties of the instance that is here: which file has the password of a repository
    """

    target: str | Path
    snapshot: str
    into: Path
    data_directory: Path | None = None
    ports_prefix: str | None = None
    database: ExternalDatabase | None = None
    overwrite: bool = False
    jobs: int = 2
    properties: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    keys: Keys = NO_KEYS
    present: Settings | None = field(default=None, repr=False)


@dataclass(frozen=True)
class RestorePlan:
    """The plan, and where the outcome will stand. At the end of its block, the target is let go.

    :param source: what is restored, for messages
    :param settings: properties of the restored instance
    :param report: is filled while the plan is carried out
    :param resources: the open target, and what was fetched of it
    :param makes_instance: whether there is a server to start in the end
    """

    source: str
    plan: Plan
    instance: Instance
    settings: Settings = field(repr=False)
    report: RestoreReport
    resources: contextlib.ExitStack = field(repr=False, default_factory=contextlib.ExitStack)
    makes_instance: bool = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.resources.close()


@dataclass(frozen=True)
class SnapshotPlan(RestorePlan):
    """The plan of restoring a snapshot."""

    snapshot: Snapshot = field(repr=False, kw_only=True)


@dataclass(frozen=True)
class Copy:
    """The instance to be made.

    :param directory: the snapshot's files
    :param clear: the same of its configuration, opened
    """

    wish: RestoreWish
    engine: Engine
    snapshot: Snapshot
    directory: Path
    clear: Path
    destination: Destination
    selection: Selection

    @property
    def instance(self) -> Instance:
        """The new one."""
        return self.destination.instance

    @property
    def data(self) -> Path:
        """Its ``omero.data.dir``."""
        return self.destination.data

    @property
    def places(self) -> dict[str, Path]:
        """Where each root of the manifest goes."""
        everything = {
            DATA: self.data,
            MANAGED: self.instance.omerodir.with_name(f"{self.instance.omerodir.name}-managed"),
            CERTIFICATES: self.instance.etc / "certs",
            SCRIPTS: self.instance.scripts_directory,
        }
        return {name: place for name, place in everything.items() if name in self.snapshot.roots}

    @property
    def filled(self) -> list[Path]:
        """Directories that files are restored to."""
        if self.selection.files_only:
            return [self.data]
        return [place for name, place in self.places.items() if self.selection.touches(name)]

    @property
    def stays(self) -> bool:
        """Whether the configuration alone is restored, for the data and the backups that are there."""
        chosen = self.selection
        alone = chosen.configuration and not chosen.database and not chosen.has_data
        return alone and self.wish.data_directory is None

    @property
    def moves(self) -> dict[str, Path]:
        """New directories by the old ones."""
        places = {name: place for name, place in self.places.items() if not (self.stays and name in (DATA, MANAGED))}
        moves = {old: places[name] for name, old in self.snapshot.roots.items() if name in places}
        return {**moves, self.snapshot.omerodir: self.instance.omerodir}


def plan_restore(wish: RestoreWish) -> SnapshotPlan:
    """Look at snapshot and destination, and plan.

    :raises AdminError: ``backup-target-missing``, ``snapshot-unknown``, ``snapshot-ambiguous``, ``snapshot-damaged``,
        ``path-not-saved``, ``backup-key-missing``, ``backup-key-wrong``, ``restore-over-existing``,
        ``restore-into-target``, ``restore-over-running``, ``postgresql-too-old``, and those of the database
    """
    with contextlib.ExitStack() as stack:
        copy = look(wish, stack)
        amount = Amount(copy.snapshot.files, copy.snapshot.size)
        if wish.only:
            amount = check_found(copy.selection, read_manifest(manifest_path(copy.directory)))
        if not (copy.destination.resumes or wish.overwrite):
            warn_if_full(copy.filled, amount.size)
        report = RestoreReport()
        if copy.selection.files_only:
            steps = file_steps(
                copy.engine, copy.snapshot, copy.directory, copy.destination, copy.selection, amount, report
            )
            settings = Settings({})
        else:
            values, settings, properties = restored_properties(copy)
            configuration = saved_configuration(copy) if copy.selection.configuration else []
            steps = [
                *instance_steps(copy, settings, configuration, values, properties),
                *data_steps(copy, settings, amount, report),
                *database_steps(copy, settings),
                CheckRestored(
                    manifest_path(copy.directory),
                    tuple(copy.places.items()),
                    copy.selection,
                    rows_file(copy) if copy.selection.database else None,
                    report,
                ),
                Mark(copy.destination.mark, copy.destination.source, copy.data, finished=True),
            ]
        return SnapshotPlan(
            source=copy.snapshot.id,
            plan=Plan(title(copy), tuple(steps)),
            instance=copy.instance,
            settings=settings,
            report=report,
            makes_instance=not copy.selection.files_only,
            resources=stack.pop_all(),
            snapshot=copy.snapshot,
        )


def carry_out(plan: RestorePlan, listener: Listener | None = None) -> RestoreReport:
    """Carry a restore out; a PostgreSQL that it started is stopped, also after a failure, SIGTERM and SIGHUP.

    :return: with the faults of what could not be restored
    :raises AdminError: of the step that failed
    """
    try:
        with endings_interrupt():
            apply_plan(plan.plan, LocalHost(), listener)
    except BaseException:
        if embedded.is_embedded(plan.settings) and embedded.cluster_of(plan.instance).exists:
            embedded.stop(plan.instance, plan.settings)
        raise
    return plan.report


def start_restored(plan: RestorePlan) -> None:
    """Start the restored server.

    :raises AdminError: as :func:`omeroadmin.workflows.lifecycle.start`
    """
    start(plan.instance)


def look(wish: RestoreWish, stack: contextlib.ExitStack, moment: str = "") -> Copy:
    """Open the target, fetch what the plan is made of, and make sure that it is whole and the destination suits.

    A single damaged image is no reason not to restore the others.

    :param stack: lets go of the target
    :param moment: what besides the snapshot tells this restore from others
    :raises AdminError: as :func:`plan_restore`
    """
    engine = stack.enter_context(open_target(wish.present, wish.target))
    snapshot = stack.enter_context(using_snapshot(engine, wish.snapshot))
    selection = read_selection(wish.only, snapshot.roots, managed_place(snapshot))
    find = find_files_destination if selection.files_only else find_destination
    destination = find(wish.into, wish.data_directory, " ".join((f"{snapshot.id}{moment}", *wish.only)))
    directory = stack.enter_context(engine.parts(snapshot.id))
    copy = Copy(wish, engine, snapshot, directory, directory, destination, selection)
    originals = () if selection.files_only else snapshot.roots.values()
    refuse_unsuitable(destination, copy.filled, engine.local, overwrite=wish.overwrite, originals=originals)
    refuse_damaged(copy)
    if selection.files_only:
        return copy
    clear = opened(directory, snapshot, wish.keys, only=[parts.CONFIGURATION, CERTIFICATES])
    return replace(copy, clear=stack.enter_context(clear))


def refuse_damaged(copy: Copy) -> None:
    """What the plan is made of must be whole.

    :raises AdminError: ``snapshot-damaged``
    """
    faults = list(check_parts(copy.directory, copy.snapshot, copy.engine.place(copy.snapshot.id)))
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise failed_error(
            "snapshot-damaged",
            f"snapshot {copy.snapshot.id} is damaged: {faults[0]}{more}",
            f"restore another one: omero backup list --target {copy.engine.address}",
        )


def restored_properties(copy: Copy) -> tuple[dict[str, str], Settings, dict[str, str]]:
    """The properties that are there, the restored instance's settings, and the properties that differ.

    Those of the snapshot are there where its configuration is restored.
    """
    values = read_profile(copy.clear / parts.CONFIGURATION / "grid" / "config.xml").values
    properties = relocated(values, copy.moves)
    if not copy.stays:
        properties["omero.data.dir"] = str(copy.data)
        # Snapshots of two servers in one target would be taken for one another's.
        if values.get(TARGET_PROPERTY):
            properties[TARGET_PROPERTY] = ""
        if MANAGED in copy.places:
            properties["omero.managed.dir"] = str(copy.places[MANAGED])
    if CERTIFICATES in copy.places:
        properties["omero.glacier2.IceSSL.DefaultDir"] = str(copy.places[CERTIFICATES])
    if copy.wish.ports_prefix is not None:
        properties["omero.ports.prefix"] = copy.wish.ports_prefix
    if copy.selection.database or copy.wish.database is not None:
        properties |= database_properties(copy.destination, values, copy.wish.database, copy.wish.ports_prefix)
    properties |= copy.wish.properties
    settings = Settings({**values, **properties})
    settings.port("ssl")
    if copy.selection.configuration:
        return values, settings, properties
    config_xml = copy.instance.config_xml
    return (read_profile(config_xml).values if config_xml.exists() else {}), settings, properties


def saved_configuration(copy: Copy) -> list[Step]:
    """The files below etc but those that a start writes, and the private keys where they are sealed like these."""
    steps: list[Step] = []
    bases = {parts.CONFIGURATION: copy.instance.etc, CERTIFICATES: copy.instance.etc / "certs"}
    made: set[Path] = {copy.instance.etc, copy.instance.grid_directory}
    for part in sorted(clear_names(copy.snapshot).values()):
        top, _, relative = part.partition("/")
        if top not in bases or (top == parts.CONFIGURATION and relative in _RENDERED):
            continue
        path = files.inside(bases[top], relative)
        for parent in reversed(path.relative_to(copy.instance.etc).parents):
            directory = copy.instance.etc / parent
            if directory not in made:
                steps.append(MakeDirectory(directory, 0o700 if top == CERTIFICATES else 0o755))
                made.add(directory)
        content = files.read_bytes(files.inside(copy.clear, part))
        mode = files.PLAIN_MODE if relative.startswith("templates/") else files.SECRET_MODE
        steps.append(WriteFile(path, content, mode, "as it was saved"))
    return steps
