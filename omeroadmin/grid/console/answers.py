"""The embedded nodes' answers to what icegridadmin can be asked, in its words."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from omeroadmin.errors import AdminError
from omeroadmin.grid.console import description
from omeroadmin.grid.console.language import Reply
from omeroadmin.grid.drivers.embedded import EmbeddedDriver
from omeroadmin.grid.model import GridState, ServerState

REGISTRY = "Master"
"""Name of the one registry, as IceGrid calls it."""

_SIGNAL = re.compile(r"signal '(?P<name>[^']*)'")


class Answers:
    """Asks the nodes."""

    def __init__(self, driver: EmbeddedDriver) -> None:
        self._driver = driver

    def application_list(self, _words: Sequence[str]) -> Reply:
        """Its one name."""
        return Reply(self._driver.application().name)

    def application_describe(self, words: Sequence[str]) -> Reply:
        """Nodes and servers."""
        application = self._driver.application()
        if words[0] != application.name:
            return _refused(f"couldn't find application `{words[0]}'")
        return Reply(description.application_text(application))

    def node_list(self, _words: Sequence[str]) -> Reply:
        """Also of those that are down."""
        return Reply("\n".join(sorted(node.name for node in self._state().nodes)))

    def node_ping(self, words: Sequence[str]) -> Reply:
        """A node that is down is no error."""
        up = self._up(words[0])
        return _unknown_node(words[0]) if up is None else Reply("node is up" if up else "node is down")

    def node_describe(self, words: Sequence[str]) -> Reply:
        """The machine that it is on."""
        return self._of_node(words[0], lambda: description.node_text(words[0]))

    def node_load(self, words: Sequence[str]) -> Reply:
        """Of the machine that it is on."""
        return self._of_node(
            words[0], lambda: "load average (1/5/15): " + " / ".join(f"{load:g}" for load in os.getloadavg())
        )

    def node_shutdown(self, words: Sequence[str]) -> Reply:
        """Its servers stop with it."""

        def shut_down() -> str:
            self._driver.shutdown(words[0])
            return ""

        return self._of_node(words[0], shut_down)

    def registry_list(self, _words: Sequence[str]) -> Reply:
        """There is one."""
        self._state()
        return Reply(REGISTRY)

    def registry_ping(self, words: Sequence[str]) -> Reply:
        """It lives with the master."""
        return self._of_registry(words[0], "registry is up")

    def registry_describe(self, words: Sequence[str]) -> Reply:
        """The machine that it is on."""
        return self._of_registry(words[0], description.registry_text(words[0]))

    def adapter_list(self, _words: Sequence[str]) -> Reply:
        """Object adapters are Ice's; the embedded servers have none."""
        self._state()
        return Reply()

    def server_list(self, _words: Sequence[str]) -> Reply:
        """Also of nodes that are down."""
        return Reply("\n".join(sorted(server.id for server in self._state().servers)))

    def server_state(self, words: Sequence[str]) -> Reply:
        """``active (pid = 5163, enabled)``."""
        return self._of_server(words[0], lambda server: Reply(server.describe()))

    def server_pid(self, words: Sequence[str]) -> Reply:
        """Its process."""
        return self._of_server(
            words[0], lambda server: _refused("server is not running") if server.pid is None else Reply(str(server.pid))
        )

    def server_start(self, words: Sequence[str]) -> Reply:
        """Waits until it is ready."""

        def start(server: ServerState) -> Reply:
            if not server.enabled:
                return _refused("the server didn't start successfully:\nThe server is disabled.")
            if server.is_active:
                return _refused("the server didn't start successfully:\nThe server is already active.")
            self._driver.start_server(server.id)
            return Reply()

        return self._of_server(words[0], start)

    def server_stop(self, words: Sequence[str]) -> Reply:
        """One that always runs comes back."""

        def stop(server: ServerState) -> Reply:
            if server.pid is None:
                return _refused("the server didn't stop successfully:\nThe server is already inactive.")
            self._driver.stop_server(server.id)
            return Reply()

        return self._of_server(words[0], stop)

    def server_enable(self, words: Sequence[str]) -> Reply:
        """One that always runs starts by itself then."""
        return self._of_server(words[0], lambda server: _done(lambda: self._driver.enable_server(server.id)))

    def server_disable(self, words: Sequence[str]) -> Reply:
        """A running process goes on."""
        return self._of_server(words[0], lambda server: _done(lambda: self._driver.disable_server(server.id)))

    def server_signal(self, words: Sequence[str]) -> Reply:
        """By name or number."""
        return self._of_server(words[0], lambda server: _done(lambda: self._driver.signal_server(server.id, words[1])))

    def server_describe(self, words: Sequence[str]) -> Reply:
        """What it was given."""

        def describe(server: ServerState) -> Reply:
            specification = self._driver.specification(server.id)
            return Reply(description.server_text(specification, self._driver.application()))

        return self._of_server(words[0], describe)

    def server_properties(self, words: Sequence[str]) -> Reply:
        """Its configuration."""
        return self._of_server(
            words[0], lambda server: Reply(description.properties_text(self._driver.specification(server.id)))
        )

    def server_property(self, words: Sequence[str]) -> Reply:
        """One value of its configuration."""

        def value(server: ServerState) -> Reply:
            found = description.property_value(self._driver.specification(server.id), words[1])
            return _refused(f"couldn't find property `{words[1]}'") if found is None else Reply(found)

        return self._of_server(words[0], value)

    def _state(self) -> GridState:
        """The grid, if it runs.

        :raises AdminError: ``node-down``
        """
        state = self._driver.state()
        if not state.running:
            # Says so with the reason and the next step.
            self._driver.application()
        return state

    def _up(self, name: str) -> bool | None:
        return next((node.up for node in self._state().nodes if node.name == name), None)

    def _of_node(self, name: str, answer: Callable[[], str]) -> Reply:
        up = self._up(name)
        if up is None:
            return _unknown_node(name)
        return Reply(answer()) if up else _unreached(name)

    def _of_registry(self, name: str, text: str) -> Reply:
        self._state()
        return Reply(text) if name == REGISTRY else _refused(f"couldn't find registry `{name}'")

    def _of_server(self, name: str, answer: Callable[[ServerState], Reply]) -> Reply:
        server = self._state().server(name)
        if server is None:
            return _refused(f"couldn't find server `{name}'")
        if server.is_cut_off:
            return _unreached(server.node)
        try:
            return answer(server)
        except AdminError as error:
            return _reworded(error)


def _reworded(error: AdminError) -> Reply:
    """What a node refuses, as icegridadmin says it.

    :raises AdminError: where it isn't the server that is the matter
    """
    match error.code:
        case "server-disabled":
            return _refused("the server didn't start successfully:\nThe server is disabled.")
        case "server-not-started":
            return _refused(f"the server didn't start successfully:\n{error.message}")
        case "server-not-running":
            return _refused("server is not running")
        case "signal-unknown":
            match = _SIGNAL.search(error.message)
            return _refused(f"unknown signal `{match['name'] if match else ''}'")
    raise error


def _refused(text: str) -> Reply:
    return Reply(text, ok=False)


def _unknown_node(name: str) -> Reply:
    return _refused(f"couldn't find node `{name}'")


def _unreached(node: str) -> Reply:
    return _refused(f"node `{node}' couldn't be reached:\nthe node is not active")


def _done(action: Callable[[], None]) -> Reply:
    action()
    return Reply()
