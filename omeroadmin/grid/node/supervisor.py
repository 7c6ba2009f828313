"""Keeps one server running: starts it, waits until it is ready, starts it again, or gives it up with a reason."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import Cause, ServerSpecification, ServerState, State
from omeroadmin.grid.node import health, server_files
from omeroadmin.grid.node.backoff import Backoff
from omeroadmin.grid.node.child import Child, start_child
from omeroadmin.grid.node.door import Door
from omeroadmin.grid.node.output import Outputs
from omeroadmin.grid.node.registry import Registry
from omeroadmin.grid.node.watch import hung_timeout, watch

NOT_INSTALLED = 69
"""Exit status: something optional isn't installed; the server is disabled and the start goes on."""
MISCONFIGURED = 78
"""Exit status: configuration or database is wrong; starting again would not help."""

_ON_DEMAND = "on-demand"
_FIRST_LOOK = 0.02
_LONGEST_LOOK = 0.2
_log = logging.getLogger("node")


@dataclass(frozen=True)
class _End:
    """How a process ended.

    :param status: exit status, negative for a signal; ``None`` where it could not be started
    :param healthy_for: seconds between readiness and end
    :param reason: one line for people
    """

    status: int | None
    healthy_for: float
    reason: str


@dataclass(frozen=True)
class Surroundings:
    """What the servers of a node have in common.

    :param environment: variables that every server gets
    :param outputs: where goes what they write
    """

    layout: NodeLayout
    registry: Registry
    environment: Mapping[str, str]
    outputs: Outputs


