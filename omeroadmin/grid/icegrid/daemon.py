"""Starts ``icegridnode`` and hands it the application."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.errors import AdminError, configuration_error, failed_error, unreachable_error, usage_error
from omeroadmin.grid.driver import LaunchOrders
from omeroadmin.grid.icegrid import deployment as deployments
from omeroadmin.grid.icegrid import processes, verdicts
from omeroadmin.grid.icegrid.admin import IceGridAdmin, RefusedError, safe_name
from omeroadmin.grid.icegrid.announced import announced
from omeroadmin.grid.icegrid.deployment import Deployment
from omeroadmin.grid.icegrid.programs import NODE, require_program
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import MASTER
from omeroadmin.grid.node.registry import Registry
from omeroadmin.schema.instance import Instance
from omeroadmin.system import files, process
from omeroadmin.system.clock import wait_until

if TYPE_CHECKING:
    import subprocess

DEPLOY_PATIENCE = 150.0
"""Seconds that a deployment may take: servers that change are stopped in it."""

_START_TIMEOUT = 60.0
_PRIVATE = 0o700
_TAKEN = ("already running and listening", "Address already in use")
_SUPERVISOR = {"OMERO_GRID_DRIVER": "icegrid"}


def launch(instance: Instance, orders: LaunchOrders) -> None:
    """Start a node detached; the master is handed the application.

    :raises AdminError: ``icegrid-missing``, ``already-running``, ``port-taken``, ``descriptor-invalid``,
        ``node-not-started``, ``node-unknown``, ``master-down``
    """
    layout, deployment = _prepare(instance, orders)
    pid_file = layout.pid_file.relative_to(instance.omerodir)
    done = process.run(
        [*_command(layout), "--daemon", "--nochdir", "--pidfile", str(pid_file)],
        timeout=_START_TIMEOUT,
        environment=_environment(layout),
        inherit=False,
        directory=instance.omerodir,
        merge=True,
    )
    if not done.succeeded:
        raise _not_started(layout, orders, done.last_words())
    settle(instance, orders, deployment)


def start_foreground(instance: Instance, orders: LaunchOrders) -> tuple[subprocess.Popen[bytes], Deployment]:
    """Start a node as a child of this process; as with OMERO, its log stays in ``var/log``.

    :return: the process, which doesn't take commands yet, and what :func:`settle` is to hand to it
    :raises AdminError: as :func:`launch`
    """
    layout, deployment = _prepare(instance, orders)
    sys.stdout.flush()
    sys.stderr.flush()
    child = process.spawn(
        _command(layout),
        environment=_environment(layout),
        inherit=False,
        directory=instance.omerodir,
        output=1,
        error_output=2,
    )
    processes.record_node(layout, child.pid)
    return child, deployment


def settle(instance: Instance, orders: LaunchOrders, deployment: Deployment) -> None:
    """Wait until a node that was just started takes commands, and hand the application to the master's registry.

    A node for which that fails is stopped.

    :raises AdminError: ``descriptor-invalid``, ``node-not-started``
    """
    layout = NodeLayout(instance, orders.node)
    admin = IceGridAdmin(instance)
    try:
        _wait_for(admin, layout, orders)
        disabled = [s.id for s in deployment.servers if Registry(NodeLayout(instance).disabled_file).is_disabled(s.id)]
        if orders.node != MASTER:
            _disable(admin, (s.id for s in deployment.servers if s.node == orders.node and s.id in disabled))
            return
        if disabled:
            # What an admin disabled must not even be started; only what is deployed can be disabled.
            deploy(instance, orders.file, deployment, manual=True)
            _disable(admin, disabled)
        deploy(instance, orders.file, deployment)
    except AdminError:
        daemon = processes.node_process(layout)
        if daemon is not None:
            processes.terminate(daemon)
            wait_until(lambda: processes.node_process(layout) is None, timeout=_START_TIMEOUT)
        raise


def deploy(instance: Instance, file: Path, deployment: Deployment, *, manual: bool = False) -> None:
    """Hand an application to the running registry, instead of any other.

    :param manual: whether no server is to be started
    :raises AdminError: ``descriptor-invalid``, ``node-down``, ``node-silent``
    """
    admin = IceGridAdmin(instance)
    copy = deployments.copy_descriptors(instance, file, deployment.profiles, manual=manual)
    copy = copy.relative_to(instance.omerodir)
    targets = " ".join(safe_name(target, "target") for target in deployment.targets)
    try:
        present = admin.words("application list")
        for name in present:
            if name != deployment.application:
                admin.words(f"application remove '{name}'", DEPLOY_PATIENCE)
        verb = "update" if deployment.application in present else "add"
        admin.words(f"application {verb} '{copy}' {targets}", DEPLOY_PATIENCE)
    except RefusedError as refused:
        raise configuration_error(
            "descriptor-invalid",
            f"the registry refuses {file}: {refused.reason}",
            "render it anew: omero admin rewrite",
        ) from refused
    deployments.remember(instance, deployment)


def _prepare(instance: Instance, orders: LaunchOrders) -> tuple[NodeLayout, Deployment]:
    """Everything that can be refused, and a clean place."""
    require_program(NODE)
    layout = NodeLayout(instance, orders.node)
    source, deployment = _deployment(instance, orders)
    if orders.node not in {MASTER, *deployment.nodes}:
        raise usage_error(
            "node-unknown",
            f"{source} gives the node {orders.node!r} no server",
            f"nodes with servers: {', '.join(deployment.nodes)} (omero.server.nodedescriptors)",
        )
    if processes.node_process(layout) is not None:
        raise configuration_error(
            "already-running",
            "Server already running" if orders.node == MASTER else f"node {orders.node} already running",
            f"stop it first: omero {'admin' if orders.node == MASTER else f'node {orders.node}'} stop",
        )
    for directory in (layout.directory, instance.run_directory, instance.registry_directory, instance.log_directory):
        files.make_directory(directory, mode=_PRIVATE)
    processes.end_orphans(layout)
    verdicts.forget(layout, (server.id for server in deployment.servers if server.node == orders.node))
    if orders.node == MASTER and set(deployment.nodes) <= {MASTER}:
        # Servers of an earlier application would be started first. Those of other nodes go on without the master, so
        # with several nodes the registry keeps what it knows.
        deployments.forget_registry(instance)
    return layout, deployment


def _deployment(instance: Instance, orders: LaunchOrders) -> tuple[str, Deployment]:
    """What is to run and who says so: of other nodes than its own the registry, wherever they are."""
    if orders.node == MASTER:
        return str(orders.file), deployments.prepare(instance, orders.file, orders.targets)
    registry = "the registry at {}:{}".format(*orders.registry)
    try:
        return registry, announced(IceGridAdmin(instance))
    except RefusedError as refused:
        raise failed_error("node-not-started", f"{registry} refuses: {refused.reason}") from refused
    except AdminError as error:
        if error.code not in {"node-down", "node-silent"}:
            raise
        raise unreachable_error(
            "master-down",
            f"{registry} does not answer, and the node {orders.node} gets its servers from it",
            "start the master first: omero admin start",
        ) from error


def _command(layout: NodeLayout) -> list[str]:
    # Relative paths, because Ice takes a comma in one for the beginning of the next.
    etc = layout.instance.etc
    configuration = etc / f"{layout.node}.cfg"
    if not configuration.is_file():
        raise configuration_error(
            "configuration-missing", f"the configuration {configuration} of the node is missing", "omero admin rewrite"
        )
    names = ",".join(f"{etc.name}/{name}" for name in (layout.instance.internal_cfg.name, configuration.name))
    return [str(require_program(NODE)), f"--Ice.Config={names}"]


def _environment(layout: NodeLayout) -> dict[str, str]:
    from omeroadmin.grid.node.node import server_environment

    return {**server_environment(os.environ, layout), **_SUPERVISOR}


def _wait_for(admin: IceGridAdmin, layout: NodeLayout, orders: LaunchOrders) -> None:
    answer = ""

    def is_up() -> bool:
        nonlocal answer
        try:
            answer = admin.states(f"node ping {safe_name(layout.node, 'node')}")[0]
        except AdminError as error:
            if error.code not in {"node-down", "node-silent"}:
                raise
            answer = error.message
        return answer == "node is up" or processes.node_process(layout) is None

    if not wait_until(is_up, timeout=_START_TIMEOUT) or answer != "node is up":
        raise _not_started(layout, orders, answer)


def _disable(admin: IceGridAdmin, servers: Iterable[str]) -> None:
    for server in servers:
        try:
            admin.words(f"server disable {safe_name(server, 'server')}")
        except RefusedError as refused:
            raise failed_error("node-not-started", f"{server} can't be disabled: {refused.reason}") from refused


def _not_started(layout: NodeLayout, orders: LaunchOrders, words: str) -> AdminError:
    log = layout.error_log
    try:
        lines = files.read_text(log).strip().splitlines()
    except AdminError:
        # It failed before it had a log; what it said then has to do.
        lines = []
    reason = lines[-1].partition("error: ")[2] or lines[-1] if lines else words
    if any(word in reason for word in _TAKEN):
        host, port = orders.registry
        return configuration_error(
            "port-taken",
            f"the registry can't listen on {host}:{port} (omero.ports.registry): {reason}",
            f"see who does: ss -ltnp 'sport = :{port}'",
        )
    return failed_error(
        "node-not-started", f"the node {layout.node} did not start: {reason}", f"see its log: tail {log}"
    )
