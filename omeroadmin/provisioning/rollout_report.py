"""What has become of the hosts of a roll-out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omeroadmin.errors import ExitStatus
from omeroadmin.provisioning.rollout_plan import HostState, Problem, exit_status_of


@dataclass(frozen=True)
class Done:
    """An operation that has changed something, or was taken back.

    :param key: of the wish; empty for what was taken back
    :param words: one line each
    :param seconds: that it took
    :param undone: whether these words say what was taken back
    """

    key: str
    words: tuple[str, ...]
    seconds: float = 0.0
    undone: bool = False


@dataclass(frozen=True)
class HostReport:
    """What has become of a host.

    :param seconds: that its operations took
    """

    host: str
    state: HostState
    changes: tuple[Done, ...] = ()
    problem: Problem | None = None
    seconds: float = 0.0

    @property
    def change_count(self) -> int:
        """Changes that were made and not taken back."""
        return sum(len(done.words) for done in self.changes if not done.undone)


@dataclass(frozen=True)
class RolloutReport:
    """What has become of all hosts.

    :param run: name of the run
    :param action: ``apply`` or ``undo``
    :param begun: UTC
    :param complete: whether it came to its end, well or not
    :param seconds: of the whole
    :param undoes: the run that it took back
    """

    run: str
    action: str
    begun: str
    who: str
    playbooks: tuple[str, ...]
    hosts: tuple[HostReport, ...]
    complete: bool
    seconds: float
    undoes: str = ""

    @property
    def changed(self) -> bool:
        """Whether anything was changed anywhere."""
        return any(host.changes for host in self.hosts)

    @property
    def exit_status(self) -> ExitStatus:
        """What the shell sees where changes are of no interest."""
        return exit_status_of([host.state for host in self.hosts])


def count_states(hosts: Sequence[HostReport]) -> dict[HostState, int]:
    """How many hosts are in each state, those without hosts left out."""
    found = {state: sum(host.state is state for host in hosts) for state in HostState}
    return {state: count for state, count in found.items() if count}
