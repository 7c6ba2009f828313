"""``admin reindex --all``: the documented steps as one operation that goes on where it was interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omeroadmin.database import eventlog
from omeroadmin.database.failures import database_lost
from omeroadmin.errors import AdminError, ExitStatus, configuration_error, failed_error
from omeroadmin.profiles.store import load_settings
from omeroadmin.repository import fulltext
from omeroadmin.schema.instance import Instance
from omeroadmin.system import files, locks
from omeroadmin.system.clock import monotonic, utc_stamp, wait_until
from omeroadmin.workflows import reindex
from omeroadmin.workflows.reindex import IndexStatus

STEPS = ("prepare", "wipe", "reset", "finish", "follow")
"""In this order; each may be done again."""
_LOOK_SECONDS = 0.5
_SILENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Note:
    """Which step of a run is being done, for the one that goes on with it.

    :param goal: id in the eventlog up to which all must be indexed
    """

    step: str
    started: str
    goal: int = 0


@dataclass(frozen=True)
class Pace:
    """How far the indexers are.

    :param done: rows of the eventlog
    :param total: rows that there are to be dealt with
    :param seconds: since the first look
    :param begun: rows that were done at the first look
    """

    done: int
    total: int
    seconds: float
    begun: int = 0

    @property
    def percent(self) -> float:
        """Share that is done."""
        return 100.0 if not self.total else 100.0 * self.done / self.total

    @property
    def rate(self) -> float:
        """Rows a second."""
        return (self.done - self.begun) / self.seconds if self.seconds > 0 else 0.0

    @property
    def eta(self) -> float | None:
        """Seconds that are left; ``None`` while that can't be told."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None


class Listener:
    """Hears what a run does; this one is deaf."""

    def step(self, name: str) -> None:
        """A step begins."""

    def pace(self, pace: Pace) -> None:
        """The indexers have come further."""


def note_path(instance: Instance) -> Path:
    """Where a run notes its step."""
    return instance.var / "reindex.json"


def read_note(instance: Instance) -> Note | None:
    """The step of an interrupted run, or of the one that is under way.

    :raises AdminError: ``reindex-note-invalid``
    """
    path = note_path(instance)
    try:
        document = json.loads(path.read_bytes())
        note = Note(str(document["step"]), str(document["started"]), int(document["goal"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise configuration_error("reindex-note-invalid", f"{path} can't be read: {error}", f"rm {path}") from error
    if note.step not in STEPS:
        raise configuration_error("reindex-note-invalid", f"{path} names the step {note.step!r}", f"rm {path}")
    return note


def status(instance: Instance) -> IndexStatus:
    """How far the index is, and whether a run was interrupted.

    :raises AdminError: as :func:`omeroadmin.workflows.reindex.index_status`
    """
    note = read_note(instance)
    return reindex.index_status(instance, "" if note is None or is_running(instance) else note.step)


def is_running(instance: Instance) -> bool:
    """Whether a run is under way."""
    try:
        with _lock(instance):
            return False
    except AdminError as error:
        if error.exit_status is not ExitStatus.LOCKED:
            raise
        return True


def reindex_all(instance: Instance, listener: Listener | None = None, *, follow: bool = True) -> IndexStatus:
    """Stop the indexers, remove the index, begin with the first event, start them, and wait until they are through.

    What was interrupted is gone on with: the index isn't removed a second time once the indexers were started.

    :param follow: whether to wait
    :raises AdminError: ``server-not-running``, ``indexer-stopped``, ``locked`` while another run is under way, and
        those of the steps
    """
    told = listener or Listener()
    with _lock(instance):
        note = read_note(instance) or Note("prepare", utc_stamp())
        if not reindex.indexers(instance):
            raise configuration_error(
                "server-not-running",
                "the server isn't running, or has no indexer",
                "start it: omero admin start; or index without it: omero admin reindex --full",
            )
        # Somebody may have started the indexers since: they are stopped again before anything is removed.
        first = "prepare" if note.step in ("prepare", "wipe", "reset") else "finish"
        for step in STEPS[STEPS.index(first) : len(STEPS) - (not follow)]:
            note = Note(step, note.started, note.goal)
            _write(instance, note)
            told.step(step)
            note = _do(instance, note, told)
        note_path(instance).unlink(missing_ok=True)
        files.sync_directory(instance.var)
    return status(instance)


def _do(instance: Instance, note: Note, listener: Listener) -> Note:
    match note.step:
        case "prepare":
            reindex.prepare(instance)
        case "wipe":
            fulltext.wipe_index(fulltext.index_directory(load_settings(instance)))
        case "reset":
            reindex.reset(instance, 0)
            with reindex.connected(load_settings(instance)) as connection:
                note = Note(note.step, note.started, eventlog.last_entry(connection))
        case "finish":
            reindex.finish(instance)
        case "follow":
            _follow_on(instance, note.goal, listener.pace)
    return note


def _follow_on(instance: Instance, goal: int, tell: Callable[[Pace], None]) -> None:
    import psycopg

    try:
        _follow(instance, goal, tell)
    except psycopg.OperationalError as error:
        raise database_lost(error, "go on: omero admin reindex --all") from error


def _follow(instance: Instance, goal: int, tell: Callable[[Pace], None]) -> None:
    """Wait until the indexers have come as far as the eventlog had when they were started."""
    began = monotonic()
    begun: int | None = None
    with reindex.connected(load_settings(instance)) as connection:
        connection.autocommit = True

        def is_done() -> bool:
            nonlocal begun
            position = min(eventlog.indexed_position(connection), goal)
            begun = position if begun is None else begun
            tell(Pace(position, goal, monotonic() - began, begun))
            if position < goal:
                _refuse_dead(instance)
            return position >= goal

        while not wait_until(is_done, timeout=_SILENCE_SECONDS, longest_pause=_LOOK_SECONDS):
            continue


def _refuse_dead(instance: Instance) -> None:
    found = reindex.indexers(instance)
    for server in found:
        if server.has_failed or not server.enabled:
            raise failed_error(
                "indexer-stopped",
                f"{server.id} doesn't run: {server.reason or server.describe()}",
                "omero admin diagnostics; then go on: omero admin reindex --all",
            )
    if not found:
        raise failed_error(
            "indexer-stopped", "the server was stopped meanwhile", "omero admin start; omero admin reindex --all"
        )


def _write(instance: Instance, note: Note) -> None:
    content: dict[str, Any] = {"step": note.step, "started": note.started, "goal": note.goal}
    files.write_atomically(note_path(instance), json.dumps(content) + "\n")


def _lock(instance: Instance) -> AbstractContextManager[Any]:
    return locks.exclusive(instance.var / "reindex.lock", what="the indexing of everything", timeout=0)
