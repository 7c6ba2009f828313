"""One host in a roll-out: its session, its plan, and what is done there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from omeroadmin.errors import AdminError
from omeroadmin.provisioning.inventory import InventoryHost
from omeroadmin.provisioning.journal import Journal
from omeroadmin.provisioning.operations.catalog import declarations
from omeroadmin.provisioning.operations.field import REQUIRED
from omeroadmin.provisioning.rollout_plan import HostPlan, HostState, Problem, plan_host, problem_of, state_of
from omeroadmin.provisioning.rollout_report import Done, HostReport
from omeroadmin.provisioning.secrets import Redactor
from omeroadmin.provisioning.session import AgentSession, Message
from omeroadmin.provisioning.wishes import HostWork, StageWork, Wish, WishMaker
from omeroadmin.system.clock import monotonic

Opener = Callable[[InventoryHost], AgentSession]
"""Starts an agent on a host.

:raises AdminError: if there can be none
"""


class Listener(Protocol):
    """Is told of what happens on hosts, by several threads."""

    def connected(self, host: str) -> None:
        """A host has said what it is."""

    def planned(self, plan: HostPlan) -> None:
        """What would change on a host is known."""

    def started(self, host: str, title: str, number: int, count: int) -> None:
        """An operation has begun, so many of so many."""

    def done(self, host: str, done: Done) -> None:
        """An operation has changed something."""

    def halting(self) -> None:
        """Somebody has interrupted the run; what is at work is waited for."""

    def ended(self, report: HostReport) -> None:
        """A host is through, for now or at all."""


@dataclass(frozen=True)
class Orders:
    """What holds for a whole run.

    :param who: whom a host's lock names to others
    """

    journal: Journal
    who: str
    listener: Listener


@dataclass
class HostRollout:
    """One host. One thread at a time works on it; :meth:`halt` is for any.

    :param makers: of the playbooks that are for it, in their order, with the given values of their variables
    :param redactor: hides the secrets of all hosts
    """

    host: InventoryHost
    makers: Sequence[tuple[WishMaker, Mapping[str, Any]]]
    redactor: Redactor
    plan: HostPlan = field(init=False)
    base: Mapping[str, Any] = field(init=False, default_factory=dict)
    state: HostState = field(init=False, default=HostState.NOT_BEGUN)
    _session: AgentSession | None = field(init=False, default=None)
    _work: HostWork = field(init=False, default=HostWork(()))
    _changes: list[Done] = field(init=False, default_factory=list)
    _problem: Problem | None = field(init=False, default=None)
    _seconds: float = field(init=False, default=0.0)
    _triggered: tuple[str, ...] = field(init=False, default=())
    _halted: bool = field(init=False, default=False)
    _at_work: bool = field(init=False, default=False)

    @property
    def name(self) -> str:
        """The host's."""
        return self.host.name

    @property
    def is_well(self) -> bool:
        """Whether more can be done there."""
        return self._session is not None and self.state in (HostState.UNCHANGED, HostState.CHANGED, HostState.CHANGES)

    def connect(self, open_session: Opener) -> bool:
        """Start the agent.

        :return: whether it runs; else :attr:`plan` says why it doesn't
        """
        try:
            self._session = open_session(self.host)
        except AdminError as error:
            self._fail(error, connecting=True)
            self.plan = HostPlan(self.name, self.state, problem=self._problem)
            return False
        self.base = self._session.greeting.base
        return True

    def prepare(self, open_session: Opener, listener: Listener, *, digest: bool) -> None:
        """Connect, and plan: two round trips. :attr:`plan` says what came of it.

        :param digest: whether what the plan is made of is to be recognised again
        """
        began = monotonic()
        if not self.connect(open_session):
            listener.planned(self.plan)
            return
        assert self._session is not None  # noqa: S101 - it is connected
        listener.connected(self.name)
        connecting = False
        try:
            self._work = self._make_work()
            connecting = True
            answers = self._session.facts(self._work.wishes)
            pending = self._session.greeting.pending
            plan = plan_host(self.name, self._work, answers, pending, self._own_redactor(), digest=digest)
        except AdminError as error:
            self._fail(error, connecting=connecting)
            plan = HostPlan(self.name, self.state, problem=self._problem)
        else:
            self.state, self._problem = plan.state, plan.problem
        self.plan = HostPlan(
            plan.host, plan.state, plan.changes, plan.operations, plan.problem, plan.digest,
            round(monotonic() - began, 3),
        )  # fmt: skip
        listener.planned(self.plan)

    def has_work(self, playbook: str) -> bool:
        """Whether a playbook has something to do here, or this host would need it and can't."""
        if not self.is_well:
            return any(maker.playbook.name == playbook for maker, _ in self.makers)
        return bool(self._stages(playbook))

    def carry_out(self, playbook: str, orders: Orders) -> None:
        """Do what a playbook wants, stage by stage, until one fails."""
        if not self.is_well:
            return
        began, self._at_work = monotonic(), True
        stages = self._stages(playbook)
        count = sum(len(stage.wishes) for stage in stages)
        number = 0
        for stage in stages:
            if self._halted:
                self.state = HostState.INTERRUPTED
            elif self.is_well:
                self._stage(stage, orders, number, count)
                number += len(stage.wishes)
        self._seconds += monotonic() - began
        self._at_work = False
        orders.listener.ended(self.report())

    def take_back(self, undone: str, orders: Orders, stages: Sequence[str] = ()) -> None:
        """Take back what a run has changed here, last first.

        :param stages: only changes of these stages; all by default
        """
        assert self._session is not None  # noqa: S101 - it is connected
        began = monotonic()

        def listen(message: Message) -> None:
            done = Done("", (self._hide(message["words"]),), undone=True)
            self._changes.append(done)
            orders.journal.done(self.name, done)
            orders.listener.done(self.name, done)

        try:
            self._session.undo(orders.journal.run, orders.who, undone, stages, listen)
        except AdminError as error:
            self._fail(error, connecting=False)
        else:
            if self.state is not HostState.FAILED:
                self.state = HostState.CHANGED if self._changes else HostState.UNCHANGED
        self._seconds += monotonic() - began

    def report(self) -> HostReport:
        """What has become of it."""
        state = HostState.NOT_BEGUN if self.state is HostState.CHANGES else self.state
        if self._at_work:
            # Somebody didn't want to wait for it.
            state = HostState.INTERRUPTED
        return HostReport(self.name, state, tuple(self._changes), self._problem, round(self._seconds, 3))

    def halt(self) -> None:
        """Stop after the operation that is being carried out."""
        self._halted = True
        if self._session is not None:
            self._session.halt()

    def close(self) -> None:
        """Send the agent home."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _make_work(self) -> HostWork:
        assert self._session is not None  # noqa: S101 - it is connected
        works = [maker.make(self.host, given, self.base) for maker, given in self.makers]
        for maker, _ in self.makers:
            for digest, path in tuple(maker.offers.items()):
                self._session.offer(digest, path)
        return HostWork(
            tuple(stage for work in works for stage in work.stages),
            frozenset(secret for work in works for secret in work.secrets),
        )

    def _own_redactor(self) -> Redactor:
        if self._work.secrets:
            self.redactor = Redactor({*self._work.secrets})
        return self.redactor

    def _stages(self, playbook: str) -> list[StageWork]:
        """Those of a playbook, from the first in which something changes: what it does may concern those behind it."""
        stages = [stage for stage in self._work.stages if stage.playbook == playbook]
        if self._changes:
            return stages
        with_changes = {change.stage for change in self.plan.changes}
        first = next((place for place, stage in enumerate(stages) if stage.stage in with_changes), len(stages))
        return stages[first:]

    def _stage(self, stage: StageWork, orders: Orders, before: int, count: int) -> None:
        assert self._session is not None  # noqa: S101 - it is well
        titles = {wish["key"]: stage.words.get(wish["key"]) or title_of(wish) for wish in stage.wishes}
        places = {wish["key"]: before + place for place, wish in enumerate(stage.wishes, 1)}

        def listen(message: Message) -> None:
            key = message["key"]
            if message["state"] == "started":
                orders.listener.started(self.name, self._hide(titles[key]), places[key], count)
            elif message["state"] == "failed":
                self._problem = self._problem_from(message["error"], key)
            else:
                self._note(key, message, orders)

        try:
            answer = self._session.apply(
                orders.journal.run, orders.who, stage.stage, stage.wishes, self._triggered, listen
            )
        except AdminError as error:
            self._fail(error, connecting=False)
            return
        self._triggered = tuple(answer.get("triggered", self._triggered))
        if answer["end"] == "interrupted":
            self.state = HostState.INTERRUPTED
        elif answer["end"] == "failed":
            self.state = HostState.FAILED
            self._after_failure(stage, orders)
        else:
            self.state = HostState.CHANGED if self._changes else HostState.UNCHANGED

    def _note(self, key: str, message: Message, orders: Orders) -> None:
        words = tuple(self._hide(change["words"]) for change in message["changes"] if not change.get("waits"))
        if words:
            done = Done(key, words, message["seconds"])
            self._changes.append(done)
            orders.journal.done(self.name, done)
            orders.listener.done(self.name, done)

    def _after_failure(self, stage: StageWork, orders: Orders) -> None:
        if stage.undo:
            undone = [other.stage for other in self._work.stages if other.undo]
            self.take_back(orders.journal.run, orders, undone[: undone.index(stage.stage) + 1])

    def _fail(self, error: AdminError, *, connecting: bool) -> None:
        self.state = state_of(error, connecting=connecting)
        self._problem = self._problem or problem_of(error, self.redactor, self.name)

    def _problem_from(self, error: Mapping[str, str], key: str) -> Problem:
        return Problem(error["code"], self._hide(error["message"]), self._hide(error["hint"]), key)

    def _hide(self, text: str) -> str:
        return self.redactor.hide(text)


def title_of(wish: Wish) -> str:
    """What an operation is about, where the playbook doesn't say: its kind and its first required field."""
    declaration = declarations()[wish["kind"]]
    first = next((field.name for field in declaration.fields if field.default is REQUIRED), declaration.main)
    value = wish.get(first, "")
    return f"{wish['kind']} {' '.join(map(str, value)) if isinstance(value, list) else value}".strip()
