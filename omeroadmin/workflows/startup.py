"""Follows a start until all servers are ready or one can't be, and says why: its last lines, the cause, the mend."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, check_version, connect
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.grid.driver import GridDriver
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import GridState, ServerState
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.schema.validation import check_value
from omeroadmin.system.clock import monotonic, wait_until
from omeroadmin.workflows import preconditions
from omeroadmin.workflows.causes import Finding, first_cause
from omeroadmin.workflows.reporter import Reporter

_SHOWN_LINES = 8
_READ_LINES = 200
_LOG_TAIL = 65536
_LONGEST_LINE = 300
_ATTEMPTS = 3


@dataclass(frozen=True)
class LogMarks:
    """How long the logs were before a start: what stands there already is of earlier ones.

    :param sizes: by file name
    """

    directory: Path
    sizes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def now(cls, instance: Instance) -> LogMarks:
        """The logs as they are."""
        found = instance.log_directory.glob("*")
        return cls(instance.log_directory, {path.name: path.stat().st_size for path in found if path.is_file()})

    def new_lines(self, log: Path) -> list[str]:
        """The last lines of what was written to a log since; none where it can't be read."""
        try:
            with log.open("rb") as stream:
                end = stream.seek(0, 2)
                before = self.sizes.get(log.name, 0)
                # A log that is shorter than it was has been rotated.
                stream.seek(max(before if before <= end else 0, end - _LOG_TAIL))
                text = stream.read().decode("utf-8", "replace")
        except OSError:
            return []
        return [line.rstrip()[:_LONGEST_LINE] for line in text.splitlines() if line.strip()][-_READ_LINES:]


