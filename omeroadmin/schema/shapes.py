"""The shapes that a tree of a file may have: what must stand where, and what is wrong with what stands there.

A shape finds the faults of a node, and makes a value of a node without any. Whatever a fault says, it has file and
line in front, and no secret in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from omeroadmin.errors import AdminError, usage_error
from omeroadmin.schema.kinds import TEXT, TRUE_WORDS, Kind, ValueType
from omeroadmin.schema.tree import ListNode, MapNode, Node, ScalarNode
from omeroadmin.schema.values.check import problem_with
from omeroadmin.schema.values.numbers import WHOLE_NUMBER
from omeroadmin.schema.values.words import wording

_NUMBERS = frozenset({Kind.INT, Kind.PORT, Kind.DURATION, Kind.BYTES})
_LONGEST_SHOWN = 60
"""Characters of a value in a message."""
_MOST_NAMES = 200
"""Names among which the nearest to a wrong one is looked for."""


class Shape(Protocol):
    """What a node may be."""

    @property
    def words(self) -> str:
        """What such a node is called, e.g. ``a list``."""

    def faults(self, node: Node, where: str) -> Iterator[AdminError]:
        """What is wrong with a node.

        :param where: what messages call it, e.g. ``hosts.web1.port``
        """

    def value(self, node: Node) -> Any:
        """What a node without faults stands for."""


def checked(node: Node, shape: Shape, where: str = "") -> Any:
    """What a node stands for.

    :param where: what messages call the node; empty for the whole file
    :raises AdminError: ``value-invalid``, ``key-unknown``, ``key-missing``: the first fault
    """
    for fault in shape.faults(node, where):
        raise fault
    return shape.value(node)


@dataclass(frozen=True)
class Anything:
    """Whatever stands there; the value is the node itself, which knows its line."""

    words: str = "anything"

    def faults(self, node: Node, where: str) -> Iterator[AdminError]:  # noqa: ARG002 - as all shapes
        """None."""
        return iter(())

    def value(self, node: Node) -> Node:
        """The node."""
        return node


@dataclass(frozen=True)
class Scalar:
    """Text, a number or true or false, as a :class:`ValueType` says; the value is ``str``, ``int`` or ``bool``.

    :param secret: whether it may only come by ``!file`` or ``!env``
    """

    type: ValueType = TEXT
    secret: bool = False

    @property
    def words(self) -> str:
        """As ``config describe`` says it."""
        return wording(self.type)

    def faults(self, node: Node, where: str) -> Iterator[AdminError]:
        """Not a scalar, none of the type, or a secret that everybody can read."""
        if not isinstance(node, ScalarNode) or node.is_null:
            yield misfit(node, where, self.words)
        elif self.secret and not node.is_secret:
            yield usage_error(
                "secret-in-the-open",
                f"{node.origin}: {where} is a secret, and stands in the file itself",
                f"name a file of mode 0600 or a variable: {where.rpartition('.')[2]}: !file PATH, or !env NAME",
            )
        else:
            problem = self.words if self._is_a_reference(node.text) else problem_with(self.type, node.text)
            if problem is not None:
                # What a check finds may repeat the value.
                yield misfit(node, where, self.words if node.is_secret else problem)

    def value(self, node: Node) -> str | int | bool:
        """The text, or what it says."""
        assert isinstance(node, ScalarNode)  # noqa: S101 - for the type checker: a fault otherwise
        text = node.text
        if self.type.kind is Kind.BOOL:
            return text.strip().lower() in TRUE_WORDS
        if self.type.kind in _NUMBERS and re.fullmatch(WHOLE_NUMBER, text.strip()):
            return int(text)
        return text

    def _is_a_reference(self, text: str) -> bool:
        """``${name}``, which is taken for anything in a property, but is nothing here."""
        return self.type.kind not in (Kind.TEXT, Kind.SECRET) and "${" in text


@dataclass(frozen=True)
class Items:
    """A list of things of one shape; the value is a ``tuple``.

    :param single: whether one scalar stands for a list of one
    :param fewest: how many there are at least
    """

    of: Shape
    single: bool = False
    fewest: int = 0

    @property
    def words(self) -> str:
        """What its items are, too."""
        return f"{self.of.words}, or a list of them" if self.single else f"a list, each {self.of.words}"

    def faults(self, node: Node, where: str) -> Iterator[AdminError]:
        """Not a list, too short, or faults of the items."""
        if self._is_single(node):
            yield from self.of.faults(node, where)
        elif not isinstance(node, ListNode):
            yield misfit(node, where, self.words)
        elif len(node.items) < self.fewest:
            yield usage_error("value-invalid", f"{node.origin}: {where} has fewer than {self.fewest} items")
        else:
            for number, item in enumerate(node.items, 1):
                yield from self.of.faults(item, f"{where}[{number}]")

    def value(self, node: Node) -> tuple[Any, ...]:
        """The values of the items."""
        items = node.items if isinstance(node, ListNode) else (node,)
        return tuple(self.of.value(item) for item in items)

    def _is_single(self, node: Node) -> bool:
        return self.single and isinstance(node, ScalarNode) and not node.is_null


@dataclass(frozen=True)
class Table:
    """A map from names that the admin chooses to things of one shape; the value is a ``dict``.

    :param name: what the names must match as a whole
    :param name_words: what such a name is called
    """

    of: Shape
    name: str = ""
    name_words: str = "a name"
    words: str = "a map"

    def faults(self, node: Node, where: str) -> Iterator[AdminError]:
        """Not a map, wrong names, or faults of the values."""
        if not isinstance(node, MapNode):
            yield misfit(node, where, self.words)
            return
        for name, value in node.members.items():
            if self.name and not re.fullmatch(self.name, name):
                place = f" in {where}" if where else ""
                yield usage_error("value-invalid", f"{node.names[name]}: {name!r}{place} is not {self.name_words}")
            else:
                yield from self.of.faults(value, _inside(where, name))

    def value(self, node: Node) -> dict[str, Any]:
        """The values by name."""
        assert isinstance(node, MapNode)  # noqa: S101 - for the type checker: a fault otherwise
        return {name: self.of.value(value) for name, value in node.members.items()}


@dataclass(frozen=True)
class Key:
    """A key of a record.

    :param description: one sentence, for documentation
    """

    shape: Shape
    required: bool = False
    description: str = ""


@dataclass(frozen=True)
class Record:
    """A map with given keys; the value is a ``dict`` of those that are there and not null.

    :param others: shape of keys that aren't declared; ``None``: they are faults
    :param empty: whether null stands for a record without keys
    """

    keys: Mapping[str, Key]
    others: Shape | None = None
    empty: bool = False
    words: str = field(default="a map")

    def faults(self, node: Node, where: str) -> Iterator[AdminError]:
        """Not a map, unknown keys, missing keys, or faults of the values."""
        if isinstance(node, ScalarNode) and node.is_null and self.empty:
            node = MapNode({}, {}, node.origin)
        if not isinstance(node, MapNode):
            yield misfit(node, where, self.words)
            return
        for name, value in node.members.items():
            shape = self._shape(name)
            if shape is None:
                yield unknown_key(node.names[name], where, name, self.keys)
            elif not self._is_left_out(name, value):
                yield from shape.faults(value, _inside(where, name))
        for name, key in self.keys.items():
            if key.required and _is_nothing(node.members.get(name)):
                yield usage_error("key-missing", f"{node.origin}: {where or 'the file'} has no {name!r}")

    def value(self, node: Node) -> dict[str, Any]:
        """The values by key."""
        if not isinstance(node, MapNode):
            return {}
        found = ((name, value, self._shape(name)) for name, value in node.members.items())
        return {n: s.value(value) for n, value, s in found if s is not None and not self._is_left_out(n, value)}

    def _shape(self, name: str) -> Shape | None:
        return self.keys[name].shape if name in self.keys else self.others

    def _is_left_out(self, name: str, value: Node) -> bool:
        """A declared key with nothing behind it, which a record or a node of any kind may still make something of."""
        shape = self._shape(name)
        left_out = isinstance(value, ScalarNode) and (value.is_null or value.missing)
        return left_out and not isinstance(shape, Anything)


def misfit(node: Node, where: str, takes: str) -> AdminError:
    """The error for a node that is of another kind, or another value, than it should be.

    :param takes: what belongs there, e.g. ``a list``
    """
    return usage_error("value-invalid", f"{node.origin}: {where or 'the file'} is {_shown(node)}, but takes {takes}")


def unknown_key(origin: str, where: str, name: str, known: Mapping[str, Any]) -> AdminError:
    """The error for a key that isn't declared, with the nearest that is.

    :param origin: file and line of the key
    :param where: what the record is called
    """
    near = nearest(name, known)
    hint = f"did you mean {near}?" if near else f"it takes {', '.join(known)}"
    place = f"in {where}" if where else "at the top of the file"
    return usage_error("key-unknown", f"{origin}: {_brief(name)} is not a key {place}", hint)


def nearest(name: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    """The known name that is most like a wrong one; empty where none is."""
    import difflib

    names = {other.lower(): other for other in list(known)[:_MOST_NAMES]}
    found = difflib.get_close_matches(name.lower()[:_LONGEST_SHOWN], names, n=1, cutoff=0.6)
    return names[found[0]] if found else ""


def _is_nothing(node: Node | None) -> bool:
    return node is None or (isinstance(node, ScalarNode) and node.is_null)


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _shown(node: Node) -> str:
    match node:
        case ListNode():
            return "a list"
        case MapNode():
            return "a map"
    if node.is_secret:
        return "something else"
    return "nothing" if node.is_null else _brief(node.text)


def _brief(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")
