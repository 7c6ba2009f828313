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

    def expand(self, text: str, *, keep_properties: bool = False) -> str:
        """Replace all references; what replaces them is not looked at again.

        :param keep_properties: leave references such as ``${omero.data.dir}`` alone: the server itself resolves
            what its properties say of each other
        :raises UndefinedVariableError: for a name that is not defined here
        """
        return self._expand(text, (), keep_properties=keep_properties)

    def _expand(self, text: str, seen: tuple[str, ...], *, keep_properties: bool) -> str:
        def replacement(match: re.Match[str]) -> str:
            dollars, name = match["dollars"], match["name"]
            kept = "$" * (len(dollars) // 2)
            if len(dollars) % 2:
                return f"{kept}${{{name}}}"
            if keep_properties and "." in name and name not in self.values and name not in self.variables:
                return f"{kept}${{{name}}}"
            return kept + self._value(name, seen, keep_properties=keep_properties)

        return _REFERENCE.sub(replacement, text)

    def _value(self, name: str, seen: tuple[str, ...], *, keep_properties: bool) -> str:
        if name in self.values:
            return self.values[name]
        if name not in self.variables:
            raise UndefinedVariableError(f"variable {name} is not defined")
        if name in seen:
            raise UndefinedVariableError(f"variable {name} refers to itself: {' -> '.join((*seen, name))}")
        return self._expand(self.variables[name], (*seen, name), keep_properties=keep_properties)


def escape(text: str) -> str:
    """A text that expands to itself."""
    return _REFERENCE.sub(lambda match: "$" * (2 * len(match["dollars"]) + 1) + f"${{{match['name']}}}", text)
