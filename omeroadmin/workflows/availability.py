"""Whether the server can be used: what its node says, and what a client sees."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.grid.driver import driver_for
from omeroadmin.grid.model import MASTER, GridState, NodeState, ServerState
from omeroadmin.grid.ports import transports
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import wait_until
from omeroadmin.workflows.startup import server_problem

_ANSWER_TIMEOUT = 5.0
_EVERYWHERE = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 - compared with, not bound


@dataclass(frozen=True)
class Availability:
    """Whether clients can use the server.

    :param up: the node answers, and through OMERO.Glacier2 a Blitz
    :param problems: what isn't as it should be, a line each; some of it may not concern clients
    :param nodes: all nodes, as far as the master knows
    :param servers: all servers, as far as their nodes answer
    """

    up: bool
    problems: tuple[str, ...] = ()
    nodes: tuple[NodeState, ...] = ()
    servers: tuple[ServerState, ...] = ()


def availability(instance: Instance, node: str = MASTER, *, node_only: bool = False) -> Availability:
    """Ask the node, and then the server as a client would.

    :param node: the node that must answer
    :param node_only: whether its answer is enough
    :raises AdminError: ``config-unparsable``, ``setting-invalid``
    """
    if not instance.internal_cfg.exists():
        return Availability(False, ("Missing internal configuration. Run `omero admin rewrite`.",))
    settings = load_settings(instance)
    driver = driver_for(instance, settings)
    try:
        state = driver.state()
    except AdminError as error:
        return Availability(False, (error.message,))
    if node != MASTER and not driver.ping(node):
        return Availability(False, (f"The node {node} does not answer",), state.nodes, state.servers)
    if node_only and node != MASTER:
        return Availability(True, (), state.nodes, state.servers)
    if not state.running:
        return Availability(False, ("Server not running",), state.nodes)
    if node_only:
        return Availability(True, (), state.nodes, state.servers)
    problems = [server_problem(server) for server in state.servers if server.is_awaited or server.has_failed]
    problems += _cut_off(state)
    silence = _silence(instance, settings)
    if silence:
        problems.append(silence)
    return Availability(not silence, tuple(problems), state.nodes, state.servers)


def _cut_off(state: GridState) -> list[str]:
    """The nodes that are down and have servers."""
    nodes = dict.fromkeys(server.node for server in state.servers if server.is_cut_off)
    return [
        f"The node {node} is down, and with it"
        f" {', '.join(server.id for server in state.servers if server.is_cut_off and server.node == node)}"
        for node in nodes
    ]


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


def _silence(instance: Instance, settings: Settings) -> str:
    """Why a client would get no answer; empty where it would."""
    offered = transports(settings)
    plain = next((name for name in ("tcp", "ws") if name in offered), None)
    port = settings.port(plain or offered[0])
    bound = settings.text("Ice.Default.Host").strip()
    host = "127.0.0.1" if bound in _EVERYWHERE else bound
    if instance.is_distribution:
        return _port_problem(host, port)
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


def _port_problem(host: str, port: int) -> str:
    """A distribution's router speaks Ice; that it listens is what can be seen without."""
    try:
        socket.create_connection((host, port), timeout=_ANSWER_TIMEOUT).close()
    except OSError as error:
        return f"OMERO.Glacier2 on {host}:{port} does not answer: {error}"
    return ""


def _connection(host: str, port: int, *, tls: bool) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection(host, port, timeout=_ANSWER_TIMEOUT)
    # Whether it lives is asked of this machine's own server; nothing secret is sent.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=_ANSWER_TIMEOUT, context=context)
