"""IceGrid's variables: ``${name}``, and ``$${name}`` for the literal text ``${name}``.

Dollars before a reference: each pair stands for one, and an odd one makes the reference literal text. Dollars
elsewhere are plain text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_REFERENCE = re.compile(r"(?P<dollars>\$*)\$\{(?P<name>[^{}]*)\}")


class UndefinedVariableError(LookupError):
    """A text refers to a variable that nobody defined, or that refers to itself."""


@dataclass(frozen=True)
class Scope:
    """What references mean at one place of the descriptor.

    :param values: parameters and predefined names, finished texts
    :param variables: variables whose own values may hold references
    """

    values: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    def with_values(self, values: Mapping[str, str]) -> Scope:
        """A scope inside this one."""
        return Scope({**self.values, **values}, self.variables)

    def with_variables(self, variables: Mapping[str, str]) -> Scope:
        """A scope whose variables hide those of this one."""
        return Scope(self.values, {**self.variables, **variables})

    def expand(self, text: str) -> str:
        """Replace all references; what replaces them is not looked at again.

        :raises UndefinedVariableError: for a name that is not defined here
        """
        return self._expand(text, ())

    def _expand(self, text: str, seen: tuple[str, ...]) -> str:
        def replacement(match: re.Match[str]) -> str:
            dollars, name = match["dollars"], match["name"]
            literal = len(dollars) % 2
            return "$" * (len(dollars) // 2) + (f"${{{name}}}" if literal else self._value(name, seen))

        return _REFERENCE.sub(replacement, text)

    def _value(self, name: str, seen: tuple[str, ...]) -> str:
        if name in self.values:
            return self.values[name]
        if name not in self.variables:
            raise UndefinedVariableError(f"refers to the variable {name}, which is not defined")
        if name in seen:
            circle = " -> ".join((*seen, name))
            raise UndefinedVariableError(f"refers to the variable {name}, which refers to itself: {circle}")
        return self._expand(self.variables[name], (*seen, name))


def escape(text: str) -> str:
    """A text that expands to itself."""
    return _REFERENCE.sub(lambda match: "$" * (2 * len(match["dollars"]) + 1) + f"${{{match['name']}}}", text)
