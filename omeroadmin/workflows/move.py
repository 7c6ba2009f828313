"""``admin move-data`` and ``move-managed``: stop, rename or copy, check, set, start; back again where that fails."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.profiles.plan import SetProperties
from omeroadmin.profiles.relocation import relocated
from omeroadmin.profiles.store import load_settings, read_known_profile
from omeroadmin.repository import moving
from omeroadmin.repository.mirroring import Watcher, differences
from omeroadmin.repository.moving import (
    CopyTree,
    MoveNote,
    PlaceFacts,
    RemoveNote,
    RemoveTree,
    RenameTree,
    Way,
    WriteNote,
)
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import Listener, apply_plan
from omeroadmin.steps.plan import Plan, Step
from omeroadmin.system import locks
from omeroadmin.system.host import Host
from omeroadmin.system.local import LocalHost
from omeroadmin.workflows import preconditions
from omeroadmin.workflows.driver import instance_driver
from omeroadmin.workflows.lifecycle import start, stop
from omeroadmin.workflows.reporter import SILENT, Reporter

DATA = "omero.data.dir"
MANAGED = "omero.managed.dir"

_CAUSE = "admin {}"


@dataclass(frozen=True)
class MoveWish:
    """What was asked for.

    :param property: :data:`DATA` or :data:`MANAGED`
    :param new: where the files are to be
    :param copy: copy also where a rename would do
    :param remove_old: remove the old directory after a copy
    """

    instance: Instance
    property: str
    new: Path
    copy: bool = False
    remove_old: bool = False


@dataclass(frozen=True)
class MovePlan:
    """The plan, and what is needed to take it back.

    :param note: what is under way once the plan has begun
    :param kept: the directory that a copy leaves behind
    :param reversible: number of steps after which there is no way back, because all is well
    """

    plan: Plan
    instance: Instance
    note: MoveNote | None = None
    kept: Path | None = None
    reversible: int = 0


@dataclass(frozen=True)
class StopServer:
    """Stop the server, so that nothing changes any more."""

    instance: Instance
    reporter: Reporter = field(default=SILENT, repr=False, compare=False)

    def describe(self) -> str:
        """One line for the plan."""
        return "stop the server"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - the server runs where this runs
        """Make the change."""
        stop(self.instance, reporter=self.reporter)


@dataclass(frozen=True)
class StartServer:
    """Start the server again."""

    instance: Instance
    reporter: Reporter = field(default=SILENT, repr=False, compare=False)

    def describe(self) -> str:
        """One line for the plan."""
        return "start the server"

    def apply(self, host: Host) -> None:  # noqa: ARG002
        """Make the change."""
        if instance_driver(self.instance).node_process() is None:
            start(self.instance, reporter=self.reporter)


def plan_move(wish: MoveWish, watcher: Watcher | None = None, reporter: Reporter = SILENT) -> MovePlan:
    """Look at what there is and plan what is left to do; a move that was interrupted is gone on with.

    :param watcher: is told how far a copy is
    :raises AdminError: ``started-by-root``, ``half-moved`` for a move to elsewhere, ``move-inside``,
        ``directory-missing``, ``directory-occupied``, ``mounted-below``, ``disk-full``
    """
    instance, new = wish.instance, Path(os.path.normpath(wish.new.absolute()))
    preconditions.refuse_root(instance)
    settings = load_settings(instance)
    note_path = instance.var / moving.NOTE_NAME
    present = moving.read_note(note_path)
    _refuse_another(present, wish.property, new)
    configured = _directory(settings, wish.property)
    if present is None and os.path.realpath(configured) == os.path.realpath(new):
        return MovePlan(Plan(f"{wish.property} is {new}"), instance)
    old = Path(present.old) if present is not None else Path(os.path.realpath(configured))
    _refuse_instance_inside(instance, old)
    if new.is_relative_to(instance.var.absolute()):
        raise configuration_error(
            "move-inside", f"{new} lies in {instance.var}, which is the servers'", "choose another"
        )
    copy = wish.copy or (present is not None and present.way == Way.COPY)
    switched = present is not None and configured == new
    facts = (
        PlaceFacts(old_is_there=old.is_dir(), new_is_there=True, same_disk=False)
        if switched
        else moving.place_facts(old, new, copy=copy, under_way=present is not None)
    )
    note = present or _note(wish, configured, old, new, facts)
    steps: list[Step] = [] if present is not None else [WriteNote(note_path, note)]
    if not switched:
        steps += _transfer(instance, note, facts, watcher, reporter)
        steps.append(_set(instance, note.after, wish.property))
    if note.was_running:
        steps.append(StartServer(instance, reporter))
    reversible = len(steps)
    copied = note.way == Way.COPY
    if copied and wish.remove_old:
        steps.append(RemoveTree(old))
    steps.append(RemoveNote(note_path))
    title = f"{'go on moving' if present is not None else 'move'} {old} to {new}"
    kept = old if copied and not wish.remove_old else None
    return MovePlan(Plan(title, tuple(steps)), instance, note, kept, reversible)


def carry_out(move: MovePlan, listener: Listener | None = None, reporter: Reporter = SILENT) -> None:
    """Carry a move out; a step that fails, or an interrupt, takes it back.

    :raises AdminError: of the step that failed
    """
    if not move.plan:
        return
    begun = 0

    def listen(number: int, count: int, step: Step) -> None:
        nonlocal begun
        begun = number
        if listener is not None:
            listener(number, count, step)

    with _one_at_a_time(move.instance):
        try:
            apply_plan(move.plan, LocalHost(), listen)
        except (AdminError, KeyboardInterrupt):
            if begun > move.reversible:
                raise
            reporter.say("That failed; everything is put back.")
            _put_back(move.instance, reporter)
            raise


def plan_undo(instance: Instance, name: str, reporter: Reporter = SILENT) -> MovePlan:
    """Plan how a move that was interrupted is taken back, whatever it has come to; a partial copy is removed.

    :param name: the property that was being moved
    :raises AdminError: ``nothing-to-undo``, ``copy-in-use``
    """
    preconditions.refuse_root(instance)
    note_path = instance.var / moving.NOTE_NAME
    note = moving.read_note(note_path)
    if note is None or note.property != name:
        raise configuration_error("nothing-to-undo", f"no move of {name} is under way", "omero admin diagnostics")
    old, new = Path(note.old), Path(note.new)
    if note.way == Way.COPY and _directory(load_settings(instance), name) == new:
        raise configuration_error(
            "copy-in-use",
            f"{new} is in use already, and what was imported since is only there",
            f"end the move: omero admin {moving.command_of(name)} {new}; then move it back to another place",
        )
    steps = [*_back(instance, note, reporter), RemoveNote(note_path)]
    if note.way == Way.COPY and new.is_dir():
        steps.insert(0, RemoveTree(new))
    return MovePlan(Plan(f"take back the move of {old} to {new}", tuple(steps)), instance, note)


def undo(move: MovePlan, listener: Listener | None = None) -> None:
    """Carry an undo out; it can be repeated after any interruption.

    :raises AdminError: of the step that failed
    """
    with _one_at_a_time(move.instance):
        apply_plan(move.plan, LocalHost(), listener)


def _one_at_a_time(instance: Instance) -> AbstractContextManager[object]:
    return locks.exclusive(instance.var / "move.lock", what="the repository", timeout=0.0)


def _directory(settings: Settings, name: str) -> Path:
    return (settings.data_directory if name == DATA else settings.managed_repository).absolute()


def _refuse_another(present: MoveNote | None, name: str, new: Path) -> None:
    if present is None or (present.property, present.new) == (name, str(new)):
        return
    command = moving.command_of(present.property)
    raise configuration_error(
        "half-moved",
        f"{present.property} is being moved from {present.old} to {present.new}, which comes first",
        f"go on: omero admin {command} {present.new}; or take it back: omero admin {command} --undo",
    )


def _refuse_instance_inside(instance: Instance, old: Path) -> None:
    if Path(os.path.realpath(instance.omerodir)).is_relative_to(old):
        raise configuration_error(
            "move-inside",
            f"the instance {instance.omerodir} lies in {old}, which is to be moved",
            "move the rest by hand, or restore a backup elsewhere: omero backup restore --help",
        )


def _note(wish: MoveWish, configured: Path, old: Path, new: Path, facts: PlaceFacts) -> MoveNote:
    values = read_known_profile(wish.instance.config_xml).values
    after = relocated(values, {str(configured): new})
    after[wish.property] = str(new)
    return MoveNote(
        wish.property,
        str(old),
        str(new),
        Way.RENAME if facts.same_disk else Way.COPY,
        was_running=instance_driver(wish.instance).node_process() is not None,
        before={name: values.get(name) for name in after},
        after=after,
    )


def _transfer(
    instance: Instance, note: MoveNote, facts: PlaceFacts, watcher: Watcher | None, reporter: Reporter
) -> list[Step]:
    old, new = Path(note.old), Path(note.new)
    running = instance_driver(instance).node_process() is not None
    halt: list[Step] = [StopServer(instance, reporter)] if running else []
    if note.way == Way.RENAME:
        return [*halt, RenameTree(old, new)] if facts.old_is_there else halt
    # Most files never change: what was copied while the server went on is time that users don't wait.
    ahead: list[Step] = [CopyTree(old, new, False, facts, watcher)] if running else []
    return [*ahead, *halt, CopyTree(old, new, True, facts, watcher)]


def _set(instance: Instance, values: Mapping[str, str | None], name: str) -> SetProperties:
    cause = _CAUSE.format(moving.command_of(name))
    return SetProperties(instance.config_xml, tuple(values.items()), cause=cause)


def _back(instance: Instance, note: MoveNote, reporter: Reporter) -> list[Step]:
    """The steps to where the move began; what is as it was already needs none."""
    old, new = Path(note.old), Path(note.new)
    running = instance_driver(instance).node_process() is not None
    configured = _directory(load_settings(instance), note.property)
    renamed = note.way == Way.RENAME and not old.exists() and new.is_dir()
    steps: list[Step] = []
    if renamed or configured == new:
        steps += [StopServer(instance, reporter)] if running else []
        running = False
    if renamed:
        steps.append(RenameTree(new, old))
    if configured == new:
        steps.append(_set(instance, note.before, note.property))
    if note.was_running and not running:
        steps.append(StartServer(instance, reporter))
    return steps


def _put_back(instance: Instance, reporter: Reporter) -> None:
    """After a failure: the old state, and the note goes unless a partial copy is to be gone on with."""
    note_path = instance.var / moving.NOTE_NAME
    note = moving.read_note(note_path)
    if note is None:
        return
    old, new = Path(note.old), Path(note.new)
    command = moving.command_of(note.property)
    try:
        apply_plan(Plan("put back", tuple(_back(instance, note, reporter))), LocalHost())
    except AdminError as error:
        raise failed_error(
            "half-moved",
            f"the move of {old} to {new} failed and can't be taken back: {error.message}",
            f"mend that, then: omero admin {command} --undo",
        ) from error
    if note.way == Way.RENAME or not new.exists():
        apply_plan(Plan("put back", (RemoveNote(note_path),)), LocalHost())
        return
    surplus = differences(new, old, limit=1) if old.is_dir() else ()
    reporter.say(f"The copy so far stays in {new}: go on with omero admin {command} {new}, remove it with --undo")
    if surplus:
        reporter.say(f"It is not like {old}: {surplus[0]}")
