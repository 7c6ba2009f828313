"""All servers of a node: started together, stopped one after the other, and what may be asked of them meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence

from omeroadmin.errors import unreachable_error, usage_error
from omeroadmin.grid.application import Application, Changes, compare
from omeroadmin.grid.driver import DeployReport, Watcher
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import GridState
from omeroadmin.grid.node import server_files
from omeroadmin.grid.node.output import Outputs
from omeroadmin.grid.node.registry import Registry
from omeroadmin.grid.node.supervisor import Supervisor, Surroundings
from omeroadmin.system.clock import utc_stamp

_PASSED = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV"}
)
_PASSED_PREFIXES = ("LC_", "PYTHON", "COVERAGE_")
_STAGGER = 0.05
_LOOK = 0.05
_CALM_LOOK = 0.5
_log = logging.getLogger("node")


def server_environment(environment: Mapping[str, str], layout: NodeLayout) -> dict[str, str]:
    """What servers get of the node's environment: nothing that belongs to the shell of whoever started it."""
    passed = {
        name: value for name, value in environment.items() if name in _PASSED or name.startswith(_PASSED_PREFIXES)
    }
    return {**passed, "OMERODIR": str(layout.instance.omerodir)}


class Node:
    """The servers of one node. Make it inside a running event loop.

    :param application: with the servers of other nodes as well
    :param outputs: where goes what the servers write
    :raises AdminError: ``registry-invalid``
    """

    def __init__(self, layout: NodeLayout, application: Application, outputs: Outputs) -> None:
        environment = server_environment(os.environ, layout)
        self.layout = layout
        self.application = application
        self.deployed_at = [utc_stamp()]
        self._surroundings = Surroundings(layout, Registry(layout.disabled_file), environment, outputs)
        servers = application.of_node(layout.node)
        self._supervisors = {server.identifier: Supervisor(server, self._surroundings) for server in servers}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._changing = asyncio.Lock()
        self._stopping = asyncio.Event()

    @property
    def state(self) -> GridState:
        """The node and its servers as they are now."""
        states = tuple(supervisor.state for supervisor in self._supervisors.values())
        return GridState(True, states, os.getpid())

    def supervisor(self, server: str) -> Supervisor:
        """The supervisor of a server.

        :raises AdminError: ``server-unknown``
        """
        found = self._supervisors.get(server)
        if found is None:
            raise usage_error(
                "server-unknown", f"there is no server {server!r}", f"known: {', '.join(self._supervisors)}"
            )
        return found

    def shut_down(self) -> None:
        """Ask the node to stop its servers and end."""
        self._stopping.set()

    async def run(self) -> None:
        """Run all servers until :meth:`shut_down`."""
        _log.info("node %s up (pid %d), %d servers", self.layout.node, os.getpid(), len(self._supervisors))
        try:
            async with asyncio.TaskGroup() as self._group:
                self._run(self._supervisors.values())
                await self._stopping.wait()
                async with self._changing:
                    await self._stop(self._supervisors.values())
        finally:
            await self._stop(self._supervisors.values())
            _log.info("node %s down", self.layout.node)

    async def watch(self, watcher: Watcher) -> None:
        """Let somebody look on until the node stops; if they have seen enough, it does."""
        pause = _LOOK
        while not self._stopping.is_set():
            state = self.state
            if not watcher.look(state):
                self.shut_down()
                break
            if not any(server.is_awaited for server in state.servers):
                pause = _CALM_LOOK
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
        watcher.stopping()

    def preview(self, application: Application) -> DeployReport:
        """What :meth:`deploy` would do."""
        return self._report(self._changes(application))

    async def deploy(self, application: Application, *, only_remove: bool = False) -> DeployReport:
        """Go on with another application; only servers whose specification has changed are restarted.

        :param only_remove: only stop the servers that this node no longer has: they may be another's now
        :raises AdminError: ``node-down`` where the node is about to end; ``file-not-written``
        """
        async with self._changing:
            self._refuse_late_change()
            changes = self._changes(application)
            report = self._report(changes)
            await self._remove(changes.removed)
            if only_remove:
                return DeployReport(stopped=report.stopped)
            wanted = [identifier for identifier in changes.changed if self._supervisors[identifier].is_wanted]
            await self._retire(changes.changed)
            self._refuse_late_change()
            self._adopt(application, changes, wanted)
        if report:
            _log.info("%s deployed: %s", application.file, report.describe())
        return report

    def _refuse_late_change(self) -> None:
        if self._stopping.is_set():
            raise unreachable_error("node-down", f"the node {self.layout.node} is shutting down")

    def _changes(self, application: Application) -> Changes:
        present = {identifier: supervisor.server for identifier, supervisor in self._supervisors.items()}
        return compare(present, application.of_node(self.layout.node))

    def _report(self, changes: Changes) -> DeployReport:
        running = tuple(identifier for identifier in changes.changed if self._supervisors[identifier].is_wanted)
        idle = tuple(identifier for identifier in changes.changed if identifier not in running)
        return DeployReport(changes.added, running, changes.removed, idle)

    async def _remove(self, identifiers: Sequence[str]) -> None:
        await self._retire(identifiers)
        for identifier in identifiers:
            del self._supervisors[identifier]
            server_files.forget(self.layout, identifier)

    async def _retire(self, identifiers: Sequence[str]) -> None:
        await self._stop([self._supervisors[identifier] for identifier in identifiers])
        for identifier in identifiers:
            await self._tasks.pop(identifier)

    def _adopt(self, application: Application, changes: Changes, wanted: Sequence[str]) -> None:
        """Supervise what the application says, in its order.

        :param wanted: ran before it was changed, and is to run again whatever its activation
        """
        anew = {*changes.added, *changes.changed}
        supervisors: dict[str, Supervisor] = {}
        for server in application.of_node(self.layout.node):
            identifier = server.identifier
            if identifier in anew:
                supervisors[identifier] = Supervisor(server, self._surroundings)
            else:
                supervisors[identifier] = self._supervisors[identifier]
                supervisors[identifier].update(server)
            if identifier in wanted:
                supervisors[identifier].want()
        self._supervisors = supervisors
        self.application = application
        self.deployed_at.append(utc_stamp())
        self._run(supervisor for identifier, supervisor in supervisors.items() if identifier in anew)

    def _run(self, supervisors: Iterable[Supervisor]) -> None:
        if self._group is not None:
            for supervisor in supervisors:
                self._tasks[supervisor.identifier] = self._group.create_task(supervisor.run())

    async def _stop(self, supervisors: Collection[Supervisor]) -> None:
        """Stop in reverse order; a slow one holds up the next a little, not for all its time."""
        for supervisor in supervisors:
            supervisor.retire()
        running = [supervisor for supervisor in reversed(list(supervisors)) if supervisor.state.pid is not None]
        async with asyncio.TaskGroup() as group:
            for supervisor in running:
                task = group.create_task(supervisor.end_process())
                await asyncio.wait({task}, timeout=_STAGGER)


async def run_until_stopped(node: Node, watcher: Watcher | None = None) -> None:
    """Run a node.

    :param watcher: looks on, and may end it
    """
    running = asyncio.create_task(node.run())
    watching = None if watcher is None else asyncio.create_task(node.watch(watcher))
    try:
        await running
    finally:
        if watching is not None:
            node.shut_down()
            await watching
