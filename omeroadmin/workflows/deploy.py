"""``admin deploy``: what has changed in the settings or the descriptor comes into force while the server runs."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import configuration_error, unreachable_error
from omeroadmin.grid.driver import DeployReport, GridDriver, driver_for
from omeroadmin.grid.model import GridState
from omeroadmin.grid.publishing import ReplaceFiles
from omeroadmin.profiles.store import ensure_saved, load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.steps.apply import apply_plan
from omeroadmin.steps.plan import Plan
from omeroadmin.system import files
from omeroadmin.system.clock import monotonic, wait_until
from omeroadmin.system.local import LocalHost
from omeroadmin.system.together import SetFile
from omeroadmin.workflows import preconditions
from omeroadmin.workflows.application import chosen_descriptor
from omeroadmin.workflows.reporter import SILENT, Reporter
from omeroadmin.workflows.rewrite import plan_templates
from omeroadmin.workflows.startup import LogMarks, Startup

WAIT = 300.0
"""Seconds that servers may take until they are ready again, as at a start."""

_LOCATOR = "Ice.Default.Locator="
_PRIVATE = 0o700


@dataclass(frozen=True)
class DeployOptions:
    """What may be said about a deployment.

    :param file: another application descriptor than ``etc/grid/default.xml``
    :param targets: wanted targets of the descriptor; those of the start count no longer
    :param wait: seconds until the servers that were started must be ready
    """

    file: Path | None = None
    targets: tuple[str, ...] = ()
    wait: float = WAIT


@dataclass(frozen=True)
class DeployPreview:
    """What a deployment would do.

    :param plan: the files that would be written
    :param report: the servers that would be started, restarted and stopped
    """

    plan: Plan
    report: DeployReport


def preview_deploy(instance: Instance, options: DeployOptions | None = None) -> DeployPreview:
    """Find out what :func:`deploy` would do, and change nothing.

    :raises AdminError: as :func:`deploy`, but for the servers' own failures
    """
    options = options or DeployOptions()
    settings = load_settings(instance)
    preconditions.refuse_foreign(instance, settings)
    driver = driver_for(instance, settings)
    _require_running(driver)
    file, targets = chosen_descriptor(instance, options.file, options.targets)
    plan = plan_templates(instance, settings)
    _refuse_new_address(instance, plan)
    with _as_it_will_be(instance, plan, file) as descriptor:
        return DeployPreview(plan, driver.preview(descriptor, targets))


def deploy(instance: Instance, options: DeployOptions | None = None, reporter: Reporter = SILENT) -> DeployReport:
    """Render the descriptors, hand them to the running grid, and wait until what was restarted is ready.

    :raises AdminError: ``started-by-root``, ``node-down``, ``target-unknown``, ``descriptor-invalid``,
        ``restart-needed``, ``start-failed``, ``start-timeout``, and those of ``admin rewrite``
    """
    options = options or DeployOptions()
    preconditions.refuse_root(instance)
    ensure_saved(instance.config_xml, cause="admin deploy")
    # What the grid would refuse isn't written.
    plan = preview_deploy(instance, options).plan
    marks = LogMarks.now(instance)
    apply_plan(plan, LocalHost())
    driver = driver_for(instance, load_settings(instance))
    reporter.progress("deploying")
    report = driver.deploy(*chosen_descriptor(instance, options.file, options.targets))
    follow(driver, Startup(instance, marks, options.wait, reporter), {*report.started, *report.restarted}, options.wait)
    return report


def follow(driver: GridDriver, startup: Startup, servers: set[str], wait: float) -> GridState:
    """Look on until some servers are ready.

    :param servers: their ids
    :param wait: seconds
    :return: the state of these servers
    :raises AdminError: ``start-failed``, ``start-timeout``, ``node-not-started``
    """
    deadline = monotonic() + wait
    state = GridState(True)

    def is_over() -> bool:
        nonlocal state
        whole = driver.state()
        chosen = tuple(server for server in whole.servers if server.id in servers)
        running = whole.running or any(not server.is_cut_off for server in chosen)
        state = GridState(running, chosen, whole.pid, whole.nodes)
        startup.report(state)
        return not running or startup.is_over(state)

    wait_until(is_over, timeout=deadline - monotonic(), longest_pause=0.1)
    failure = startup.failure(state)
    if failure is not None:
        raise failure
    startup.tell_of_optional(state)
    return state


def _require_running(driver: GridDriver) -> None:
    if not driver.ping():
        raise unreachable_error(
            "node-down", "the server is not running; a start deploys by itself", "omero admin start"
        )


def _refuse_new_address(instance: Instance, plan: Plan) -> None:
    """The nodes and the registry can't change their address while they run."""
    wanted = next((file for file in _rendered(plan) if instance.etc / file.name == instance.internal_cfg), None)
    if wanted is None or not instance.internal_cfg.exists():
        return
    present = files.read_text(instance.internal_cfg)
    if _locator(present) != _locator(wanted.content.decode()):
        raise configuration_error(
            "restart-needed",
            "the address of the registry has changed (omero.master.host, omero.ports.registry, omero.ports.prefix)",
            "omero admin restart",
        )


def _locator(text: str) -> str:
    return next((line for line in text.splitlines() if line.startswith(_LOCATOR)), "")


def _rendered(plan: Plan) -> tuple[SetFile, ...]:
    """The whole set that a plan writes; empty where it writes none."""
    return next((step.files for step in plan if isinstance(step, ReplaceFiles)), ())


@contextlib.contextmanager
def _as_it_will_be(instance: Instance, plan: Plan, file: Path) -> Iterator[Path]:
    """A copy of the descriptors as the plan will make them; it holds passwords, and is gone after the block."""
    rendered = _rendered(plan)
    directory = instance.grid_directory
    if not rendered or file.absolute().parent != directory:
        yield file
        return
    files.make_directory(instance.temporary_directory, mode=_PRIVATE)
    with tempfile.TemporaryDirectory(dir=instance.temporary_directory, prefix="deploy-") as name:
        shadow = Path(name)
        for path in directory.glob("*.xml"):
            files.write_atomically(shadow / path.name, files.read_bytes(path), mode=files.SECRET_MODE)
        for one in rendered:
            path = instance.etc / one.name
            if path.parent == directory:
                files.write_atomically(shadow / path.name, one.content, mode=files.SECRET_MODE)
        yield shadow / file.name
