"""Wishes in YAML: one flat map of names and values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from omeroadmin.errors import usage_error
from omeroadmin.profiles.desired.wish import NULL, Literal, Native, Wish, wish_of
from omeroadmin.schema.tree import ListNode, MapNode, Node, ScalarNode
from omeroadmin.system.yaml_reader import Elsewhere, read_yaml

_HINT = "write a line each property: omero.db.host: localhost"


def parse_yaml(text: str, source: str, *, directory: Path, environment: Mapping[str, str]) -> list[Wish]:
    """What a text wishes for, in order; ``!file PATH`` and ``!env NAME`` are values from elsewhere.

    :param source: name of the text, for messages
    :param directory: what the paths of ``!file`` are relative to
    :param environment: variables for ``!env``
    :raises AdminError: ``names-nested``, and as :func:`omeroadmin.system.yaml_reader.read_yaml`
    """
    root = read_yaml(text, source, Elsewhere(directory, environment), hint=_HINT)
    if isinstance(root, ScalarNode) and root.is_null:
        return []
    if not isinstance(root, MapNode):
        raise usage_error("yaml-invalid", f"{root.origin}: the file is not a map of names and values", _HINT)
    return [wish_of(name, _outermost(value), root.names[name]) for name, value in root.members.items()]


def _outermost(node: Node) -> Native:
    """A value that isn't inside a list or a map is what stands there."""
    return node.text if isinstance(node, ScalarNode) and not node.is_null else _inner(node)


def _inner(node: Node) -> Native:
    match node:
        case ListNode():
            return [_inner(item) for item in node.items]
        case MapNode():
            return {name: _inner(value) for name, value in node.members.items()}
    if node.is_null:
        return NULL
    return node.text if node.literal is None else Literal(node.literal)
