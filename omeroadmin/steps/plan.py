"""A plan: ordered steps as pure data, printable before anything happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from omeroadmin.system.host import Host


@runtime_checkable
class Step(Protocol):
    """One change. A frozen dataclass: what it says is what it does."""

    def describe(self) -> str:
        """One line for the plan, starting with a verb; no secrets."""
        ...

    def apply(self, host: Host) -> None:
        """Make the change.

        :raises AdminError: if it can't be made
        """
        ...


@dataclass(frozen=True)
class Plan:
    """Steps in the order in which they are carried out.

    :param title: what the whole is for, e.g. ``install OMERO in /opt/omero``
    :param steps: may be empty: then there is nothing to do
    """

    title: str
    steps: tuple[Step, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __add__(self, other: Plan) -> Plan:
        return Plan(self.title, self.steps + other.steps)

    def lines(self) -> list[str]:
        """The plan for people, a line each step."""
        return [step.describe() for step in self.steps]
