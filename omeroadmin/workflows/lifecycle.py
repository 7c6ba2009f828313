"""From nothing to a running server and back: checks, database, descriptors, node, servers."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, check_version, connect
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import AdminError, configuration_error, failed_error, usage_error
from omeroadmin.grid.driver import GridDriver, LaunchOrders, driver_for
from omeroadmin.grid.elements import known_targets
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import GridState
from omeroadmin.grid.ports import master_host
from omeroadmin.profiles.store import ensure_saved, load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system import process
from omeroadmin.system.clock import wait_until
from omeroadmin.system.local import LocalHost
from omeroadmin.workflows import preconditions
from omeroadmin.workflows.availability import wait_for_servers
from omeroadmin.workflows.driver import instance_driver
from omeroadmin.workflows.reporter import SILENT, Reporter
from omeroadmin.workflows.rewrite import plan_templates

WAIT = 300.0
"""Seconds that starting and stopping may take, as with OMERO."""


@dataclass(frozen=True)
class StartOptions:
    """What may be said about a start.

    :param file: another application descriptor than ``etc/grid/default.xml``
    :param targets: wanted targets of the descriptor, e.g. ``debug``
    :param wait: seconds until all servers must be ready
    :param force_rewrite: write the grid's files also where they are as they should be
    """

    file: Path | None = None
    targets: tuple[str, ...] = ()
    wait: float = WAIT
    force_rewrite: bool = False


def start(instance: Instance, options: StartOptions | None = None, reporter: Reporter = SILENT) -> GridState:
    """Start the server and wait until all its parts are ready; what was started is stopped if one can't be.

    :return: the grid with all servers active, or disabled for a good reason
    :raises AdminError: ``started-by-root``, ``already-running``, ``directory-missing``, ``directory-not-writable``,
        ``port-taken``, ``certificate-missing``, ``database-unreachable`` and other codes of the database,
        ``start-failed``, ``start-timeout``
    """
    options = options or StartOptions()
    with contextlib.ExitStack() as undo:
        _launch(instance, options, reporter, undo)
        state = wait_for_servers(instance, options.wait, reporter)
        undo.pop_all()
    return state


def start_async(instance: Instance, options: StartOptions | None = None, reporter: Reporter = SILENT) -> None:
    """Start the server and return as soon as the node has taken over.

    :raises AdminError: as :func:`start`, but for the servers' own failures
    """
    with contextlib.ExitStack() as undo:
        _launch(instance, options or StartOptions(), reporter, undo)
        undo.pop_all()


def run_foreground(instance: Instance, options: StartOptions | None = None, reporter: Reporter = SILENT) -> None:
    """Run the server in this process until SIGTERM or SIGINT; for containers and service managers.

    :raises AdminError: as :func:`start`
    """
    options = options or StartOptions()
    with contextlib.ExitStack() as undo:
        settings = _prepare(instance, options, reporter, undo)
        file, targets = _descriptor(instance, options)
        failure = driver_for(instance, settings).run_foreground(_orders(settings, file, targets))
    if failure is not None:
        raise failed_error(
            "start-failed", f"the server did not start: {failure}", f"see the logs: ls {instance.log_directory}"
        )


def stop(instance: Instance, wait: float = WAIT, reporter: Reporter = SILENT) -> bool:
    """Stop the servers, then the instance's own PostgreSQL.

    :param wait: seconds
    :return: whether the server was running
    :raises AdminError: ``stop-timeout``, ``node-silent``
    """
    was_running = _stop_node(instance, wait, reporter)
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
        arguments = [sys.executable, "-m", "omeroadmin", "--omerodir", str(instance.omerodir), "admin", "stop"]
        process.spawn(arguments)
    return was_running


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


def _launch(instance: Instance, options: StartOptions, reporter: Reporter, undo: contextlib.ExitStack) -> None:
    """Everything up to the running node; ``undo`` takes it back."""
    settings = _prepare(instance, options, reporter, undo)
    file, targets = _descriptor(instance, options)
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
    preconditions.check_directories(instance, settings)
    preconditions.check_ports(settings)
    preconditions.check_certificates(settings)
    for line in preconditions.advice(settings):
        reporter.progress(line)
    for line in preconditions.warnings(settings):
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
    with connect(DatabaseAddress.from_settings(settings)) as connection:
        check_version(connection, SchemaVersion.from_settings(settings))


def _descriptor(instance: Instance, options: StartOptions) -> tuple[Path, tuple[str, ...]]:
    """The descriptor and the targets; as with OMERO, a file that doesn't exist is taken for a target."""
    file, targets = options.file, options.targets
    if file is not None and not file.exists():
        file, targets = None, (str(file), *targets)
    descriptor = file or instance.default_xml
    known = known_targets(descriptor)
    for target in targets:
        if target not in known:
            raise usage_error(
                "target-unknown",
                f"{target!r} is neither a file nor a target of {descriptor}",
                f"known targets: {', '.join(sorted(known))}",
            )
    return descriptor, targets


def _stop_node(instance: Instance, wait: float, reporter: Reporter) -> bool:
    driver = instance_driver(instance)
    if driver.node_process() is None:
        return False
    reporter.progress("stopping the servers")
    if not wait_until(lambda: _is_gone(driver), timeout=wait):
        raise failed_error(
            "stop-timeout",
            f"Failed to shutdown some components after {wait:g} seconds",
            f"see what holds it up: tail {NodeLayout(instance).error_log}",
        )
    return True


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
