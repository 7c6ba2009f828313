"""``admin reindex``: the verbs of OMERO's procedure, each by itself, and how far the index is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.database import eventlog
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.eventlog import LogProgress
from omeroadmin.errors import AdminError, configuration_error, failed_error, usage_error
from omeroadmin.grid.model import ServerState
from omeroadmin.profiles.store import load_settings
from omeroadmin.repository import fulltext
from omeroadmin.repository.fulltext import IndexFacts
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import wait_until
from omeroadmin.workflows.driver import instance_driver

if TYPE_CHECKING:
    from psycopg import Connection

STOP_SECONDS = 120.0
_PREFIX = "Indexer"


@dataclass(frozen=True)
class IndexStatus:
    """How far the full-text index is.

    :param progress: in the eventlog
    :param index: the files
    :param servers: the indexers of the grid and their states; none while it doesn't run
    :param unfinished: step of an interrupted ``--all``; empty: none
    """

    progress: LogProgress
    index: IndexFacts
    servers: tuple[ServerState, ...]
    unfinished: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, a line each, with what to do."""
        found = [f"the index is damaged: {problem}; omero admin reindex --all" for problem in self.index.problems]
        if self.progress.position > self.progress.last:
            found.append(
                f"the counter is {self.progress.position}, beyond the last event {self.progress.last}:"
                f" new ones aren't indexed; omero admin reindex --all"
            )
        if self.unfinished:
            found.append(f"a run was interrupted at the step {self.unfinished}; go on: omero admin reindex --all")
        return tuple(found)

    @property
    def is_up_to_date(self) -> bool:
        """Whether every row of the eventlog was dealt with."""
        return self.progress.behind == 0 and not self.problems


@dataclass(frozen=True)
class WipePlan:
    """What a wipe removes.

    :param files: how many
    :param size: bytes
    """

    directory: Path
    files: int
    size: int


def index_status(instance: Instance, unfinished: str = "") -> IndexStatus:
    """Look at counter, index and indexers; nothing is changed.

    :raises AdminError: as :func:`omeroadmin.database.connection.connect`
    """
    settings = load_settings(instance)
    with connected(settings) as connection:
        progress = eventlog.log_progress(connection)
    facts = fulltext.inspect_index(fulltext.index_directory(settings))
    return IndexStatus(progress, facts, indexers(instance), unfinished)


def indexers(instance: Instance) -> tuple[ServerState, ...]:
    """The indexers of the grid; none while it doesn't run.

    :raises AdminError: ``node-silent``
    """
    state = instance_driver(instance).state()
    if not state.running:
        return ()
    return tuple(server for server in state.servers if server.id.split("-")[0] == _PREFIX)


def prepare(instance: Instance) -> tuple[str, ...]:
    """Disable the indexers and stop them.

    :return: their ids; none while the grid doesn't run
    :raises AdminError: ``node-silent``, ``indexer-not-stopped``
    """
    driver = instance_driver(instance)
    found = indexers(instance)
    for server in found:
        driver.disable_server(server.id)
    for server in found:
        if server.pid is not None:
            _stop(instance, server.id)
    return tuple(server.id for server in found)


def _stop(instance: Instance, server: str) -> None:
    driver = instance_driver(instance)

    def is_gone() -> bool:
        state = driver.state().server(server)
        if state is None or state.pid is None:
            return True
        try:
            driver.stop_server(server)
        except AdminError as error:
            # It may have ended by itself between the two calls.
            if error.code != "server-not-running":
                raise
        return False

    if not wait_until(is_gone, timeout=STOP_SECONDS):
        raise failed_error("indexer-not-stopped", f"{server} is still running after {STOP_SECONDS:g} s")


def finish(instance: Instance) -> tuple[str, ...]:
    """Enable the indexers and start them.

    :return: their ids
    :raises AdminError: ``server-not-running``, ``server-not-started``, ``node-silent``
    """
    driver = instance_driver(instance)
    found = indexers(instance)
    if not found:
        raise configuration_error(
            "server-not-running", "the server isn't running, or has no indexer", "start it: omero admin start"
        )
    for server in found:
        driver.enable_server(server.id)
        if not server.is_active:
            driver.start_server(server.id)
    return tuple(server.id for server in found)


def plan_wipe(instance: Instance) -> WipePlan:
    """What there is to be removed.

    :raises AdminError: ``index-in-use`` while an indexer runs, ``file-not-read``
    """
    directory = fulltext.index_directory(load_settings(instance))
    if not directory.is_dir():
        return WipePlan(directory, 0, 0)
    with fulltext.index_held(directory):
        sizes = [path.lstat().st_size for path in fulltext.index_files(directory)]
    return WipePlan(directory, len(sizes), sum(sizes))


def wipe(plan: WipePlan) -> WipePlan:
    """Remove the index.

    :return: what was removed
    :raises AdminError: ``index-in-use``, ``file-not-written``
    """
    return WipePlan(plan.directory, *fulltext.wipe_index(plan.directory))


def reset(instance: Instance, position: int) -> int:
    """Let the indexers go on after another row of the eventlog; they must not run.

    :param position: id of a row; 0: from the start
    :return: the position before
    :raises AdminError: ``position-beyond-log``, ``index-in-use``, and those of
        :func:`omeroadmin.database.connection.connect`
    """
    settings = load_settings(instance)
    directory = fulltext.index_directory(settings)
    with connected(settings) as connection:
        last = eventlog.last_entry(connection)
        if not 0 <= position <= last:
            raise usage_error("position-beyond-log", f"{position} is not between 0 and the last event, {last}")
        before = eventlog.indexed_position(connection)
        if directory.is_dir():
            with fulltext.index_held(directory):
                eventlog.store_position(connection, position)
        else:
            eventlog.store_position(connection, position)
        connection.commit()
    return before


@contextmanager
def connected(settings: Settings) -> Iterator[Connection[tuple[Any, ...]]]:
    """The server's database."""
    with connect(DatabaseAddress.from_settings(settings)) as connection:
        yield connection