class Supervisor:
    """One server of the node."""

    def __init__(self, server: ServerSpecification, surroundings: Surroundings) -> None:
        self.server = server
        self._layout = surroundings.layout
        self._registry = surroundings.registry
        self._surroundings = surroundings
        self._state = State.INACTIVE
        self._cause = Cause.ADMIN if self._registry.is_disabled(server.identifier) else Cause.NONE
        self._reason = "disabled by an admin" if self._cause else ""
        self._wanted = server.starts_always
        self._asked = False
        self._retired = False
        self._ended_because = ""
        self._child: Child | None = None
        self._door = self._make_door() if server.activation == _ON_DEMAND else None
        self._backoff = Backoff()
        self._changed = asyncio.Event()

    @property
    def identifier(self) -> str:
        """Id of the server."""
        return self.server.identifier

    @property
    def is_wanted(self) -> bool:
        """Whether it runs, or is to run."""
        return self._wanted or self._child is not None

    @property
    def state(self) -> ServerState:
        """What there is to say of the server now."""
        return ServerState(
            self.identifier,
            self._state,
            None if self._child is None else self._child.pid,
            self._cause is Cause.NONE,
            self._reason,
            self.server.starts_always,
            self._cause,
        )

    async def run(self) -> None:
        """Keep the server as it is wanted, until it is retired."""
        while await self._until_due():
            end = await self._run_once()
            pause = self._judge(end)
            if pause is not None:
                await self._change(pause)

    async def start(self) -> None:
        """Start the server and wait until it is ready.

        :raises AdminError: ``server-disabled``, ``server-not-started``
        """
        if self._cause is not Cause.NONE:
            raise failed_error(
                "server-disabled",
                f"{self.identifier} is disabled: {self._reason}",
                f"enable it first: server enable {self.identifier}",
            )
        self.want()
        deadline = time.monotonic() + self.server.activation_timeout
        while self._state is not State.ACTIVE:
            await asyncio.sleep(_FIRST_LOOK)
            given_up = self._cause is not Cause.NONE or not self._wanted
            if given_up or time.monotonic() > deadline:
                raise failed_error("server-not-started", f"{self.identifier} did not start: {self._reason}")

    def want(self) -> None:
        """Have the server started, if it may be."""
        self._wanted = not self._retired
        self._notify()

    def update(self, server: ServerSpecification) -> None:
        """Take over a specification that a running process need not be restarted for."""
        self.server = server

    async def stop(self) -> None:
        """Stop the process; an enabled server that always runs comes back, as with IceGrid."""
        self._wanted = self.server.starts_always and not self._retired
        await self.end_process()

    async def end_process(self) -> None:
        """SIGTERM, and when its time is over SIGKILL for the whole group."""
        child = self._child
        if child is None:
            return
        self._asked = True
        self._state = State.DEACTIVATING
        child.send(signal.SIGTERM)
        if not await child.exited(self.server.deactivation_timeout):
            _log.warning(
                "%s did not stop within %g s and was killed", self.identifier, self.server.deactivation_timeout
            )
            child.kill()
            await child.exited()

    def retire(self) -> None:
        """Never start the server again: the node is going down, or the server is no more what it was."""
        self._wanted, self._retired = False, True
        self._notify()

    def disable(self) -> None:
        """Don't start the server any more; a running process goes on.

        :raises AdminError: ``file-not-written``
        """
        self._registry.set_disabled(self.identifier, disabled=True)
        self._cause, self._reason = Cause.ADMIN, "disabled by an admin"
        self._notify()

    def enable(self) -> None:
        """Let the server be started again.

        :raises AdminError: ``file-not-written``
        """
        self._registry.set_disabled(self.identifier, disabled=False)
        if self._cause is not Cause.NONE:
            self._cause, self._reason = Cause.NONE, ""
            self._backoff.reset()
            self._notify()

    def signal(self, number: int) -> None:
        """Send a signal to the process.

        :raises AdminError: ``server-not-running``
        """
        if self._child is None:
            raise failed_error("server-not-running", f"{self.identifier} has no process to send a signal to")
        self._child.send(number)

    async def _until_due(self) -> bool:
        """Wait until the server is to run.

        :return: whether it ever is; not after it was retired
        """
        while not (self._wanted and self._cause is Cause.NONE):
            if self._door is not None:
                self._answer_the_door(self._door)
            if self._retired:
                return False
            await self._change()
        return True

    def _make_door(self) -> Door:
        return Door(self._layout.local_socket(self.identifier), self.want)

    def _answer_the_door(self, door: Door) -> None:
        try:
            if self._cause is Cause.NONE and not self._retired:
                door.open()
            else:
                door.close()
        except OSError as error:
            self._reason = f"can't be started on demand: {error.strerror or error}"
            _log.warning("%s %s", self.identifier, self._reason)

    async def _run_once(self) -> _End:
        """One process from its start to its end."""
        self._state, self._asked, self._ended_because = State.ACTIVATING, False, ""
        try:
            server_files.remove_leftovers(self._layout, self.identifier)
            server_files.write_configuration(self._layout, self.server)
            self._child = self._start()
        except AdminError as error:
            self._state = State.INACTIVE
            return _End(None, 0, error.message)
        except OSError as error:
            self._state = State.INACTIVE
            return _End(None, 0, f"{self.server.executable} can't be run: {error.strerror or error}")
        child = self._child
        ready_at = await self._until_ready(child)
        if ready_at is not None and not self._asked:
            self._state, self._reason = State.ACTIVE, ""
            _log.info("%s active (pid %d)", self.identifier, child.pid)
            if self._door is not None:
                self._door.hand_over()
            socket = self._layout.health_socket(self.identifier)
            self._ended_because = await watch(child, socket, hung_timeout(self.server), self._hear)
        await child.exited()
        if self._door is not None:
            self._door.close()
        healthy_for = 0.0 if ready_at is None else time.monotonic() - ready_at
        self._state, self._child = State.INACTIVE, None
        server_files.remove_socket(self._layout, self.identifier)
        return _End(child.status, healthy_for, self._why(child))

    def _start(self) -> Child:
        configuration = self._layout.configuration(self.identifier)
        omerodir = self._layout.instance.omerodir
        arguments = (self.server.executable, *self.server.options, f"--Ice.Config={configuration}")
        directory = omerodir / self.server.working_directory
        environment = {**self._surroundings.environment, **dict(self.server.environment)}
        outputs = self._surroundings.outputs
        child = start_child(arguments, environment=environment, directory=Path(directory), outputs=outputs)
        _log.info("%s activating (pid %d)", self.identifier, child.pid)
        return child

    async def _until_ready(self, child: Child) -> float | None:
        """Poll until the server says that it is ready.

        :return: the moment; ``None`` where it ended before, or had to be ended because its time was over
        """
        deadline = time.monotonic() + self.server.activation_timeout
        pause = _FIRST_LOOK
        while not await child.exited(pause):
            answer = await health.ask(self._layout.health_socket(self.identifier))
            if answer is not None and answer.pid in (None, child.pid):
                if answer.ready:
                    return time.monotonic()
                self._reason = answer.reason
            if time.monotonic() > deadline and not self._asked:
                waited = f"not ready after {self.server.activation_timeout:g} s"
                self._ended_because = f"{waited}: {self._reason}" if self._reason else waited
                child.kill()
            pause = min(pause * 1.2, _LONGEST_LOOK)
        return None

    def _hear(self, reason: str) -> None:
        """Keep what a running server says is wrong with it."""
        if not self._asked and self._cause is Cause.NONE:
            self._reason = reason

    def _why(self, child: Child) -> str:
        """The reason of an end, for people."""
        left = server_files.failure_reason(self._layout, self.identifier)
        if left:
            return left
        if child.status < 0:
            how = f"killed by {signal.Signals(-child.status).name}"
            return f"{how}, {self._ended_because}" if self._ended_because else how
        how = f"ended with status {child.status}"
        words = child.last_words or server_files.last_log_line(self._layout, self.identifier)
        return f"{how}: {words}" if words else how

    def _judge(self, end: _End) -> float | None:
        """Draw the conclusion from an end.

        :return: seconds until the next start; ``None``: at once, or when somebody wants it
        """
        if self._asked:
            self._backoff.reset()
            self._reason = self._reason if self._cause else ""
            _log.info("%s stopped", self.identifier)
            return None
        # Only what always runs is started again by itself, as with IceGrid.
        self._wanted = self.server.starts_always and not self._retired
        if self._cause is Cause.NONE:
            self._reason = end.reason
        if end.status in (NOT_INSTALLED, MISCONFIGURED):
            optional = end.status == NOT_INSTALLED
            self._give_up(Cause.NOT_INSTALLED if optional else Cause.FAILED, end.reason)
            return None
        pause = self._backoff.failed(time.monotonic(), end.healthy_for)
        if pause is None:
            self._give_up(Cause.FAILED, f"failed {len(self._backoff.moments)} times; {end.reason}")
            return None
        when = f"next start in {pause:.2f} s" if self._wanted else f"it is started {self._occasion}"
        _log.warning("%s %s; %s", self.identifier, end.reason, when)
        return pause

    @property
    def _occasion(self) -> str:
        return "when it is needed again" if self._door is not None else "when somebody asks for it"

    def _give_up(self, cause: Cause, reason: str) -> None:
        if self._cause is Cause.NONE:
            self._cause, self._reason = cause, reason
        level = logging.WARNING if cause is Cause.NOT_INSTALLED else logging.ERROR
        _log.log(level, "%s disabled: %s", self.identifier, reason)

    def _notify(self) -> None:
        self._changed.set()

    async def _change(self, seconds: float | None = None) -> None:
        """Wait until somebody's wish changes, or for a time."""
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
