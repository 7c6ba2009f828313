"""The server in the foreground of a service manager or container: readiness, status and signs of life go to it."""

from __future__ import annotations

from omeroadmin.grid.model import GridState
from omeroadmin.system.notify import Notifier
from omeroadmin.workflows.reporter import Reporter
from omeroadmin.workflows.startup import Startup, server_problem

_EXTENSION = 60.0


class NotifyingReporter:
    """Tells whoever listens, and the service manager as its present status."""

    def __init__(self, reporter: Reporter, notifier: Notifier) -> None:
        self._reporter = reporter
        self._notifier = notifier

    def say(self, line: str) -> None:
        """Something that should be known in any case."""
        self._reporter.say(line)

    def progress(self, line: str) -> None:
        """What is being done; each step may take its time."""
        self._reporter.progress(line)
        self._notifier.status(line, extend=_EXTENSION)


class ForegroundWatcher:
    """Looks on while the node runs in this process.

    :param keep: whether the other servers go on where one can't start
    :ivar last: the grid when the start failed; ``None`` where it didn't
    """

    def __init__(self, startup: Startup, notifier: Notifier, *, keep: bool) -> None:
        self._startup = startup
        self._notifier = notifier
        self._keep = keep
        self._started = False
        self.last: GridState | None = None

    def look(self, state: GridState) -> bool:
        """See the servers as they are.

        :return: whether the node is to go on
        """
        self._notifier.alive()
        if self._started:
            self._notifier.status(summary(state))
            return True
        self._startup.report(state)
        if not self._is_over(state):
            return True
        self._started = True
        failed = any(server.has_failed or server.is_awaited for server in state.servers)
        if failed:
            self.last = state
            if not self._keep:
                return False
        else:
            self._startup.tell_of_optional(state)
        self._notifier.ready(summary(state))
        return True

    def _is_over(self, state: GridState) -> bool:
        """Whether the start is over; where the others go on without one that failed, they are waited for."""
        if self._startup.time_is_over:
            return True
        return not any(server.is_awaited for server in state.servers) if self._keep else self._startup.is_over(state)

    def stopping(self) -> None:
        """Tell the service manager that it is on purpose."""
        self._notifier.stopping("stopping the servers")


def summary(state: GridState) -> str:
    """The state of the grid in one line, for ``systemctl status``."""
    wanted = [server for server in state.servers if server.is_awaited or server.is_active or server.has_failed]
    active = sum(server.is_active for server in wanted)
    problems = [server_problem(server) for server in wanted if not server.is_active]
    return "; ".join((f"{active} of {len(wanted)} servers active", *problems))
