"""Talks to the node daemon: what runs, and commands."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, ExitStatus, failed_error, unreachable_error
from omeroadmin.grid.driver import DeployReport
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import MASTER, Cause, GridState, NodeState, ServerSpecification, ServerState, State
from omeroadmin.schema.instance import Instance
from omeroadmin.system import process
from omeroadmin.system.sockets import connect_unix

_ANSWER_TIMEOUT = 5.0
_SERVER_TIMEOUT = 150.0
_LAUNCH_TIMEOUT = 60.0
_LONGEST_ANSWER = 2**20


def grid_state(instance: Instance, node: str = MASTER) -> GridState:
    """What a node says of itself and its servers; not running where it doesn't answer.

    :raises AdminError: ``node-silent``
    """
    return survey(instance, node)[0]


def survey(instance: Instance, node: str = MASTER) -> tuple[GridState, tuple[ServerState, ...]]:
    """As :func:`grid_state`, and the servers that other nodes of the application would run.

    :raises AdminError: ``node-silent``
    """
    try:
        document = _ask(instance, {"command": "state"}, node=node)
    except AdminError as error:
        if error.code == "node-down":
            return GridState(False), ()
        raise
    pid = document["pid"]
    servers = tuple(_server_state(server, node) for server in document["servers"])
    elsewhere = tuple(_cut_off(server) for server in document.get("elsewhere", ()))
    return GridState(True, servers, pid, (NodeState(node, True, pid, os.uname().nodename),)), elsewhere


def _cut_off(document: dict[str, Any]) -> ServerState:
    node = document["node"]
    reason = f"the node {node} is down"
    return ServerState(document["id"], State.INACTIVE, None, True, reason, document["always"], Cause.NODE_DOWN, node)


@dataclasses.dataclass(frozen=True)
class DeployedApplication:
    """What a node was given.

    :param name: of the application
    :param file: the descriptor
    :param targets: wanted targets
    :param deployed_at: moments at which a descriptor was taken over, the first at the start of the node
    :param servers: ids of the servers of each node, in the order of the descriptor
    """

    name: str
    file: Path
    targets: tuple[str, ...]
    deployed_at: tuple[str, ...]
    servers: dict[str, tuple[str, ...]]


def application(instance: Instance, node: str = MASTER) -> DeployedApplication:
    """The application that a node was given.

    :raises AdminError: ``node-down``, ``node-silent``
    """
    document = _ask(instance, {"command": "application"}, node=node)
    servers: dict[str, tuple[str, ...]] = {MASTER: ()}
    for server in document["servers"]:
        servers[server["node"]] = (*servers.get(server["node"], ()), server["id"])
    return DeployedApplication(
        document["name"],
        Path(document["file"]),
        tuple(document["targets"]),
        tuple(document["deployed_at"]),
        servers,
    )


def describe(instance: Instance, server: str, node: str = MASTER) -> ServerSpecification:
    """The specification that a server was given.

    :raises AdminError: ``node-down``, ``server-unknown``
    """
    document = _ask(instance, {"command": "describe", "server": server}, node=node)
    pairs = {name: tuple((key, value) for key, value in document[name]) for name in ("environment", "properties")}
    return ServerSpecification(**{**document, **pairs, "options": tuple(document["options"])})


def deploy(
    instance: Instance,
    file: Path,
    targets: Sequence[str] = (),
    node: str = MASTER,
    *,
    preview: bool = False,
    only_remove: bool = False,
) -> DeployReport:
    """Have a node go on with another application.

    :param preview: only tell what would be done
    :param only_remove: only stop the servers that the node no longer has
    :raises AdminError: ``node-down``, ``node-silent``, ``descriptor-invalid``
    """
    request = {"command": "deploy", "file": str(file.absolute()), "targets": list(targets)}
    flags = {"preview": preview, "only_remove": only_remove}
    document = _ask(instance, {**request, **flags}, node=node, timeout=_SERVER_TIMEOUT)
    return DeployReport(**{name: tuple(servers) for name, servers in document.items()})


def _server_state(document: dict[str, Any], node: str) -> ServerState:
    # After an upgrade, the running node is of another version until it is restarted: what it says beyond is left out.
    known = {field.name for field in dataclasses.fields(ServerState)}
    return ServerState(**{**{name: value for name, value in document.items() if name in known}, "node": node})


def ping(instance: Instance, node: str = MASTER) -> bool:
    """Whether a node answers."""
    try:
        _ask(instance, {"command": "ping"}, node=node)
    except AdminError:
        return False
    return True


def node_process(instance: Instance, node: str = MASTER) -> int | None:
    """Process of a node, also of one that doesn't answer; ``None`` where there is none."""
    path = NodeLayout(instance, node).pid_file
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(descriptor)
    return None


