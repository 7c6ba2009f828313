"""Operations of roll-outs as steps of a plan for this machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from omeroadmin.errors import configuration_error, failed_error
from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.operations import registry
from omeroadmin.steps.plan import Plan
from omeroadmin.system.host import Host


@dataclass(frozen=True)
class CarryOut:
    """One operation: whatever it changes.

    :param wish: with all its fields; may be secret
    :param words: what it would change when the plan was made
    """

    wish: dict[str, Any] = field(repr=False)
    words: tuple[str, ...]

    def describe(self) -> str:
        """One line for the plan."""
        return ", ".join(self.words)

    def apply(self, host: Host) -> None:  # noqa: ARG002 - operations work where they run
        """Make the changes.

        :raises AdminError: with the operation's own code
        """
        operation = registry.operation(self.wish["kind"])
        try:
            for change in operation.plan(self.wish, operation.facts(self.wish)):
                operation.apply(self.wish, change)
        except HostError as error:
            raise failed_error(error.code, error.message, error.hint) from error


def plan_operations(title: str, wishes: Iterable[dict[str, Any]]) -> Plan:
    """Plan what isn't as wished.

    :raises AdminError: with an operation's own code, for what can't be as wished
    """
    steps = []
    for wish in wishes:
        operation = registry.operation(wish["kind"])
        try:
            changes = operation.plan(wish, operation.facts(wish))
        except HostError as error:
            raise configuration_error(error.code, error.message, error.hint) from error
        if changes:
            steps.append(CarryOut(wish, tuple(change.words for change in changes)))
    return Plan(title, tuple(steps))
