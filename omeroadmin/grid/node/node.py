"""All servers of a node: started together, stopped one after the other, and what may be asked of them meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping, Sequence

from omeroadmin.errors import usage_error
from omeroadmin.grid.driver import Watcher
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import GridState, ServerSpecification
from omeroadmin.grid.node.registry import Registry
from omeroadmin.grid.node.supervisor import Supervisor

_PASSED = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV"}
)
_PASSED_PREFIXES = ("LC_", "PYTHON", "COVERAGE_")
_STAGGER = 0.1
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

    :param servers: in the order of the descriptor
    :raises AdminError: ``registry-invalid``
    """

    def __init__(self, layout: NodeLayout, servers: Sequence[ServerSpecification]) -> None:
        registry = Registry(layout.disabled_file)
        environment = server_environment(os.environ, layout)
        self.layout = layout
        self._supervisors = {server.identifier: Supervisor(server, layout, registry, environment) for server in servers}
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
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(supervisor.run()) for supervisor in self._supervisors.values()]
                await self._stopping.wait()
                await self._stop_servers()
                for task in tasks:
                    task.cancel()
        finally:
            await self._stop_servers()
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

    async def _stop_servers(self) -> None:
        """Stop in reverse order; a slow one holds up the next a little, not for all its time."""
        for supervisor in self._supervisors.values():
            supervisor.retire()
        running = [s for s in reversed(self._supervisors.values()) if s.state.pid is not None]
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
