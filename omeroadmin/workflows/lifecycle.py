"""From nothing to a running server and back: checks, database, descriptors, node, servers."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.database import embedded
from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.grid.driver import GridDriver, LaunchOrders, driver_for
from omeroadmin.grid.model import MASTER, GridState
from omeroadmin.grid.ports import master_host
from omeroadmin.profiles.store import ensure_saved, load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system import process
from omeroadmin.system.clock import wait_until
from omeroadmin.system.local import LocalHost
from omeroadmin.system.notify import Notifier
from omeroadmin.workflows import preconditions
from omeroadmin.workflows.application import chosen_descriptor
from omeroadmin.workflows.driver import instance_driver
from omeroadmin.workflows.foreground import ForegroundWatcher, NotifyingReporter
from omeroadmin.workflows.reporter import SILENT, Reporter
from omeroadmin.workflows.rewrite import plan_templates
from omeroadmin.workflows.startup import LogMarks, Startup, check_database

WAIT = 300.0
"""Seconds that starting and stopping may take, as with OMERO."""


@dataclass(frozen=True)
class StartOptions:
    """What may be said about a start.

    :param file: another application descriptor than ``etc/grid/default.xml``
    :param targets: wanted targets of the descriptor, e.g. ``debug``
    :param wait: seconds until all servers must be ready
    :param force_rewrite: write the grid's files also where they are as they should be
    :param keep: leave running what was started where a server can't start
    """

    file: Path | None = None
    targets: tuple[str, ...] = ()
    wait: float = WAIT
    force_rewrite: bool = False
    keep: bool = False


def start(instance: Instance, options: StartOptions | None = None, reporter: Reporter = SILENT) -> GridState:
    """Start the server and wait until all its parts are ready; what was started is stopped if one can't be.

    :return: the grid with all servers active, or disabled for a good reason
    :raises AdminError: ``started-by-root``, ``already-running``, ``directory-missing``, ``directory-not-writable``,
        ``disk-full``, ``port-taken``, ``certificate-missing``, ``certificate-unreadable``, ``certificate-password``,
        ``certificate-expired``, ``heap-too-large``, ``database-unreachable`` and other codes of the database,
        ``start-failed``, ``start-timeout``, ``node-not-started``
    """
    options = options or StartOptions()
    with _undoing(options) as undo:
        marks = LogMarks.now(instance)
        _launch(instance, options, reporter, undo)
        state = Startup(instance, marks, options.wait, reporter).follow(instance_driver(instance))
        undo.pop_all()
    return state


def start_async(instance: Instance, options: StartOptions | None = None, reporter: Reporter = SILENT) -> None:
    """Start the server and return as soon as the node has taken over.

    :raises AdminError: as :func:`start`, but for the servers' own failures
    """
    options = options or StartOptions()
    with _undoing(options) as undo:
        _launch(instance, options, reporter, undo)
        undo.pop_all()


def run_foreground(
    instance: Instance,
    options: StartOptions | None = None,
    reporter: Reporter = SILENT,
    notifier: Notifier | None = None,
) -> None:
    """Run the server in this process until SIGTERM or SIGINT; for containers and service managers.

    Before the node runs, these raise KeyboardInterrupt; what was started is stopped.

    :param notifier: the service manager, which is told when the server is ready and how it is
    :raises AdminError: as :func:`start`
    """
    options, notifier = options or StartOptions(), notifier or Notifier()
    telling = NotifyingReporter(reporter, notifier)
    with _interruptible(), contextlib.ExitStack() as undo:
        marks = LogMarks.now(instance)
        settings = _prepare(instance, options, telling, undo)
        file, targets = chosen_descriptor(instance, options.file, options.targets)
        startup = Startup(instance, marks, options.wait, telling)
        watcher = ForegroundWatcher(startup, notifier, keep=options.keep)
        driver_for(instance, settings).run_foreground(_orders(settings, file, targets), watcher)
        # With the database still running, what is wrong with it can still be found out.
        failure = None if watcher.last is None or options.keep else startup.failure(watcher.last)
    if failure is not None:
        raise failure


def stop(instance: Instance, wait: float = WAIT, reporter: Reporter = SILENT) -> bool:
    """Stop the servers, then the instance's own PostgreSQL.

    :param wait: seconds
    :return: whether the server was running
    :raises AdminError: ``stop-timeout``, ``node-silent``
    """
    was_running = _stop_node(instance, wait, reporter)
    _tell_of_other_nodes(instance, reporter)
    settings = load_settings(instance)
    if embedded.is_embedded(settings) and embedded.status(instance).running:
        reporter.progress("stopping PostgreSQL")
        embedded.stop(instance, settings)
    return was_running


def stop_async(instance: Instance) -> bool:
    """Ask the servers to stop and return at once; the instance's own PostgreSQL follows them by itself.

    :return: whether the server was running
    :raises AdminError: ``node-silent``
    """
    driver = instance_driver(instance)
    was_running = driver.node_process() is not None
    if was_running:
        _ask_to_stop(driver)
    settings = load_settings(instance)
    if embedded.is_embedded(settings) and embedded.status(instance).running:
        process.spawn(process.module_command("omeroadmin", "--omerodir", instance.omerodir, "admin", "stop"))
    return was_running


def restart_async(instance: Instance, options: StartOptions | None = None, reporter: Reporter = SILENT) -> None:
    """Stop the server if it runs, wait for its end, and start it without waiting until it is ready.

    :raises AdminError: as :func:`stop` and :func:`start_async`
    """
    preconditions.refuse_root(instance)
    options = options or StartOptions()
    _stop_node(instance, options.wait, reporter)
    start_async(instance, options, reporter)


def restart(instance: Instance, options: StartOptions | None = None, reporter: Reporter = SILENT) -> GridState:
    """Stop the server if it runs, and start it.

    :raises AdminError: as :func:`stop` and :func:`start`
    """
    preconditions.refuse_root(instance)
    options = options or StartOptions()
    _stop_node(instance, options.wait, reporter)
    return start(instance, options, reporter)


def wait_down(instance: Instance, wait: float = WAIT) -> None:
    """Wait until the node, and the instance's own PostgreSQL, have ended.

    :param wait: seconds
    :raises AdminError: ``stop-timeout``
    """
    settings = load_settings(instance)
    driver = driver_for(instance, settings)
    own_database = embedded.is_embedded(settings)

    def is_down() -> bool:
        return driver.node_process() is None and not (own_database and embedded.status(instance).running)

    if not wait_until(is_down, timeout=wait):
        raise failed_error(
            "stop-timeout", f"Failed to shutdown some components after {wait:g} seconds", "omero admin diagnostics"
        )


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM is as good as Ctrl-C until the node takes care of it: what was started is stopped, the database too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _undoing(options: StartOptions) -> Iterator[contextlib.ExitStack]:
    """What takes back a start that failed, unless it is to be kept."""
    with contextlib.ExitStack() as undo:
        try:
            yield undo
        except AdminError:
            if options.keep:
                undo.pop_all()
            raise


def _launch(instance: Instance, options: StartOptions, reporter: Reporter, undo: contextlib.ExitStack) -> None:
    """Everything up to the running node; ``undo`` takes it back."""
    settings = _prepare(instance, options, reporter, undo)
    file, targets = chosen_descriptor(instance, options.file, options.targets)
    reporter.progress("starting the node")
    driver_for(instance, settings).launch(_orders(settings, file, targets))
    undo.callback(_stop_remaining, instance, reporter)


def _orders(settings: Settings, file: Path, targets: tuple[str, ...]) -> LaunchOrders:
    return LaunchOrders((master_host(settings), settings.port("registry")), file, targets)


def _prepare(instance: Instance, options: StartOptions, reporter: Reporter, undo: contextlib.ExitStack) -> Settings:
    """Check everything that can be known before, start the database and render the descriptors."""
    preconditions.refuse_root(instance)
    settings = load_settings(instance)
    preconditions.refuse_foreign(instance, settings)
    if driver_for(instance, settings).node_process() is not None:
        raise configuration_error("already-running", "Server already running", "omero admin restart")
    preconditions.make_state_directory(instance, settings)
    preconditions.check_repository(instance, settings)
    preconditions.check_directories(instance, settings)
    preconditions.check_ports(settings)
    preconditions.check_certificates(settings)
    for line in preconditions.advice(settings):
        reporter.progress(line)
    for line in preconditions.warnings(instance, settings):
        reporter.say(line)
    _prepare_database(instance, settings, reporter, undo)
    ensure_saved(instance.config_xml, cause="admin start")
    apply_plan(plan_templates(instance, settings, force=options.force_rewrite), LocalHost())
    return settings


def _prepare_database(instance: Instance, settings: Settings, reporter: Reporter, undo: contextlib.ExitStack) -> None:
    if embedded.is_embedded(settings):
        if not embedded.status(instance).running:
            reporter.progress("starting PostgreSQL")
            undo.callback(embedded.stop, instance, settings)
        embedded.start(instance, settings)
    check_database(instance, settings)


def _stop_node(instance: Instance, wait: float, reporter: Reporter) -> bool:
    driver = instance_driver(instance)
    if driver.node_process() is None:
        return False
    reporter.progress("stopping the servers")
    if not wait_until(lambda: _is_gone(driver), timeout=wait):
        raise failed_error(
            "stop-timeout",
            f"Failed to shutdown some components after {wait:g} seconds{_what_runs(driver)}",
            f"they go on stopping: omero admin waitdown; to end them now: kill -9 {driver.node_process()}",
        )
    return True


def _what_runs(driver: GridDriver) -> str:
    """The servers that hold up a stop."""
    try:
        running = [f"{server.id} (process {server.pid})" for server in driver.state().servers if server.pid is not None]
    except AdminError:
        # The node is silent; that it still runs is all there is to say.
        return ""
    return f": {', '.join(running)}" if running else ""


def _tell_of_other_nodes(instance: Instance, reporter: Reporter) -> None:
    """Nodes besides the master aren't stopped with it; their servers go on."""
    driver = instance_driver(instance)
    for node in sorted(path.parent.name for path in instance.var.glob("*/*.pid") if path.stem == path.parent.name):
        pid = None if node == MASTER else driver.node_process(node)
        if pid is not None:
            reporter.say(f"The node {node} (process {pid}) still runs; stop it: omero node {node} stop")


def _is_gone(driver: GridDriver) -> bool:
    """Whether the node has ended; if not, it is told again, because it may just be starting, or ending already."""
    if driver.node_process() is None:
        return True
    _ask_to_stop(driver)
    return False


def _ask_to_stop(driver: GridDriver) -> None:
    try:
        driver.shutdown()
    except AdminError as error:
        if error.code != "node-down":
            raise


def _stop_remaining(instance: Instance, reporter: Reporter) -> None:
    reporter.say('Calling "stop" on remaining components')
    try:
        _stop_node(instance, WAIT, reporter)
    except AdminError as error:
        # The failure that brought us here is what matters; this one is said beside it.
        reporter.say(error.message)
