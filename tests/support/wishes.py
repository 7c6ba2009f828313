"""What wishes of operations would lead to."""

from __future__ import annotations

from typing import Any

from omeroadmin.provisioning.agent.operations import registry
from omeroadmin.provisioning.operations.catalog import complete


def planned(kind: str, facts: dict[str, Any], **fields: Any) -> list[str]:
    """Actions of the changes that a wish leads to where facts are true."""
    return [change.action for change in registry.operation(kind).plan(complete(kind, **fields), facts)]


def planned_words(kind: str, facts: dict[str, Any], **fields: Any) -> list[str]:
    """The same in words."""
    return [change.words for change in registry.operation(kind).plan(complete(kind, **fields), facts)]
