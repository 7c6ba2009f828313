"""Talks to the node daemon: what runs, and commands."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, ExitStatus, failed_error, unreachable_error
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import GridState, ServerState
from omeroadmin.schema.instance import Instance
from omeroadmin.system import process
from omeroadmin.system.sockets import connect_unix

_ANSWER_TIMEOUT = 5.0
_SERVER_TIMEOUT = 150.0
_LAUNCH_TIMEOUT = 60.0
_LONGEST_ANSWER = 2**20


def grid_state(instance: Instance) -> GridState:
    """What the node says of itself and its servers; not running where it doesn't answer."""
    try:
        document = _ask(instance, {"command": "state"})
    except AdminError as error:
        if error.code == "node-down":
            return GridState(False)
        raise
    return GridState(True, tuple(_server_state(server) for server in document["servers"]), document["pid"])


def _server_state(document: dict[str, Any]) -> ServerState:
    # After an upgrade, the running node is of another version until it is restarted: what it says beyond is left out.
    known = {field.name for field in dataclasses.fields(ServerState)}
    return ServerState(**{name: value for name, value in document.items() if name in known})


def ping(instance: Instance) -> bool:
    """Whether the node answers."""
    try:
        _ask(instance, {"command": "ping"})
    except AdminError:
        return False
    return True


def node_process(instance: Instance) -> int | None:
    """Process of the node, also of one that doesn't answer; ``None`` where there is none."""
    path = NodeLayout(instance).pid_file
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


def shutdown(instance: Instance) -> None:
    """Ask the node to stop its servers and end; returns at once.

    :raises AdminError: ``node-down``, ``node-silent``
    """
    _ask(instance, {"command": "shutdown"})


def start_server(instance: Instance, server: str) -> None:
    """Start a server and wait until it is ready.

    :raises AdminError: ``node-down``, ``server-unknown``, ``server-disabled``, ``server-not-started``
    """
    _ask(instance, {"command": "start", "server": server}, timeout=_SERVER_TIMEOUT)


def stop_server(instance: Instance, server: str) -> None:
    """Stop a server's process; an enabled server that always runs comes back.

    :raises AdminError: ``node-down``, ``server-unknown``
    """
    _ask(instance, {"command": "stop", "server": server}, timeout=_SERVER_TIMEOUT)


def enable_server(instance: Instance, server: str) -> None:
    """Let a server be started again.

    :raises AdminError: ``node-down``, ``server-unknown``
    """
    _ask(instance, {"command": "enable", "server": server})


def disable_server(instance: Instance, server: str) -> None:
    """Don't start a server any more, also after a restart of the node; a running process goes on.

    :raises AdminError: ``node-down``, ``server-unknown``
    """
    _ask(instance, {"command": "disable", "server": server})


def signal_server(instance: Instance, server: str, signal: str) -> None:
    """Send a signal to a server's process.

    :param signal: name or number
    :raises AdminError: ``node-down``, ``server-unknown``, ``server-not-running``, ``signal-unknown``
    """
    _ask(instance, {"command": "signal", "server": server, "signal": signal})


def launch(instance: Instance, registry: tuple[str, int], *, file: Path, targets: Sequence[str] = ()) -> None:
    """Start the node's daemon and return when it takes commands.

    :param registry: host and port of the registry
    :param file: the application descriptor
    :raises AdminError: ``already-running``, ``port-taken``, ``descriptor-invalid``, ``node-not-started``
    """
    host, port = registry
    arguments = [sys.executable, "-m", "omeroadmin.grid.node", "--omerodir", str(instance.omerodir)]
    arguments += ["--registry", host, str(port), "--file", str(file.resolve())]
    for target in targets:
        arguments += ["--target", target]
    done = process.run(arguments, timeout=_LAUNCH_TIMEOUT)
    if done.succeeded:
        return
    try:
        document = json.loads(done.output)
    except ValueError:
        log = NodeLayout(instance).error_log
        raise failed_error(
            "node-not-started", f"the node daemon did not start: {done.last_words()}", f"see its log: tail {log}"
        ) from None
    raise _refusal(document)


def _ask(instance: Instance, request: dict[str, Any], *, timeout: float = _ANSWER_TIMEOUT) -> dict[str, Any]:
    socket = NodeLayout(instance).control_socket
    try:
        with connect_unix(socket, timeout=timeout) as connection, connection.makefile("rwb") as stream:
            stream.write(json.dumps(request).encode() + b"\n")
            stream.flush()
            line = stream.readline(_LONGEST_ANSWER)
    except TimeoutError as error:
        raise unreachable_error(
            "node-silent",
            f"the node daemon (process {node_process(instance)}) does not answer within {timeout:g} s",
            "end it; its servers end with it: kill -9 PID",
        ) from error
    except OSError as error:
        raise _down(instance, error) from error
    if not line:
        raise _down(instance, OSError("it closed the connection"))
    document: dict[str, Any] = json.loads(line)
    if document.pop("ok"):
        return document
    raise _refusal(document)


def _down(instance: Instance, error: OSError) -> AdminError:
    return unreachable_error(
        "node-down",
        f"no node daemon answers for {instance.omerodir}: {error.strerror or error}",
        "start it: omero admin start",
    )


def _refusal(document: dict[str, Any]) -> AdminError:
    return AdminError(
        document["code"],
        document["message"],
        hint=document["hint"],
        exit_status=ExitStatus(document["exit_status"]),
    )