def shutdown(instance: Instance, node: str = MASTER) -> None:
    """Ask a node to stop its servers and end; returns at once.

    :raises AdminError: ``node-down``, ``node-silent``
    """
    _ask(instance, {"command": "shutdown"}, node=node)


def start_server(instance: Instance, server: str, node: str = MASTER) -> None:
    """Start a server and wait until it is ready.

    :raises AdminError: ``node-down``, ``server-unknown``, ``server-disabled``, ``server-not-started``
    """
    _ask(instance, {"command": "start", "server": server}, node=node, timeout=_SERVER_TIMEOUT)


def stop_server(instance: Instance, server: str, node: str = MASTER) -> None:
    """Stop a server's process; an enabled server that always runs comes back.

    :raises AdminError: ``node-down``, ``server-unknown``
    """
    _ask(instance, {"command": "stop", "server": server}, node=node, timeout=_SERVER_TIMEOUT)


def enable_server(instance: Instance, server: str, node: str = MASTER) -> None:
    """Let a server be started again.

    :raises AdminError: ``node-down``, ``server-unknown``
    """
    _ask(instance, {"command": "enable", "server": server}, node=node)


def disable_server(instance: Instance, server: str, node: str = MASTER) -> None:
    """Don't start a server any more, also after a restart of the node; a running process goes on.

    :raises AdminError: ``node-down``, ``server-unknown``
    """
    _ask(instance, {"command": "disable", "server": server}, node=node)


def signal_server(instance: Instance, server: str, signal: str, node: str = MASTER) -> None:
    """Send a signal to a server's process.

    :param signal: name or number
    :raises AdminError: ``node-down``, ``server-unknown``, ``server-not-running``, ``signal-unknown``
    """
    _ask(instance, {"command": "signal", "server": server, "signal": signal}, node=node)


def launch(
    instance: Instance, registry: tuple[str, int], *, file: Path, targets: Sequence[str] = (), node: str = MASTER
) -> None:
    """Start a node's daemon and return when it takes commands.

    :param registry: host and port of the registry
    :param file: the application descriptor
    :raises AdminError: ``already-running``, ``port-taken``, ``descriptor-invalid``, ``node-not-started``
    """
    host, port = registry
    arguments = process.module_command("omeroadmin.grid.node", "--omerodir", instance.omerodir)
    arguments += ["--node", node, "--registry", host, str(port), "--file", str(file.absolute())]
    for target in targets:
        arguments += ["--target", target]
    done = process.run(arguments, timeout=_LAUNCH_TIMEOUT)
    if done.succeeded:
        return
    try:
        document = json.loads(done.output)
    except ValueError:
        log = NodeLayout(instance, node).error_log
        raise failed_error(
            "node-not-started", f"the node daemon did not start: {done.last_words()}", f"see its log: tail {log}"
        ) from None
    raise _refusal(document)


def _ask(instance: Instance, request: dict[str, Any], *, node: str, timeout: float = _ANSWER_TIMEOUT) -> dict[str, Any]:
    socket = NodeLayout(instance, node).control_socket
    try:
        with connect_unix(socket, timeout=timeout) as connection, connection.makefile("rwb") as stream:
            stream.write(json.dumps(request).encode() + b"\n")
            stream.flush()
            line = stream.readline(_LONGEST_ANSWER)
    except TimeoutError as error:
        raise unreachable_error(
            "node-silent",
            f"the node daemon (process {node_process(instance, node)}) does not answer within {timeout:g} s",
            "end it; its servers end with it: kill -9 PID",
        ) from error
    except OSError as error:
        raise _down(instance, node, error) from error
    if not line.endswith(b"\n"):
        raise _down(instance, node, OSError("it closed the connection before it had answered"))
    document: dict[str, Any] = json.loads(line)
    if document.pop("ok"):
        return document
    raise _refusal(document)


def _down(instance: Instance, node: str, error: OSError) -> AdminError:
    which = "no node daemon" if node == MASTER else f"no daemon of the node {node}"
    return unreachable_error(
        "node-down",
        f"{which} answers for {instance.omerodir}: {error.strerror or error}",
        "start it: omero admin start" if node == MASTER else f"start it: omero node {node} start",
    )


def _refusal(document: dict[str, Any]) -> AdminError:
    return AdminError(
        document["code"],
        document["message"],
        hint=document["hint"],
        exit_status=ExitStatus(document["exit_status"]),
    )
