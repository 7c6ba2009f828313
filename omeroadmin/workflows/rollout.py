"""Roll-outs: hosts in parallel, planned in two round trips each, changed stage by stage."""

from __future__ import annotations

import functools
import getpass
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from omeroadmin.errors import configuration_error, usage_error
from omeroadmin.provisioning.connecting import Connector, open_here
from omeroadmin.provisioning.inventory import Become, Inventory, InventoryHost
from omeroadmin.provisioning.journal import Journal, read_journal, read_journals
from omeroadmin.provisioning.playbook import Playbook
from omeroadmin.provisioning.rollout_choice import RolloutChoice, Scope, read_hosts, read_scope
from omeroadmin.provisioning.rollout_host import HostRollout, Listener, Opener, Orders
from omeroadmin.provisioning.rollout_plan import HostState, Problem, RolloutPlan
from omeroadmin.provisioning.rollout_report import RolloutReport
from omeroadmin.provisioning.secrets import Redactor
from omeroadmin.system.interrupts import endings_interrupt

FORKS = 10
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Way:
    """How hosts are reached.

    :param local: whether everything is done on this machine
    :param forks: hosts at a time
    :param accept_new: whether keys of new hosts are recorded
    :param become: instead of what the inventory says
    """

    local: bool = False
    forks: int = FORKS
    accept_new: bool = False
    become: Become | None = None


class Rollout:
    """Hosts and their sessions, from the first connection to the last goodbye. A context.

    :param open_session: starts the agent on a host; by default as way and inventory say
    """

    def __init__(
        self,
        hosts: Sequence[HostRollout],
        inventory: Inventory,
        way: Way,
        listener: Listener,
        open_session: Opener | None = None,
    ) -> None:
        self._hosts = tuple(hosts)
        self._listener = listener
        self._connector = Connector(inventory, accept_new=way.accept_new, become=way.become)
        here: Opener = functools.partial(open_here, become=way.become)
        self._open = open_session or (here if way.local else self._connector.open)
        self._pool = ThreadPoolExecutor(max(1, min(way.forks, len(self._hosts))), thread_name_prefix="host")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        if isinstance(value, KeyboardInterrupt):
            # Nobody wants to wait for who doesn't answer.
            self._connector.close()
        with ThreadPoolExecutor(max(1, len(self._hosts))) as goodbyes:
            list(goodbyes.map(HostRollout.close, self._hosts))
        self._connector.close()

    def listen(self, listener: Listener) -> None:
        """Let another listener be told from now on."""
        self._listener = listener

    def plan(self, playbooks: Sequence[Playbook], *, digest: bool = False) -> RolloutPlan:
        """Connect to all hosts and find out what would change; a host's failure concerns no other.

        :param digest: whether what the plan is made of is to be recognised again
        """
        self._each(self._hosts, lambda host: host.prepare(self._open, self._listener, digest=digest))
        return RolloutPlan(tuple(book.name for book in playbooks), tuple(host.plan for host in self._hosts))

    def apply(self, playbooks: Sequence[Playbook], directory: Path, serial: int = 0) -> RolloutReport:
        """Carry out what was planned, playbook after playbook.

        Ctrl-C, SIGTERM and SIGHUP end it after the operations that are being carried out.

        :param directory: of the journals
        :param serial: hosts at a time, instead of what the playbooks say; after a failure among them it ends
        """
        with endings_interrupt():
            orders = self._orders(directory)
            orders.journal.begin("apply", orders.who, tuple(book.name for book in playbooks), self._names())
            try:
                for book, batch, rolling in self._batches(playbooks, serial):
                    action = functools.partial(HostRollout.carry_out, playbook=book.name, orders=orders)
                    whole = self._halting(batch, action)
                    if not whole or (rolling and not all(host.is_well for host in batch)):
                        break
            finally:
                report = self._report(orders)
        return report

    def undo(self, undone: str, directory: Path) -> RolloutReport:
        """Take back what a run has changed on the hosts.

        :param undone: name of the run
        :param directory: of the journals
        """
        orders = self._orders(directory)
        orders.journal.begin("undo", orders.who, (), self._names(), undone)

        def take_back(host: HostRollout) -> None:
            if host.connect(self._open):
                host.take_back(undone, orders)

        with endings_interrupt():
            try:
                self._halting(self._hosts, take_back)
            finally:
                report = self._report(orders)
        return report

    def connect(self) -> None:
        """Start all agents."""

        def connect(host: HostRollout) -> None:
            host.connect(self._open)

        self._each(self._hosts, connect)

    def _orders(self, directory: Path) -> Orders:
        return Orders(Journal(directory), f"{getpass.getuser()}@{socket.gethostname()}", self._listener)

    def _names(self) -> list[str]:
        return [host.name for host in self._hosts]

    def _batches(
        self, playbooks: Sequence[Playbook], serial: int
    ) -> Iterator[tuple[Playbook, Sequence[HostRollout], bool]]:
        """Hosts that do something at the same time, with their playbook, and whether others wait for them."""
        for book in playbooks:
            hosts = [host for host in self._hosts if host.has_work(book.name)]
            size = serial or book.serial
            for batch in batches(hosts, size):
                yield book, batch, bool(size)

    def _report(self, orders: Orders) -> RolloutReport:
        """Close the journal; what it says is the report."""
        journal = orders.journal
        for host in self._hosts:
            journal.host(host.report())
            self._listener.ended(host.report())
        journal.end()
        return read_journal(journal.directory, journal.run)

    def _each(self, hosts: Sequence[HostRollout], action: Callable[[HostRollout], None]) -> None:
        futures = [self._pool.submit(action, host) for host in hosts]
        wait(futures, return_when=FIRST_EXCEPTION)
        _raise_faults(futures)

    def _halting(self, hosts: Sequence[HostRollout], action: Callable[[HostRollout], None]) -> bool:
        """Do something on hosts; an interrupt lets them stop where they are, and is waited for.

        :return: whether it was not interrupted
        """
        futures = [self._pool.submit(action, host) for host in hosts]
        whole = True
        try:
            wait(futures)
        except KeyboardInterrupt:
            whole = False
            for host in hosts:
                host.halt()
            self._listener.halting()
            wait(futures)
        _raise_faults(futures)
        return whole


