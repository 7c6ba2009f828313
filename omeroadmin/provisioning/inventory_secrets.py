"""What is secret in an inventory: what comes by ``!file`` or ``!env``, and what the name of a variable says is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omeroadmin.schema.catalog import MASK, is_secret
from omeroadmin.schema.tree import ListNode, MapNode, Node, ScalarNode, native


def secret_scalars(node: Node, name: str = "") -> Iterator[ScalarNode]:
    """All secrets of a tree that have a value.

    :param name: of the node, or of the list that it is in
    """
    match node:
        case ListNode():
            for item in node.items:
                yield from secret_scalars(item, name)
        case MapNode():
            for inner, value in node.members.items():
                yield from secret_scalars(value, inner)
        case ScalarNode():
            if _is_hidden(node, name) and node.text:
                yield node


def shown(node: Node, name: str) -> Any:
    """A value as :func:`omeroadmin.schema.tree.native` gives it, with ``********`` for secrets.

    :param name: of the variable
    """
    match node:
        case ListNode():
            return [shown(item, name) for item in node.items]
        case MapNode():
            return {inner: shown(value, inner) for inner, value in node.members.items()}
    return MASK if _is_hidden(node, name) else native(node)


def _is_hidden(node: ScalarNode, name: str) -> bool:
    return node.is_secret or (is_secret(name) and not node.is_null and node.literal not in ("true", "false"))
