"""The driver for ZeroC's IceGrid: ``icegridnode`` supervises the servers, on one host or on several."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

from omeroadmin.errors import AdminError, failed_error, unreachable_error, usage_error
from omeroadmin.grid.driver import DeployReport, FirstFailure, LaunchOrders, Watcher
from omeroadmin.grid.icegrid import daemon, deployment, processes, survey, verdicts
from omeroadmin.grid.icegrid.admin import IceGridAdmin, RefusedError, parse_state, safe_name
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import MASTER, GridState, ServerState
from omeroadmin.grid.node.registry import Registry
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until

_READY_TIMEOUT = 120.0
_LOOK = 0.5
_STOPPED_BY_SIGNAL = frozenset("tT")


class IceGridDriver:
    """Commands go to the registry; whether servers are ready is asked of themselves."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._admin = IceGridAdmin(instance)

    @property
    def name(self) -> str:
        """Its value of ``omero.grid.driver``."""
        return "icegrid"

    def state(self) -> GridState:
        """All nodes and all servers; not running where no registry answers.

        :raises AdminError: ``icegrid-missing``, ``node-silent``
        """
        return survey.grid_state(self._instance)

    def node_process(self, node: str = MASTER) -> int | None:
        """Process of a node of this machine, also of one that doesn't answer; ``None`` where there is none."""
        process = processes.node_process(NodeLayout(self._instance, node))
        return None if process is None else process.pid

    def ping(self, node: str = MASTER) -> bool:
        """Whether a node answers."""
        # Of a node that it knows the registry says "node is down", and icegridadmin succeeds.
        try:
            return self._admin.states(f"node ping {safe_name(node, 'node')}") == ("node is up",)
        except AdminError:
            return False

    def admin_command(self) -> list[str]:
        """``icegridadmin`` with its configuration, to be run in ``OMERODIR``.

        :raises AdminError: ``icegrid-missing``
        """
        return self._admin.command()

    def launch(self, orders: LaunchOrders) -> None:
        """Start a node and return when it takes commands; the master is handed the application.

        :raises AdminError: ``icegrid-missing``, ``already-running``, ``port-taken``, ``descriptor-invalid``,
            ``node-not-started``, ``node-unknown``
        """
        daemon.launch(self._instance, orders)

    def run_foreground(self, orders: LaunchOrders, watcher: Watcher | None = None) -> str | None:
        """Run a node as a child of this process until it is stopped.

        :param watcher: looks on, and may end it; by default a server that can't start does
        :return: what failed at the start where nobody looks on; ``None`` where it ran until it was asked to stop
        :raises AdminError: as :meth:`launch`
        """
        own = FirstFailure()
        looking = watcher or own
        child, wanted = daemon.start_foreground(self._instance, orders)
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        ending = False

        def end() -> None:
            nonlocal ending
            if not ending:
                ending = True
                looking.stopping()
            child.terminate()

        for number in before:
            signal.signal(number, lambda _number, _frame: end())
        try:
            daemon.settle(self._instance, orders, wanted)
            while not wait_until(lambda: child.poll() is not None, timeout=_LOOK):
                if not ending and not self._look(looking):
                    end()
        except AdminError:
            # A node that is stopped while it starts says that it couldn't.
            if not ending:
                raise
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            child.terminate()
            child.wait(daemon.DEPLOY_PATIENCE)
            NodeLayout(self._instance, orders.node).pid_file.unlink(missing_ok=True)
        return own.failure

    def shutdown(self, node: str = MASTER) -> None:
        """Ask a node to stop its servers and end; returns at once.

        :raises AdminError: ``node-down``, ``node-silent``, ``node-unknown``
        """
        process = processes.node_process(NodeLayout(self._instance, node))
        if process is None:
            self._shut_down_elsewhere(node)
        elif process.state in _STOPPED_BY_SIGNAL:
            raise unreachable_error(
                "node-silent",
                f"the node {node} (process {process.pid}) is stopped by a signal",
                f"let it go on, or end it: kill -9 {process.pid}; its servers end with it",
            )
        else:
            processes.terminate(process)

    def start_server(self, server: str) -> None:
        """Start a server and wait until it is ready.

        :raises AdminError: ``node-down``, ``server-unknown``, ``server-disabled``, ``server-not-started``
        """
        present = self._known(server)
        if not present.enabled:
            raise failed_error(
                "server-disabled",
                f"{server} is disabled: {present.reason}",
                f"enable it first: omero admin ice server enable {server}",
            )
        if present.pid is None:
            self._tell(f"server start {server}", "server-not-started", but="already active")
        last = present

        def is_settled() -> bool:
            nonlocal last
            last = self._known(server)
            return last.is_active or not last.enabled

        if not wait_until(is_settled, timeout=_READY_TIMEOUT) or not last.is_active:
            raise failed_error("server-not-started", f"{server} did not start: {last.reason or last.state}")

    def stop_server(self, server: str) -> None:
        """Stop a server's process; an enabled server that always runs comes back.

        :raises AdminError: ``node-down``, ``server-unknown``
        """
        self._known(server)
        self._tell(f"server stop {server}", "server-not-stopped", but="already inactive")

    def enable_server(self, server: str) -> None:
        """Let a server be started again.

        :raises AdminError: ``node-down``, ``server-unknown``
        """
        present = self._known(server)
        self._registry().set_disabled(server, disabled=False)
        verdicts.forget(NodeLayout(self._instance, present.node), [server])
        self._tell(f"server enable {server}", "server-not-enabled", but="already enabled")

    def disable_server(self, server: str) -> None:
        """Don't start a server any more, also after a restart of the node; a running process goes on.

        :raises AdminError: ``node-down``, ``server-unknown``
        """
        self._known(server)
        self._registry().set_disabled(server, disabled=True)
        self._tell(f"server disable {server}", "server-not-disabled", but="already disabled")

    def signal_server(self, server: str, signal: str) -> None:
        """Send a signal to a server's process.

        :param signal: name or number
        :raises AdminError: ``node-down``, ``server-unknown``, ``server-not-running``, ``signal-unknown``
        """
        number = _signal_number(signal)
        if self._known(server).pid is None:
            raise failed_error("server-not-running", f"{server} has no process to send a signal to")
        self._tell(f"server signal {server} {number}", "server-not-running")

    def deploy(self, file: Path, targets: Sequence[str] = ()) -> DeployReport:
        """Hand an application to the running grid; only servers whose specification has changed are restarted.

        :raises AdminError: ``node-down``, ``node-silent``, ``descriptor-invalid``
        """
        wanted, report = self._difference(file, targets)
        pids = self._pids(report.restarted)
        daemon.deploy(self._instance, file, wanted)
        for identifier, pid in self._pids(report.restarted).items():
            # IceGrid may hand new properties to a running process; ours read them at their start only.
            if pid is not None and pid == pids[identifier]:
                self.stop_server(identifier)
        for identifier in report.updated:
            present = self._known(identifier)
            if present.has_failed or present.optional:
                self.enable_server(identifier)
        return report

    def preview(self, file: Path, targets: Sequence[str] = ()) -> DeployReport:
        """What :meth:`deploy` would do.

        :raises AdminError: as :meth:`deploy`
        """
        return self._difference(file, targets)[1]

    def _difference(self, file: Path, targets: Sequence[str]) -> tuple[deployment.Deployment, DeployReport]:
        state = self.state()
        if not state.running:
            raise unreachable_error("node-down", "the server is not running", "start it: omero admin start")
        before = deployment.remembered(self._instance)
        wanted = deployment.prepare(self._instance, file, targets, before)
        old, new = ({server.id: server.digest for server in one.servers} for one in (before, wanted))
        changed = [identifier for identifier in new if identifier in old and new[identifier] != old[identifier]]
        running = {server.id for server in state.servers if server.pid is not None}
        report = DeployReport(
            tuple(identifier for identifier in new if identifier not in old),
            tuple(identifier for identifier in changed if identifier in running),
            tuple(identifier for identifier in old if identifier not in new),
            tuple(identifier for identifier in changed if identifier not in running),
        )
        return wanted, report

    def start_node(self, orders: LaunchOrders) -> None:
        """As :meth:`launch`."""
        self.launch(orders)

    def stop_node(self, node: str) -> None:
        """As :meth:`shutdown`."""
        self.shutdown(node)

    def _look(self, watcher: Watcher) -> bool:
        try:
            state = self.state()
        except AdminError:
            # The registry is silent, or has just gone: there is nothing to see.
            return True
        return watcher.look(state)

    def _shut_down_elsewhere(self, node: str) -> None:
        try:
            self._admin.words(f"node shutdown {safe_name(node, 'node')}")
        except RefusedError as refused:
            raise unreachable_error("node-down", f"the node {node} is not running: {refused.reason}") from refused

    def _known(self, server: str) -> ServerState:
        """The state of one server, which is then safe to name to ``icegridadmin``."""
        state = self.state()
        if not state.running:
            raise unreachable_error("node-down", "the server is not running", "start it: omero admin start")
        found = state.server(server)
        if found is None:
            known = ", ".join(server.id for server in state.servers)
            raise usage_error("server-unknown", f"there is no server {server!r}", f"known: {known}")
        return found

    def _pids(self, servers: Sequence[str]) -> dict[str, int | None]:
        pids: dict[str, int | None] = dict.fromkeys(servers)
        answers = self._admin.states(*(f"server state {safe_name(server, 'server')}" for server in servers))
        for server, answer in zip(servers, answers, strict=True):
            if not answer.startswith("error: "):
                pids[server] = parse_state(answer)[1]
        return pids

    def _tell(self, command: str, code: str, *, but: str | None = None) -> None:
        """Give a command that may take as long as a server needs to stop.

        :param but: a refusal that means that all is as it should be
        """
        try:
            self._admin.words(command, daemon.DEPLOY_PATIENCE)
        except RefusedError as refused:
            if but is None or but not in refused.reason:
                raise failed_error(code, f"{command}: {refused.reason}") from refused

    def _registry(self) -> Registry:
        return Registry(NodeLayout(self._instance).disabled_file)


def _signal_number(name: str) -> int:
    if name.isdigit() and 0 < int(name) < signal.NSIG:
        return int(name)
    try:
        return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"].value
    except KeyError:
        raise usage_error("signal-unknown", f"there is no signal {name!r}", "e.g. SIGTERM, or 15") from None
