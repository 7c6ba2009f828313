"""Operations by the name that playbooks call them; a module is loaded when a wish needs it."""

from __future__ import annotations

import importlib
from typing import Protocol

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish

_PACKAGE = __name__.rpartition(".")[0]


class Operation(Protocol):
    """What a module of an operation offers."""

    def facts(self, wish: Wish) -> Facts:
        """What is true of what the wish is about; on the host."""
        ...

    def plan(self, wish: Wish, facts: Facts) -> "list[Change]":
        """What would change; pure, nothing to do is an empty list."""
        ...

    def apply(self, wish: Wish, change: Change) -> "Undo | None":
        """Make one change; on the host.

        :return: what takes it back, where that can be
        """
        ...

    def undo(self, record: Undo) -> str:
        """Take a change back; on the host.

        :return: words for what was done
        """
        ...


def operation(kind: str) -> Operation:
    """The module of an operation.

    :param kind: its name in playbooks: ``file``; hyphens stand for underscores
    :raises HostError: ``host-operation-unknown``
    """
    name = kind.replace("-", "_")
    try:
        module: Operation = importlib.import_module(f"{_PACKAGE}.{name}_operation")
    except ModuleNotFoundError:
        raise HostError("host-operation-unknown", f"the agent has no operation {kind!r}") from None
    return module
