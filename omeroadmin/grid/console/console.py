"""A session with the embedded nodes that reads like one of icegridadmin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from omeroadmin.grid.console.answers import Answers
from omeroadmin.grid.console.commands import CATEGORIES, COMMANDS, ICE_ONLY
from omeroadmin.grid.console.language import Reply, SyntaxProblem, split_commands
from omeroadmin.grid.drivers.embedded import EmbeddedDriver

PROMPT = ">>> "
_LEAVE = frozenset({"exit", "quit"})


class Console:
    """Carries out what is typed."""

    def __init__(self, driver: EmbeddedDriver) -> None:
        self._answers = Answers(driver)

    def execute(self, line: str) -> Iterator[Reply]:
        """Carry out the commands of a line, one after the other; a failure doesn't stop those behind it.

        :raises AdminError: ``node-down``, ``node-silent``
        """
        try:
            commands = split_commands(line)
        except SyntaxProblem as problem:
            yield Reply(problem.reason, ok=False)
            return
        for words in commands:
            reply = self._execute(words)
            yield reply
            if reply.leave:
                return

    def _execute(self, words: Sequence[str]) -> Reply:
        if len(words) == 1 and words[0] in _LEAVE:
            return Reply(leave=True)
        if words[-1] == "help":
            return _help(" ".join(words[:-1]))
        name, arguments = " ".join(words[:2]), words[2:]
        command = COMMANDS.get(name)
        if command is None:
            return _unknown(words)
        if len(arguments) != len(command.usage.parameters):
            return Reply(command.usage.complaint(), ok=False)
        return command.answer(self._answers, arguments)


def command_words() -> tuple[str, ...]:
    """What a line may begin with, for completion."""
    return (*COMMANDS, *(f"{name} help" for name in CATEGORIES), "help", "exit", "quit")


def _help(topic: str) -> Reply:
    if not topic:
        return Reply("\n".join(_overview()))
    found = [command.usage for name, command in COMMANDS.items() if topic == name or topic == name.split()[0]]
    if not found:
        return _unknown(topic.split())
    return Reply("\n".join(line for usage in found for line in usage.lines()))


def _overview() -> Iterator[str]:
    yield "help                      Print this message."
    yield "exit, quit                Exit this program."
    yield "CATEGORY help             Print the help section of the given CATEGORY."
    yield "COMMAND help              Print the help of the given COMMAND."
    yield ""
    yield "List of help categories:"
    yield ""
    for name, about in CATEGORIES.items():
        yield f"  {name}: {about}"


def _unknown(words: Sequence[str]) -> Reply:
    name = " ".join(words[:2])
    if len(words) > 1 and words[1] in ICE_ONLY.get(words[0], ()):
        return Reply(f"`{name}' needs IceGrid, and omero.grid.driver is embedded", ok=False)
    if words[0] in CATEGORIES:
        return Reply(f"syntax error\nunknown `{name}' command (see `{words[0]} help' for more info)", ok=False)
    return Reply(f"syntax error\nunknown `{words[0]}' command (see `help' for more info)", ok=False)
