"""Asks the registry by way of ``icegridadmin``, and reads what that says to people."""

from __future__ import annotations

import re
from collections.abc import Sequence

from omeroadmin.errors import AdminError, failed_error, unreachable_error, usage_error
from omeroadmin.grid.icegrid.programs import ADMIN, require_program
from omeroadmin.grid.model import MASTER
from omeroadmin.schema.instance import Instance
from omeroadmin.system import process

_PATIENCE = 3.0
_MARGIN = 2.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_STATE = re.compile(
    r"(?P<state>inactive|activating|activation timed out|active|deactivating|destroying|destroyed|unknown)"
    r"(?: \((?:pid = (?P<pid>\d+), )?(?P<enabled>enabled|disabled)\))?"
)
_PING = f"node ping {MASTER}"
_PONGS = frozenset({"node is up", "node is down"})
_ERROR = "error: "
_UNREACHABLE = "could not contact"
_SILENT = ("TimeoutException", "invocation has timed out")


class RefusedError(Exception):
    """The registry refuses a command.

    :param reason: what it says, one line
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class IceGridAdmin:
    """The registry that ``etc/internal.cfg`` names."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def command(self) -> list[str]:
        """Program and arguments of an interactive session, to be run in ``OMERODIR``.

        :raises AdminError: ``icegrid-missing``
        """
        # A relative path, because Ice takes a comma in it for the beginning of the next one.
        configuration = self._instance.internal_cfg.relative_to(self._instance.omerodir)
        return [str(require_program(ADMIN)), f"--Ice.Config={configuration}"]

    def states(self, *commands: str) -> tuple[str, ...]:
        """The answers to commands of which each has one: ``node ping``, ``server state``, ``server pid``.

        What the registry refuses is answered by its words, after ``error: ``.

        :raises AdminError: ``icegrid-missing``, ``node-down``, ``node-silent``, ``answer-unreadable``
        """
        if not commands:
            return ()
        answers = _answers(self._run(commands, _PATIENCE).splitlines())
        if len(answers) != len(commands):
            raise _unreadable(answers)
        return answers

    def survey(self, *commands: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """As :meth:`states`, and the ids of all servers that the registry knows, by one call.

        :raises AdminError: as :meth:`states`
        """
        # A ping is answered by one line that nothing else begins with: behind the last one comes the list.
        lines = self._run([*commands, _PING, "server list"], _PATIENCE).splitlines()
        last = next((index for index in reversed(range(len(lines))) if lines[index] in _PONGS), None)
        answers = _answers(lines[:last])
        if last is None or len(answers) != len(commands):
            raise _unreadable(lines)
        return answers, tuple(lines[last + 1 :])

    def words(self, command: str, patience: float = _PATIENCE) -> tuple[str, ...]:
        """The lines of an answer.

        :param patience: seconds that the registry may take
        :raises RefusedError: with what the registry says
        :raises AdminError: ``icegrid-missing``, ``node-down``, ``node-silent``
        """
        lines = self._run([command], patience).splitlines()
        if any(line.startswith(_ERROR) for line in lines):
            raise RefusedError(" ".join(line.strip() for line in lines).removeprefix(_ERROR))
        return tuple(lines)

    def _run(self, commands: Sequence[str], patience: float) -> str:
        if not self._instance.internal_cfg.is_file():
            raise _down(self._instance, "it was never started")
        arguments = [*self.command(), f"--Ice.Default.InvocationTimeout={patience * 1000:.0f}", "-e"]
        try:
            done = process.run(
                [*arguments, "; ".join(commands)],
                timeout=(patience + _MARGIN) * (len(commands) + 1),
                directory=self._instance.omerodir,
                merge=True,
            )
        except AdminError as error:
            if error.code == "program-timeout":
                raise self._silent(patience) from error
            raise
        if _UNREACHABLE not in done.output:
            return done.output
        if any(word in done.output for word in _SILENT):
            raise self._silent(patience)
        raise _down(self._instance, done.last_words())

    def _silent(self, patience: float) -> AdminError:
        return unreachable_error(
            "node-silent",
            f"the registry of {self._instance.omerodir} does not answer within {patience:g} s",
            "end its node; its servers end with it: kill -9 PID",
        )


def parse_state(answer: str) -> tuple[str, int | None, bool]:
    """State, process and whether a server is enabled, from an answer to ``server state``.

    :raises ValueError: if the answer is none
    """
    match = _STATE.fullmatch(answer.strip())
    if match is None:
        raise ValueError(answer)
    pid = match["pid"]
    return match["state"], None if pid is None or pid == "0" else int(pid), match["enabled"] != "disabled"


def safe_name(name: str, kind: str) -> str:
    """A name that is one word to ``icegridadmin``.

    :param kind: what it names, e.g. ``server``
    :raises AdminError: ``server-unknown``, ``node-unknown``
    """
    if _NAME.fullmatch(name) is None:
        raise usage_error(f"{kind}-unknown", f"there is no {kind} {name!r}")
    return name


def _answers(lines: Sequence[str]) -> tuple[str, ...]:
    """One text for each answer; an error may have several lines."""
    answers: list[str] = []
    for line in lines:
        if line.startswith(_ERROR) or _is_answer(line) or not answers:
            answers.append(line)
        else:
            answers[-1] += f" {line.strip()}"
    return tuple(answers)


def _down(instance: Instance, reason: str) -> AdminError:
    return unreachable_error(
        "node-down", f"no registry answers for {instance.omerodir}: {reason}", "start it: omero admin start"
    )


def _unreadable(lines: Sequence[str]) -> AdminError:
    return failed_error("answer-unreadable", f"{ADMIN} gives answers that were not asked for: {list(lines)}")


def _is_answer(line: str) -> bool:
    return line in _PONGS or line.isdigit() or _STATE.fullmatch(line) is not None
