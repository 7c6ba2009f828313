"""The state of the grid: what the registry says, and what the servers of this machine say of themselves."""

from __future__ import annotations

import os
from dataclasses import dataclass

from omeroadmin.errors import AdminError
from omeroadmin.grid.icegrid import health, verdicts
from omeroadmin.grid.icegrid.admin import IceGridAdmin, parse_state, safe_name
from omeroadmin.grid.icegrid.announced import announced
from omeroadmin.grid.icegrid.deployment import DeployedServer, remembered
from omeroadmin.grid.icegrid.processes import node_process
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import MASTER, Cause, GridState, NodeState, ServerState, State
from omeroadmin.grid.node.registry import Registry
from omeroadmin.schema.instance import Instance

_UP = "node is up"
_STATES = {
    "active": State.ACTIVE,
    "activating": State.ACTIVATING,
    "activation timed out": State.ACTIVATING,
    "deactivating": State.DEACTIVATING,
    "destroying": State.DEACTIVATING,
}


def grid_state(instance: Instance) -> GridState:
    """All nodes and all servers of the application; not running where no registry answers.

    :raises AdminError: ``icegrid-missing``, ``node-silent``, ``registry-invalid``
    """
    admin = IceGridAdmin(instance)
    try:
        deployment = remembered(instance)
        if not deployment.servers:
            # Another host's registry was never given anything by this one.
            deployment = announced(admin)
        others = [node for node in deployment.nodes if node != MASTER]
        here = [server for server in deployment.servers if server.node == MASTER]
        asked = (*_pings(others), *_questions(here))
        answers, known = admin.survey(*asked)
        up = {node for node, answer in zip(others, answers, strict=False) if answer == _UP}
        # A node that hangs is found by its ping; its servers aren't asked, each would be waited for.
        elsewhere = [server for server in deployment.servers if server.node in up]
        named = {server.id for server in deployment.servers}
        strangers = [DeployedServer(identifier, MASTER, plain=False) for identifier in known if identifier not in named]
        more = admin.states(*_questions([*elsewhere, *strangers]))
    except AdminError as error:
        if error.code == "node-down":
            return GridState(False)
        raise
    said = dict(zip([server.id for server in here], answers[len(others) :], strict=True))
    said |= dict(zip([server.id for server in (*elsewhere, *strangers)], more, strict=True))
    return _assemble(instance, (*deployment.servers, *strangers), said, {node: node in up for node in others})


def _pings(nodes: list[str]) -> list[str]:
    return [f"node ping {safe_name(node, 'node')}" for node in nodes]


def _questions(servers: list[DeployedServer]) -> list[str]:
    return [f"server state {safe_name(server.id, 'server')}" for server in servers]


@dataclass(frozen=True)
class _Place:
    """A node, seen from here.

    :param pid: of its daemon, where it runs on this machine
    """

    layout: NodeLayout
    pid: int | None
    up: bool


def _assemble(
    instance: Instance, servers: tuple[DeployedServer, ...], said: dict[str, str], up: dict[str, bool]
) -> GridState:
    registry = Registry(NodeLayout(instance).disabled_file)
    places = {node: _place(instance, node, up=is_up) for node, is_up in {MASTER: True, **up}.items()}
    states = [_server_state(server, said.get(server.id), places[server.node], registry) for server in servers]
    nodes = tuple(
        NodeState(node, place.up, place.pid, "" if place.pid is None else os.uname().nodename)
        for node, place in places.items()
    )
    return GridState(True, tuple(state for state in states if state is not None), places[MASTER].pid, nodes)


def _place(instance: Instance, node: str, *, up: bool) -> _Place:
    layout = NodeLayout(instance, node)
    process = node_process(layout)
    return _Place(layout, None if process is None else process.pid, up)


def _server_state(server: DeployedServer, answer: str | None, place: _Place, registry: Registry) -> ServerState | None:
    """A server's state; ``None`` where the registry doesn't know it (any more)."""
    try:
        word, pid, enabled = parse_state(answer or "")
    except ValueError:
        if answer is not None and "couldn't find server" in answer:
            return None
        reason = f"the node {server.node} is down" if answer is None else answer.removeprefix("error: ")
        return ServerState(server.id, State.INACTIVE, None, True, reason, server.always, Cause.NODE_DOWN, server.node)
    state, reason, cause = _STATES.get(word, State.INACTIVE), "", Cause.NONE
    if state is State.ACTIVE and server.plain and place.pid is not None:
        state, reason = _readiness(place.layout, server.id, pid)
    if not enabled:
        cause, reason = _why_disabled(server, place, registry)
    elif not reason and state is not State.ACTIVE and server.always:
        reason = verdicts.crash_reason(place.layout, server.id)
    return ServerState(server.id, state, pid, enabled, reason, server.always, cause, server.node)


def _why_disabled(server: DeployedServer, place: _Place, registry: Registry) -> tuple[Cause, str]:
    if place.pid is None and not registry.is_disabled(server.id):
        return Cause.ADMIN, f"disabled; why, the host of its node {server.node} knows"
    found = verdicts.verdict(place.layout, registry, server.id)
    return found.cause, found.reason


def _readiness(layout: NodeLayout, server: str, pid: int | None) -> tuple[State, str]:
    """IceGrid calls a process active as soon as it runs; the server itself knows whether it is."""
    answer = health.ask(layout.health_socket(server))
    if answer is None or answer.pid not in (None, pid):
        return State.ACTIVATING, verdicts.crash_reason(layout, server)
    return (State.ACTIVE, "") if answer.ready else (State.ACTIVATING, answer.reason)
