"""Whether the server can be used: what its node says, and what a client sees."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.grid.driver import driver_for
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import GridState, ServerState
from omeroadmin.grid.ports import transports
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files
from omeroadmin.system.clock import monotonic, wait_until
from omeroadmin.workflows.driver import instance_driver
from omeroadmin.workflows.reporter import Reporter

_ANSWER_TIMEOUT = 5.0
_LOG_LINES = 5
_EVERYWHERE = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 - compared with, not bound


@dataclass(frozen=True)
class Availability:
    """Whether clients can use the server.

    :param up: the node answers, and through OMERO.Glacier2 a Blitz
    :param problems: what isn't as it should be, a line each; some of it may not concern clients
    """

    up: bool
    problems: tuple[str, ...] = ()


def availability(instance: Instance, *, node_only: bool = False) -> Availability:
    """Ask the node, and then the server as a client would.

    :param node_only: whether the node's answer is enough
    :raises AdminError: ``config-unparsable``, ``setting-invalid``
    """
    if not instance.internal_cfg.exists():
        return Availability(False, ("Missing internal configuration: the server was never started",))
    settings = load_settings(instance)
    try:
        state = driver_for(instance, settings).state()
    except AdminError as error:
        return Availability(False, (error.message,))
    if not state.running:
        return Availability(False, ("Server not running",))
    if node_only:
        return Availability(True)
    problems = [server_problem(server) for server in state.servers if server.is_awaited or server.has_failed]
    silence = _api_problem(settings)
    if silence:
        problems.append(silence)
    return Availability(not silence, tuple(problems))


def wait_up(instance: Instance, wait: float) -> None:
    """Wait until clients can use the server.

    :param wait: seconds
    :raises AdminError: ``start-timeout`` with what is missing
    """
    last = Availability(False)

    def is_up() -> bool:
        nonlocal last
        last = availability(instance)
        return last.up

    if not wait_until(is_up, timeout=wait):
        raise failed_error(
            "start-timeout",
            f"Failed to startup some components after {wait:g} seconds: {'; '.join(last.problems)}",
            "omero admin diagnostics",
        )


def wait_for_servers(instance: Instance, wait: float, reporter: Reporter) -> GridState:
    """Follow a start until every server is active or has been given up.

    :param wait: seconds
    :raises AdminError: ``start-failed``, ``start-timeout``, ``node-not-started``
    """
    deadline = monotonic() + wait
    driver = instance_driver(instance)
    seen: dict[str, str] = {}
    state = GridState(True)

    def is_over() -> bool:
        nonlocal state
        state = driver.state()
        _report(state, seen, reporter)
        return not state.running or _is_over(state)

    wait_until(is_over, timeout=deadline - monotonic(), longest_pause=0.1)
    if not state.running:
        _show_log(reporter, NodeLayout(instance).error_log)
        raise failed_error("node-not-started", "the node ended while the servers started", "omero admin diagnostics")
    failed = next((server for server in state.servers if server.has_failed), None)
    if failed is not None:
        _show_log(reporter, NodeLayout(instance).server_log(failed.id))
        raise failed_error(
            "start-failed",
            f"{failed.id} did not start: {failed.reason}",
            f"see its log: {NodeLayout(instance).server_log(failed.id)}",
        )
    waiting = [server_problem(server) for server in state.servers if server.is_awaited]
    if waiting:
        raise failed_error(
            "start-timeout",
            f"Failed to startup some components after {wait:g} seconds: {'; '.join(waiting)}",
            "give it longer with --wait, or look into the logs: omero admin diagnostics",
        )
    for server in state.servers:
        if server.optional:
            reporter.say(f"{server.id} is disabled: {server.reason}")
    return state


def server_problem(server: ServerState) -> str:
    """A server that isn't as it should be, in one line."""
    return f"{server.id} {server.describe()}" + (f": {server.reason}" if server.reason else "")


def _is_over(state: GridState) -> bool:
    servers = state.servers
    return any(server.has_failed for server in servers) or not any(server.is_awaited for server in servers)


def _report(state: GridState, seen: dict[str, str], reporter: Reporter) -> None:
    for server in state.servers:
        text = server.describe()
        if server.always and seen.get(server.id) != text:
            seen[server.id] = text
            reporter.progress(server_problem(server) if server.reason else f"{server.id} {text}")


def _show_log(reporter: Reporter, log: Path) -> None:
    try:
        lines = files.read_bytes(log).decode("utf-8", "replace").splitlines()
    except AdminError:
        # A server that never came to writing a log has none; its reason is in the error.
        return
    for line in lines[-_LOG_LINES:]:
        reporter.say(f"{log.name}: {line}")


def _api_problem(settings: Settings) -> str:
    """Why a client would get no answer; empty where it would."""
    offered = transports(settings)
    plain = next((name for name in ("tcp", "ws") if name in offered), None)
    port = settings.port(plain or offered[0])
    bound = settings.text("Ice.Default.Host").strip()
    host = "127.0.0.1" if bound in _EVERYWHERE else bound
    connection = _connection(host, port, tls=plain is None)
    try:
        connection.request("GET", "/api/v0/status", headers={"Connection": "close"})
        response = connection.getresponse()
        document = json.loads(response.read(65536))
        if response.status == http.client.OK and document["status"] == "up":
            return ""
        return f"OMERO.Glacier2 on {host}:{port} answers with status {response.status}: no Blitz is ready"
    except (OSError, http.client.HTTPException) as error:
        return f"OMERO.Glacier2 on {host}:{port} does not answer: {error or type(error).__name__}"
    except (ValueError, KeyError, TypeError):
        return f"something that isn't OMERO.Glacier2 answers on {host}:{port}"
    finally:
        connection.close()


def _connection(host: str, port: int, *, tls: bool) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection(host, port, timeout=_ANSWER_TIMEOUT)
    # Whether it lives is asked of this machine's own server; nothing secret is sent.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=_ANSWER_TIMEOUT, context=context)
