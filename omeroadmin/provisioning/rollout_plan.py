"""What would change on hosts, made from wishes and facts alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.provisioning.agent.change import Change, HostError
from omeroadmin.provisioning.agent.operations import registry
from omeroadmin.provisioning.secrets import Redactor
from omeroadmin.provisioning.wishes import HostWork, StageWork, Wish

Answers = Mapping[str, Mapping[str, Any]]
"""Facts of wishes by their keys: ``{"facts": …}`` or ``{"error": …}``."""


class HostState(StrEnum):
    """What has become of a host, or would."""

    UNCHANGED = "unchanged"
    CHANGES = "changes"
    """There is something to do."""
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    LOCKED = "locked"
    INTERRUPTED = "interrupted"
    NOT_BEGUN = "not begun"
    """The roll-out ended before its turn."""


@dataclass(frozen=True)
class Problem:
    """Why a host is left alone; as :class:`AdminError`, without secrets.

    :param key: of the operation that failed; empty where it was none
    """

    code: str
    message: str
    hint: str = ""
    key: str = ""


@dataclass(frozen=True)
class PlannedChange:
    """One change.

    :param key: of the wish
    :param stage: ``playbook/stage``
    :param name: what the playbook calls the operation; may be empty
    :param words: one line, starting with a verb
    :param before: present text; ``None`` where there is nothing to compare
    :param after: wished text
    :param waits: whether nothing is changed, but something waited for
    """

    key: str
    stage: str
    name: str
    words: str
    before: str | None = field(default=None, repr=False)
    after: str | None = field(default=None, repr=False)
    waits: bool = False

    def diff(self) -> list[str]:
        """The difference of the texts, as ``diff -u`` has it, without a head; empty where there are none."""
        if self.before is None and self.after is None:
            return []
        from difflib import unified_diff

        before, after = ((text or "").splitlines() for text in (self.before, self.after))
        return list(unified_diff(before, after, lineterm="", n=3))[2:]


@dataclass(frozen=True)
class HostPlan:
    """What would change on a host.

    :param operations: how many were looked at
    :param digest: of wishes and facts; empty where it wasn't asked for, or there are none
    :param seconds: that it took
    """

    host: str
    state: HostState
    changes: tuple[PlannedChange, ...] = ()
    operations: int = 0
    problem: Problem | None = None
    digest: str = ""
    seconds: float = 0.0

    @property
    def real_changes(self) -> int:
        """Changes, without those that only wait."""
        return sum(not change.waits for change in self.changes)


@dataclass(frozen=True)
class RolloutPlan:
    """What would change on all hosts.

    :param playbooks: names, in their order
    """

    playbooks: tuple[str, ...]
    hosts: tuple[HostPlan, ...]

    @property
    def has_changes(self) -> bool:
        """Whether anything would be changed; waiting is no change."""
        return any(host.real_changes for host in self.hosts)

    @property
    def exit_status(self) -> ExitStatus:
        """What the shell sees where changes are of no interest."""
        return exit_status_of([host.state for host in self.hosts])


def exit_status_of(states: Sequence[HostState]) -> ExitStatus:
    """The status of a command for several hosts: the worst of them."""
    if HostState.INTERRUPTED in states:
        return ExitStatus.INTERRUPTED
    if HostState.FAILED in states:
        return ExitStatus.FAILED
    if HostState.UNREACHABLE in states:
        return ExitStatus.UNREACHABLE
    return ExitStatus.LOCKED if HostState.LOCKED in states else ExitStatus.DONE


def problem_of(error: AdminError | HostError, redactor: Redactor, host: str, key: str = "") -> Problem:
    """An error as a host's line; the host's name, which stands in front of it, isn't said twice."""
    message = error.message.removeprefix(f"{host}: ")
    return Problem(error.code, redactor.hide(message), redactor.hide(error.hint), key)


def state_of(error: AdminError, *, connecting: bool) -> HostState:
    """What an error makes of a host.

    :param connecting: whether nothing has been done there; a host that is lost while it is changed has failed
    """
    if error.exit_status is ExitStatus.LOCKED:
        return HostState.LOCKED
    is_out_of_reach = error.exit_status is ExitStatus.UNREACHABLE or error.code.startswith("ssh-")
    return HostState.UNREACHABLE if connecting and is_out_of_reach else HostState.FAILED


def plan_host(
    host: str, work: HostWork, answers: Answers, pending: Sequence[str], redactor: Redactor, *, digest: bool = False
) -> HostPlan:
    """What would change on a host.

    :param pending: triggered operations that an earlier run did not get to
    :param digest: whether wishes and facts are to be recognised again
    """
    changes: list[PlannedChange] = []
    problem: Problem | None = None
    triggered = set(pending)
    for stage, wish in _in_order(work):
        if wish["only_triggered"] and wish["id"] not in triggered:
            continue
        try:
            found = _plan_wish(wish, answers)
        except HostError as error:
            problem = problem or problem_of(error, redactor, host, wish["key"])
            continue
        if any(not change.waits for change in found):
            triggered.update(wish["triggers"])
        changes += (_planned(change, stage, wish, redactor) for change in found)
    state = HostState.FAILED if problem else HostState.CHANGES if changes else HostState.UNCHANGED
    known = _digest(work, answers, pending, redactor) if digest else ""
    return HostPlan(host, state, tuple(changes), len(work.wishes), problem, known)


def _in_order(work: HostWork) -> Iterator[tuple[StageWork, Wish]]:
    for stage in work.stages:
        for wish in stage.wishes:
            yield stage, wish


def _plan_wish(wish: Wish, answers: Answers) -> list[Change]:
    answer = answers[wish["key"]]
    if "error" in answer:
        raise HostError(**answer["error"])
    try:
        return registry.operation(wish["kind"]).plan(wish, answer["facts"])
    except HostError:
        raise
    except Exception as error:
        # One host's odd facts must not end the others' run.
        words = f"{wish['kind']} can't be planned ({wish['key']}): {type(error).__name__}: {error}"
        raise HostError("host-agent-fault", words, "report it: this is a fault of omeroadmin") from error


def _planned(change: Change, stage: StageWork, wish: Wish, redactor: Redactor) -> PlannedChange:
    before, after = (None if text is None else redactor.hide(text) for text in (change.before, change.after))
    return PlannedChange(
        wish["key"],
        stage.stage,
        stage.words.get(wish["key"], ""),
        redactor.hide(change.words),
        before,
        after,
        waits=change.waits,
    )


def _digest(work: HostWork, answers: Answers, pending: Sequence[str], redactor: Redactor) -> str:
    """Of everything that the plan was made of, without secrets: a guess at one can't be tried on it."""
    wishes = [[stage.stage, stage.undo, redactor.hide_data(list(stage.wishes))] for stage in work.stages]
    text = json.dumps([wishes, redactor.hide_data(dict(answers)), sorted(pending)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