def batches(things: Sequence[Thing], size: int) -> Iterator[Sequence[Thing]]:
    """The same things in their order, so many at a time.

    :param size: 0: all at a time
    """
    for start in range(0, len(things), size or max(1, len(things))):
        yield things[start : start + (size or len(things))]


def _raise_faults(futures: Sequence[Future[None]]) -> None:
    """What no host's failure explains is a fault of ours, and must be seen."""
    for future in futures:
        future.result()


@dataclass(frozen=True)
class HostFacts:
    """What a host is.

    :param facts: empty where it can't be reached
    """

    host: str
    state: HostState
    facts: dict[str, Any]
    problem: Problem | None = None


def gather_facts(
    inventory: Inventory, chosen: Sequence[InventoryHost], way: Way, listener: Listener
) -> tuple[HostFacts, ...]:
    """Facts of hosts, as playbooks have them in ``base``."""
    hosts = _bare_hosts(inventory, [host.name for host in chosen])
    with Rollout(hosts, inventory, way, listener) as rollout:
        rollout.connect()
    return tuple(
        HostFacts(host.name, HostState.UNCHANGED if host.base else host.state, dict(host.base), host.report().problem)
        for host in hosts
    )


def plan_undo(directory: Path, run: str, limit: str, inventory: Inventory) -> tuple[RolloutReport, list[HostRollout]]:
    """The run that is to be taken back, and the hosts where that is to be done.

    :param directory: of the journals
    :param run: its name, or the beginning of it
    :raises AdminError: ``run-unknown``, ``run-not-undoable``, ``run-not-last``, ``host-unknown``
    """
    report = read_journal(directory, run)
    if report.action != "apply":
        raise usage_error("run-not-undoable", f"{report.run} took back {report.undoes}", "carry that out again: apply")
    chosen = {host.name for host in inventory.select(limit or "all")}
    known = inventory.by_name
    names = [
        host.host
        for host in report.hosts
        if (host.host in chosen or (host.host not in known and not limit))
        and (host.changes or host.state in (HostState.FAILED, HostState.INTERRUPTED))
    ]
    for name in names:
        if name not in known:
            raise configuration_error(
                "host-unknown", f"{inventory.path} has no host {name}, which {report.run} was for", "add it, or --limit"
            )
    if not names:
        raise usage_error(
            "hosts-none", f"{report.run} has changed none of these hosts", f"see it: omero hosts report {report.run}"
        )
    _refuse_older(directory, report, set(names))
    return report, _bare_hosts(inventory, names)


def _refuse_older(directory: Path, report: RolloutReport, names: set[str]) -> None:
    """What a later run built on this one would not fit any more."""
    later = read_journals(directory, report.run)
    undone = {other.undoes for other in later if other.action == "undo"}
    for other in reversed(later):
        changed = [host.host for host in other.hosts if host.host in names and host.change_count]
        if other.action == "apply" and changed and other.run not in undone:
            raise usage_error(
                "run-not-last",
                f"{other.run} has changed {changed[0]} since",
                f"take that back first: omero hosts undo {other.run}",
            )


def _bare_hosts(inventory: Inventory, names: Sequence[str]) -> list[HostRollout]:
    redactor = Redactor(inventory.secrets)
    return [HostRollout(inventory.by_name[name], (), redactor) for name in names]


def hosts_of(path: Path | None, limit: str, *, local: bool) -> Inventory:
    """The hosts of a file, or this machine, where no playbook is concerned."""
    return read_hosts(path, (), os.environ, local=local, limit=limit)


def scope_of(choice: RolloutChoice) -> Scope:
    """What a choice comes to, see :func:`omeroadmin.provisioning.rollout_choice.read_scope`."""
    return read_scope(choice, os.environ)