class Startup:
    """What there is to say of a start that is under way.

    :param marks: made before the node was started
    :param wait: seconds until all servers must be ready
    """

    def __init__(self, instance: Instance, marks: LogMarks, wait: float, reporter: Reporter) -> None:
        self._instance = instance
        self._marks = marks
        self._wait = wait
        self._reporter = reporter
        self._began = monotonic()
        self._seen: dict[str, str] = {}
        self._processes: dict[str, set[int]] = {}

    @property
    def time_is_over(self) -> bool:
        """Whether the servers had all the time that they may take."""
        return monotonic() - self._began >= self._wait

    def follow(self, driver: GridDriver) -> GridState:
        """Look on until all servers are active, or given up for a good reason.

        :raises AdminError: ``start-failed``, ``start-timeout``, ``node-not-started``
        """
        state = GridState(True)

        def is_over() -> bool:
            nonlocal state
            state = driver.state()
            self.report(state)
            return not state.running or self.is_over(state)

        wait_until(is_over, timeout=self._wait - (monotonic() - self._began), longest_pause=0.1)
        failure = self.failure(state)
        if failure is not None:
            raise failure
        self.tell_of_optional(state)
        return state

    def is_over(self, state: GridState) -> bool:
        """Whether one server has failed for good, or none is awaited any more."""
        return bool(self._failed(state)) or not any(server.is_awaited for server in state.servers)

    def _failed(self, state: GridState) -> list[ServerState]:
        """Servers that were given up, and those that end again and again for a reason that won't pass."""
        return [server for server in state.servers if server.has_failed or self._is_hopeless(server)]

    def _is_hopeless(self, server: ServerState) -> bool:
        if not server.is_awaited or len(self._processes.get(server.id, ())) < _ATTEMPTS:
            return False
        cause = first_cause([server.reason])
        return cause is not None and not cause.may_pass

    def report(self, state: GridState) -> None:
        """Tell of the servers whose state has changed, and how many are ready."""
        wanted = [server for server in state.servers if server.is_awaited or server.is_active]
        ready = sum(server.is_active for server in wanted)
        for server in state.servers:
            if server.pid is not None:
                self._processes.setdefault(server.id, set()).add(server.pid)
            text = server.describe()
            if server.always and self._seen.get(server.id) != text:
                self._seen[server.id] = text
                self._reporter.progress(f"[{ready}/{len(wanted)}] {server_problem(server)}")

    def tell_of_optional(self, state: GridState) -> None:
        """Tell of the servers that don't run because something optional isn't installed."""
        for server in state.servers:
            if server.optional:
                self._reporter.say(f"{server.id} is disabled: {server.reason}")

    def failure(self, state: GridState) -> AdminError | None:
        """The failure of a start that is over; what can be said besides it is said.

        :return: ``None`` where all servers that can run do
        """
        if not state.running:
            return self._node_failure()
        failed = self._failed(state)
        if failed:
            return self._server_failure(failed)
        waiting = [server for server in state.servers if server.is_awaited]
        return self._timeout(waiting) if waiting else None

    def _node_failure(self) -> AdminError:
        lines = self._marks.new_lines(NodeLayout(self._instance).error_log)
        self._show(NodeLayout(self._instance).error_log, lines)
        cause = first_cause(reversed(lines))
        return self._error("node-not-started", "the node ended while the servers started", cause)

    def _server_failure(self, failed: list[ServerState]) -> AdminError:
        server = failed[0]
        log, lines = self._log_of(server)
        self._show(log, lines)
        for other in failed[1:]:
            self._reporter.say(f"{other.id} did not start: {other.reason}")
        cause = self._cause([server.reason, *reversed(lines)])
        hint = f"see its log: {log}"
        return self._error("start-failed", f"{server.id} did not start: {server.reason}", cause, hint)

    def _timeout(self, waiting: list[ServerState]) -> AdminError:
        problems = "; ".join(server_problem(server) for server in waiting)
        texts = [server.reason for server in waiting]
        for server in waiting:
            log, lines = self._log_of(server)
            texts += reversed(lines)
            self._show(log, lines[-_SHOWN_LINES // 2 :])
        return self._error(
            "start-timeout",
            f"Failed to startup some components after {self._wait:g} seconds: {problems}",
            self._cause(texts),
            "give it longer with --wait, or look into the logs: omero admin diagnostics",
        )

    def _error(
        self, code: str, message: str, cause: Finding | None, hint: str = "omero admin diagnostics"
    ) -> AdminError:
        if cause is None:
            return failed_error(code, message, hint)
        self._reporter.say(f"Likely cause: {cause.meaning} ({cause.code})")
        return failed_error(code, message, cause.mend)

    def _log_of(self, server: ServerState) -> tuple[Path, list[str]]:
        """Where a server says what is wrong; one that never came to writing a log has only the node's."""
        layout = NodeLayout(self._instance, server.node)
        own = layout.server_log(server.id)
        for log in (own, layout.error_log):
            lines = self._marks.new_lines(log)
            if lines:
                return log, lines
        return own, []

    def _show(self, log: Path, lines: list[str]) -> None:
        for line in lines[-_SHOWN_LINES:]:
            self._reporter.say(f"{log.name}: {line}")

    def _cause(self, texts: list[str]) -> Finding | None:
        """Where a whole directory is gone or full, that is the cause, whatever the servers miss in it."""
        return (
            checked_cause(self._instance, _place_checks)
            or first_cause(texts)
            or checked_cause(self._instance, _other_checks)
        )


Checks = Callable[[Instance, Settings], Iterator[Callable[[], object]]]


def checked_cause(instance: Instance, checks: Checks) -> Finding | None:
    """What was right before the start and is wrong now; ``None`` where all is as it should be."""
    try:
        for check in checks(instance, load_settings(instance)):
            check()
    except AdminError as error:
        return Finding(error.code, f"{error.message[:1].upper()}{error.message[1:]}.", error.hint)
    return None


def _place_checks(instance: Instance, settings: Settings) -> Iterator[Callable[[], object]]:
    yield lambda: preconditions.check_directories(instance, settings)


def _other_checks(instance: Instance, settings: Settings) -> Iterator[Callable[[], object]]:
    yield lambda: preconditions.check_certificates(settings)
    yield lambda: check_database(instance, settings)
    yield lambda: preconditions.check_memory(instance)
    for name, value in settings.explicit().items():
        yield functools.partial(check_value, name, value)


def check_database(instance: Instance, settings: Settings) -> None:
    """The database takes the server's login and has the version that the server was made for.

    :raises AdminError: ``database-stopped``, and those of :func:`connect` and :func:`check_version`
    """
    if embedded.is_embedded(settings) and not embedded.status(instance).running:
        raise failed_error(
            "database-stopped",
            "the instance's own PostgreSQL has stopped",
            f"see its log: {instance.log_directory / 'postgresql.log'}",
        )
    with connect(DatabaseAddress.from_settings(settings)) as connection:
        check_version(connection, SchemaVersion.from_settings(settings))


def server_problem(server: ServerState) -> str:
    """A server that isn't as it should be, in one line."""
    return f"{server.id} {server.describe()}" + (f": {server.reason}" if server.reason else "")
