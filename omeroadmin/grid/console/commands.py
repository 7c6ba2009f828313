"""What can be typed in a session, its help, and who answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from omeroadmin.grid.console.answers import Answers
from omeroadmin.grid.console.language import Reply, Usage


@dataclass(frozen=True)
class Command:
    """A command and who answers it."""

    usage: Usage
    answer: Callable[[Answers, Sequence[str]], Reply]


def _command(
    words: str, parameters: str, answer: Callable[[Answers, Sequence[str]], Reply], *lines: str
) -> tuple[str, Command]:
    return words, Command(Usage(words, tuple(parameters.split()), lines), answer)


COMMANDS: Mapping[str, Command] = dict(
    (
        _command("application list", "", Answers.application_list, "List all deployed applications."),
        _command("application describe", "NAME", Answers.application_describe, "Describe application NAME."),
        _command("node list", "", Answers.node_list, "List all registered nodes."),
        _command("node describe", "NAME", Answers.node_describe, "Show information about node NAME."),
        _command("node ping", "NAME", Answers.node_ping, "Ping node NAME."),
        _command("node load", "NAME", Answers.node_load, "Print the load of the node NAME."),
        _command("node shutdown", "NAME", Answers.node_shutdown, "Shutdown node NAME."),
        _command("registry list", "", Answers.registry_list, "List all registered registries."),
        _command("registry describe", "NAME", Answers.registry_describe, "Show information about registry NAME."),
        _command("registry ping", "NAME", Answers.registry_ping, "Ping registry NAME."),
        _command("server list", "", Answers.server_list, "List all registered servers."),
        _command("server describe", "ID", Answers.server_describe, "Describe server ID."),
        _command("server properties", "ID", Answers.server_properties, "Get the properties of server ID."),
        _command("server property", "ID NAME", Answers.server_property, "Get the property NAME of server ID."),
        _command("server state", "ID", Answers.server_state, "Get the state of server ID."),
        _command("server pid", "ID", Answers.server_pid, "Get the process id of server ID."),
        _command("server start", "ID", Answers.server_start, "Start server ID."),
        _command("server stop", "ID", Answers.server_stop, "Stop server ID."),
        _command("server signal", "ID SIGNAL", Answers.server_signal, "Send SIGNAL (SIGTERM or 15) to server ID."),
        _command("server enable", "ID", Answers.server_enable, "Enable server ID."),
        _command(
            "server disable",
            "ID",
            Answers.server_disable,
            "Disable server ID (a disabled server can't be",
            "started on demand or administratively).",
        ),
        _command("adapter list", "", Answers.adapter_list, "List all registered adapters."),
    )
)
"""By their two words, in the order of the help."""

CATEGORIES: Mapping[str, str] = {
    "application": "commands to manage applications",
    "node": "commands to manage nodes",
    "registry": "commands to manage registries",
    "server": "commands to manage servers",
    "adapter": "commands to manage adapters",
}

ICE_ONLY: Mapping[str, frozenset[str]] = {
    "application": frozenset({"add", "remove", "diff", "update", "patch"}),
    "node": frozenset({"sockets", "show"}),
    "registry": frozenset({"show", "shutdown"}),
    "server": frozenset({"remove", "patch", "stdout", "stderr", "show", "template"}),
    "service": frozenset({"start", "stop", "list", "describe", "properties", "property", "template"}),
    "adapter": frozenset({"endpoints", "remove"}),
    "object": frozenset({"add", "remove", "find", "describe", "list"}),
}
"""Commands of icegridadmin that need IceGrid; ``admin deploy`` and ``admin stop`` do what is meant by some of them."""
