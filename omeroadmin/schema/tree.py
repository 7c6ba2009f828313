"""What a file says, as a tree whose nodes know where they stand.

Text stays the text that is written: what takes it says whether ``22`` is a number, and ``3.10`` isn't ``3.1``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

_NULL_WORDS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {word: word.lower() for word in ("True", "TRUE", "False", "FALSE")}
_LITERAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?|true|false")
"""What JSON takes for something else than text."""
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_MOST_DIGITS = 300
"""Numbers with more are text; Python refuses to read them."""


@dataclass(frozen=True)
class ScalarNode:
    """Text, a number, ``true``, ``false`` or nothing.

    :param text: as it is written, or what the file or the variable held
    :param origin: name of the file and number of the line, e.g. ``hosts.yml:12``
    :param plain: whether it stands there without quotes, and so may be something else than text
    :param tag: ``!file`` or ``!env`` for what came from elsewhere and is a secret
    :param named: the file or variable that it came from
    :param missing: whether that could not be had, and the text is empty for this alone
    """

    text: str = field(repr=False)
    origin: str
    plain: bool = False
    tag: str = ""
    named: str = ""
    missing: bool = False

    @property
    def is_secret(self) -> bool:
        """Whether it came from a file or a variable; it is never shown."""
        return bool(self.tag)

    @property
    def is_null(self) -> bool:
        """Whether nothing stands there, or ``null`` without quotes."""
        return self.plain and self.text in _NULL_WORDS

    @property
    def literal(self) -> str | None:
        """A number, ``true`` or ``false`` in JSON's spelling; ``None``: it is text, or nothing."""
        word = _BOOLEANS.get(self.text, self.text)
        return word if self.plain and _LITERAL.fullmatch(word) else None


@dataclass(frozen=True)
class ListNode:
    """A list."""

    items: tuple[Node, ...]
    origin: str


@dataclass(frozen=True)
class MapNode:
    """A map.

    :param members: in the order of the file
    :param names: where the names of the members stand
    """

    members: Mapping[str, Node]
    names: Mapping[str, str]
    origin: str


Node = ScalarNode | ListNode | MapNode


class Fraction(float):
    """A number with a fraction or an exponent, which prints as it is written."""

    def __new__(cls, text: str | float) -> Self:
        """From the text of a number."""
        number = super().__new__(cls, text)
        number._text = str(text)
        return number

    _text: str

    def __str__(self) -> str:
        return self._text


def native(node: Node) -> Any:
    """A node as text, whole number, :class:`Fraction`, boolean, ``None``, list or dict."""
    match node:
        case ListNode():
            return [native(item) for item in node.items]
        case MapNode():
            return {name: native(value) for name, value in node.members.items()}
    if node.is_null:
        return None
    return node.text if node.literal is None else _number(node.literal)


def _number(literal: str) -> str | int | float | bool:
    if literal in ("true", "false"):
        return literal == "true"
    if len(literal) > _MOST_DIGITS:
        return literal
    if _INTEGER.fullmatch(literal):
        return int(literal)
    number = Fraction(literal)
    return number if math.isfinite(number) else literal


def scalars(node: Node) -> Iterator[ScalarNode]:
    """All texts, numbers and so on of a tree, in the order of the file."""
    match node:
        case ScalarNode():
            yield node
        case ListNode():
            for item in node.items:
                yield from scalars(item)
        case MapNode():
            for value in node.members.values():
                yield from scalars(value)


def has_secret(node: Node) -> bool:
    """Whether anything in it came from a file or a variable."""
    return any(scalar.is_secret for scalar in scalars(node))
