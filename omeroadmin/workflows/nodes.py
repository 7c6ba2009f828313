"""Nodes beside the master: each runs the servers that the master's application gives it."""

from __future__ import annotations

from dataclasses import dataclass

from omeroadmin.errors import AdminError, failed_error, unreachable_error, usage_error
from omeroadmin.grid.application import read_application
from omeroadmin.grid.driver import GridDriver, LaunchOrders, driver_for
from omeroadmin.grid.drivers.embedded import EmbeddedDriver
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import MASTER, GridState, ServerState
from omeroadmin.grid.ports import master_host
from omeroadmin.profiles.store import ensure_saved, load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system import files
from omeroadmin.system.clock import wait_until
from omeroadmin.system.local import LocalHost
from omeroadmin.system.notify import Notifier
from omeroadmin.workflows import preconditions
from omeroadmin.workflows.application import chosen_descriptor
from omeroadmin.workflows.deploy import follow
from omeroadmin.workflows.foreground import ForegroundWatcher, NotifyingReporter
from omeroadmin.workflows.reporter import SILENT, Reporter
from omeroadmin.workflows.rewrite import plan_templates
from omeroadmin.workflows.startup import LogMarks, Startup

_PRIVATE = 0o700

WAIT = 300.0
"""Seconds that starting and stopping may take, as with the server."""


@dataclass(frozen=True)
class NodeStatus:
    """What there is to say of a node.

    :param up: whether it answers
    :param pid: of its daemon; ``None`` where none runs on this machine
    :param servers: those that it runs
    """

    name: str
    up: bool
    pid: int | None
    servers: tuple[ServerState, ...]


def start_node(instance: Instance, name: str, wait: float = WAIT, reporter: Reporter = SILENT) -> GridState:
    """Start a node and wait until its servers are ready.

    :param wait: seconds
    :return: the servers of the node
    :raises AdminError: ``started-by-root``, ``node-is-master``, ``node-unknown``, ``master-down``,
        ``already-running``, ``start-failed``, ``start-timeout``, ``node-not-started``
    """
    driver, orders = _prepare(instance, name)
    marks = LogMarks.now(instance)
    reporter.progress(f"starting the node {name}")
    driver.launch(orders)
    servers = {server.id for server in driver.state().servers if server.node == name}
    return follow(driver, Startup(instance, marks, wait, reporter), servers, wait)


def run_node(
    instance: Instance,
    name: str,
    wait: float = WAIT,
    reporter: Reporter = SILENT,
    notifier: Notifier | None = None,
) -> None:
    """Run a node in this process until SIGTERM or SIGINT; for containers and service managers.

    :param notifier: the service manager, which is told when the node is ready and how it is
    :raises AdminError: as :func:`start_node`
    """
    notifier = notifier or Notifier()
    driver, orders = _prepare(instance, name)
    startup = Startup(instance, LogMarks.now(instance), wait, NotifyingReporter(reporter, notifier))
    watcher = ForegroundWatcher(startup, notifier, keep=False)
    driver.run_foreground(orders, watcher)
    failure = None if watcher.last is None else startup.failure(watcher.last)
    if failure is not None:
        raise failure


def stop_node(instance: Instance, name: str, wait: float = WAIT, reporter: Reporter = SILENT) -> bool:
    """Stop a node and its servers.

    :param wait: seconds
    :return: whether it was running
    :raises AdminError: ``node-is-master``, ``node-unknown``, ``node-silent``, ``stop-timeout``
    """
    _refuse_master(name, "omero admin stop")
    settings = load_settings(instance)
    driver = driver_for(instance, settings)
    _require_known(instance, driver, name)
    if driver.node_process(name) is None and not driver.ping(name):
        return False
    reporter.progress(f"stopping the node {name}")
    if not wait_until(lambda: _is_gone(driver, name), timeout=wait):
        raise failed_error(
            "stop-timeout",
            f"the node {name} did not stop within {wait:g} seconds",
            f"see what holds it up: tail {NodeLayout(instance, name).error_log}",
        )
    return True


def node_status(instance: Instance, name: str) -> NodeStatus:
    """How a node is.

    :raises AdminError: ``node-unknown``, ``node-silent``
    """
    driver = driver_for(instance, load_settings(instance))
    _require_known(instance, driver, name)
    servers = tuple(server for server in driver.state().servers if server.node == name)
    return NodeStatus(name, driver.ping(name), driver.node_process(name), servers)


def _prepare(instance: Instance, name: str) -> tuple[GridDriver, LaunchOrders]:
    _refuse_master(name, "omero admin start")
    preconditions.refuse_root(instance)
    settings = load_settings(instance)
    preconditions.refuse_foreign(instance, settings)
    driver = driver_for(instance, settings)
    if isinstance(driver, EmbeddedDriver) or driver.node_process() is not None:
        orders = _orders(instance, settings, driver, name)
        preconditions.check_directories(instance, settings)
        return driver, orders
    # A host of its own needs no data directory, unless its servers do.
    for directory in (instance.var, instance.log_directory, instance.temporary_directory, instance.run_directory):
        files.make_directory(directory, mode=_PRIVATE)
    return driver, _orders(instance, settings, driver, name)


def _orders(instance: Instance, settings: Settings, driver: GridDriver, name: str) -> LaunchOrders:
    """What the node is to run: on the master's machine, what the master runs."""
    registry = (master_host(settings), settings.port("registry"))
    if isinstance(driver, EmbeddedDriver):
        if not driver.ping():
            raise unreachable_error(
                "master-down",
                f"the master does not answer, and the node {name} gets its servers from it",
                "start it first: omero admin start",
            )
        _require_known(instance, driver, name)
        application = driver.application()
        return LaunchOrders(registry, application.file, application.targets, name)
    if driver.node_process() is None:
        # On a host of its own, nobody else renders what the node reads.
        ensure_saved(instance.config_xml, cause=f"node {name} start")
        apply_plan(plan_templates(instance, settings, of_master=False), LocalHost())
    file, targets = chosen_descriptor(instance)
    return LaunchOrders(registry, file, targets, name)


def _refuse_master(name: str, instead: str) -> None:
    if name == MASTER:
        raise usage_error("node-is-master", f"the node {MASTER} is the server itself", instead)


def _require_known(instance: Instance, driver: GridDriver, name: str) -> None:
    """A name that is none of the grid's never becomes a path or a question."""
    state = driver.state()
    known = {node.name for node in state.nodes} | (set() if state.running else _described(instance))
    if name not in known:
        raise usage_error(
            "node-unknown",
            f"there is no node {name!r}; known: {', '.join(sorted(known))}",
            "give it servers: omero config describe omero.server.nodedescriptors",
        )


def _described(instance: Instance) -> set[str]:
    """The nodes of the descriptor on the disk, where no master says what it was given."""
    try:
        return set(read_application(instance.default_xml).nodes)
    except AdminError:
        # Whether it is there, and right, is not for a question about a node to say.
        return {MASTER}


def _is_gone(driver: GridDriver, name: str) -> bool:
    """Whether the node has ended; if not, it is told again, because it may just be starting."""
    if driver.node_process(name) is None and not driver.ping(name):
        return True
    try:
        driver.shutdown(name)
    except AdminError as error:
        if error.code != "node-down":
            raise
    return False
