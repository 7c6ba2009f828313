"""One program on many hosts at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from omeroadmin.errors import AdminError, ExitStatus, usage_error
from omeroadmin.provisioning.connecting import Connector, open_here
from omeroadmin.provisioning.inventory import HERE, Become, Inventory, InventoryHost
from omeroadmin.provisioning.rollout_plan import Problem, problem_of
from omeroadmin.provisioning.secrets import Redactor
from omeroadmin.provisioning.session import AgentSession
from omeroadmin.system.clock import monotonic


class RunState(StrEnum):
    """How it went on a host.

    ``FAILED``: the program ended with another status than 0, or it could not be run.
    """

    DONE = "done"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class HostRun:
    """What a program did on one host; secrets of the inventory are hidden.

    :param status: exit status; negative: the signal that ended it; ``None``: it did not run, or not to its end
    :param problem: why it did not
    """

    host: str
    state: RunState
    seconds: float
    status: int | None = None
    output: str = ""
    error_output: str = ""
    problem: Problem | None = None


@dataclass(frozen=True)
class RunWish:
    """What to run.

    :param arguments: program and arguments; no secrets, other users there can read them
    :param timeout: seconds after which it is killed
    :param forks: hosts at a time
    :param become: instead of what the inventory says of each host
    :param accept_new: whether keys of hosts that are not in known_hosts are recorded there
    """

    arguments: tuple[str, ...]
    timeout: float = 60.0
    forks: int = 10
    become: Become | None = None
    accept_new: bool = False


def program_of(words: Sequence[str], *, shell: bool) -> tuple[str, ...]:
    """Program and arguments of what was typed.

    :param shell: whether it is one line for ``sh``
    :raises AdminError: ``run-shell-missing``, ``run-shell-words``, ``run-program-missing``
    """
    if not words or not words[0].strip():
        raise usage_error(
            "run-program-missing", "the name of the program is empty", "is a variable of the shell unset?"
        )
    if shell:
        if len(words) != 1:
            raise usage_error(
                "run-shell-words",
                f"--shell takes one line, and there are {len(words)} words",
                "quote it: omero hosts run --shell 'df -h | tail -1'",
            )
        return ("sh", "-c", words[0])
    if len(words) == 1 and any(letter.isspace() for letter in words[0]):
        raise usage_error(
            "run-shell-missing",
            f"{words[0]!r} is one word, and names no program",
            "write program and arguments as words of their own after --, or give --shell for a line of sh",
        )
    return tuple(words)


def run_on_hosts(
    inventory: Inventory, hosts: Sequence[InventoryHost], wish: RunWish, listener: Callable[[HostRun], None]
) -> tuple[HostRun, ...]:
    """Run a program on hosts at the same time; what goes wrong on one of them doesn't concern the others.

    :param listener: hears of each host when it is through, in the caller's thread
    :return: the same in the order of the hosts
    """
    redactor = Redactor(inventory.secrets)
    connector = Connector(inventory, accept_new=wish.accept_new, become=wish.become)
    executor = ThreadPoolExecutor(max_workers=max(1, wish.forks), thread_name_prefix="host")
    try:
        waiting = {
            executor.submit(_run, host.name, lambda host=host: connector.open(host), wish, redactor): host.name  # type: ignore[misc]
            for host in hosts
        }
        found = {}
        for future in as_completed(waiting):
            found[waiting[future]] = future.result()
            listener(found[waiting[future]])
        return tuple(found[host.name] for host in hosts)
    finally:
        # Connections that are closed end whatever still waits for them.
        connector.close()
        executor.shutdown(wait=True, cancel_futures=True)


def run_here(wish: RunWish, listener: Callable[[HostRun], None]) -> tuple[HostRun, ...]:
    """Run a program on this machine, as it would be run on another one."""
    done = _run(HERE, lambda: open_here(become=wish.become), wish, Redactor(()))
    listener(done)
    return (done,)


def run_status(runs: Sequence[HostRun]) -> ExitStatus:
    """The exit status for all: that something failed says more than that somebody was out of reach."""
    states = {run.state for run in runs}
    if RunState.FAILED in states:
        return ExitStatus.FAILED
    return ExitStatus.UNREACHABLE if RunState.UNREACHABLE in states else ExitStatus.DONE


def _run(name: str, connect: Callable[[], AgentSession], wish: RunWish, redactor: Redactor) -> HostRun:
    began = monotonic()

    def seconds() -> float:
        return round(monotonic() - began, 3)

    try:
        session = connect()
        try:
            answer: dict[str, Any] = session.run(wish.arguments, wish.timeout)
        finally:
            session.close()
    except AdminError as error:
        return HostRun(name, _state_of(error), seconds(), problem=problem_of(error, redactor, name))
    state = RunState.DONE if answer["status"] == 0 else RunState.FAILED
    output, error_output = redactor.hide(answer["output"]), redactor.hide(answer["errors"])
    return HostRun(name, state, seconds(), answer["status"], output, error_output)


def _state_of(error: AdminError) -> RunState:
    is_out_of_reach = error.exit_status is ExitStatus.UNREACHABLE or error.code.startswith("ssh-")
    return RunState.UNREACHABLE if is_out_of_reach else RunState.FAILED
