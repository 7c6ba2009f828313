"""IceGrid's words as data: what a server is meant to be, and what it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MASTER = "master"
"""Name of the node that carries the registry."""


class State(StrEnum):
    """States of a server, as IceGrid names them."""

    INACTIVE = "inactive"
    ACTIVATING = "activating"
    ACTIVE = "active"
    DEACTIVATING = "deactivating"


@dataclass(frozen=True)
class ServerSpecification:
    """A server as the application descriptor defines it, all variables expanded.

    :param identifier: e.g. ``Blitz-0``
    :param executable: program, looked up in PATH where it names no directory
    :param options: arguments of the program
    :param working_directory: empty: that of the node
    :param environment: variables in their order
    :param activation: ``always``, ``manual``, ``on-demand`` or ``session``
    :param activation_timeout: seconds until it must be ready
    :param deactivation_timeout: seconds that it may take to stop
    :param properties: content of its configuration file, in order; of equal names the last one counts
    :param node: the node that runs it
    :param user: the account that shall run it; empty: that of the node
    """

    identifier: str
    executable: str
    options: tuple[str, ...]
    working_directory: str
    environment: tuple[tuple[str, str], ...]
    activation: str
    activation_timeout: float
    deactivation_timeout: float
    properties: tuple[tuple[str, str], ...]
    node: str
    user: str = ""

    @property
    def starts_always(self) -> bool:
        """Whether the node starts it by itself."""
        return self.activation == "always"


class Cause(StrEnum):
    """Why a server is disabled, or can't run at all."""

    NONE = ""
    ADMIN = "admin"
    NOT_INSTALLED = "not-installed"
    FAILED = "failed"
    NODE_DOWN = "node-down"


@dataclass(frozen=True)
class ServerState:
    """What the node says of a server.

    :param id: e.g. ``Blitz-0``
    :param state: ``inactive``, ``activating``, ``active`` or ``deactivating``
    :param pid: of its process; ``None`` where none runs
    :param enabled: whether the node may start it
    :param reason: why it is disabled, isn't ready, or ended last time; may be empty
    :param always: whether the node starts it by itself
    :param cause: why it is disabled
    :param node: the node that runs it
    """

    id: str
    state: str
    pid: int | None
    enabled: bool
    reason: str = ""
    always: bool = True
    cause: str = ""
    node: str = MASTER

    def describe(self) -> str:
        """The state in IceGrid's form: ``active (pid = 5163, enabled)``."""
        word = "enabled" if self.enabled else "disabled"
        if self.state == State.ACTIVE and self.pid is not None:
            return f"{self.state} (pid = {self.pid}, {word})"
        return f"{self.state} ({word})"

    @property
    def is_active(self) -> bool:
        """Whether it runs and answered that it is ready."""
        return self.state == State.ACTIVE

    @property
    def has_failed(self) -> bool:
        """Whether the node gave it up."""
        return self.cause == Cause.FAILED

    @property
    def optional(self) -> bool:
        """Whether it doesn't run because something optional isn't installed."""
        return self.cause == Cause.NOT_INSTALLED

    @property
    def is_awaited(self) -> bool:
        """Whether the node is still at making it active."""
        return self.always and self.enabled and not self.is_active and not self.is_cut_off

    @property
    def is_cut_off(self) -> bool:
        """Whether its node is down or can't be reached."""
        return self.cause == Cause.NODE_DOWN


@dataclass(frozen=True)
class NodeState:
    """What there is to say of a node.

    :param up: whether it answers
    :param pid: of its daemon; ``None`` where none runs on this machine
    :param host: where it runs; empty where that isn't known
    """

    name: str
    up: bool
    pid: int | None = None
    host: str = ""


@dataclass(frozen=True)
class GridState:
    """What the nodes say of themselves and their servers.

    :param running: whether the master answers
    :param servers: in the order of the descriptor, node by node; empty where the master doesn't run
    :param pid: of the master
    :param nodes: the master first
    """

    running: bool
    servers: tuple[ServerState, ...] = ()
    pid: int | None = None
    nodes: tuple[NodeState, ...] = ()

    def server(self, identifier: str) -> ServerState | None:
        """The state of one server."""
        return next((server for server in self.servers if server.id == identifier), None)
