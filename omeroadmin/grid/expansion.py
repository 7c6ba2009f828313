"""IceGrid's variables: ``${name}``, and ``$${name}`` for the literal text ``${name}``.

Dollars before ``{``: each pair stands for one, and an odd one begins a reference, which must end. Dollars elsewhere are
plain text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_OPENING = re.compile(r"(\$+)\{")
_LONGEST = 1_000_000
_DEEPEST = 50


class ExpansionError(LookupError):
    """A text can't be expanded."""


class UndefinedVariableError(ExpansionError):
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
        """A scope whose variables hide everything of these names in this one."""
        values = {name: value for name, value in self.values.items() if name not in variables}
        return Scope(values, {**self.variables, **variables})

    def expand(self, text: str) -> str:
        """Replace all references; what replaces them is not looked at again.

        :raises ExpansionError: for a name that is not defined here, and for a text that grows without measure
        """
        return self._expand(text, (), {})

    def _expand(self, text: str, seen: tuple[str, ...], known: dict[str, str]) -> str:
        if len(seen) > _DEEPEST:
            raise ExpansionError(f"refers to variables that refer to others, more than {_DEEPEST} times in a row")
        parts: list[str] = []
        length = end = 0
        while match := _OPENING.search(text, end):
            dollars = len(match[1])
            parts += (text[end : match.start()], "$" * (dollars // 2))
            name, end = _reference(text, match.end()) if dollars % 2 else ("", match.end())
            value = self._value(name, seen, known) if dollars % 2 else "{"
            parts.append(value)
            length += len(value)
            if length > _LONGEST:
                raise ExpansionError(f"refers to variables that make it longer than {_LONGEST} characters")
        return "".join((*parts, text[end:]))

    def _value(self, name: str, seen: tuple[str, ...], known: dict[str, str]) -> str:
        if name in self.values:
            return self.values[name]
        if name not in self.variables:
            guess = next(iter(difflib.get_close_matches(name, [*self.values, *self.variables], 1)), "")
            meant = f"; is {guess} meant?" if guess else ""
            raise UndefinedVariableError(f"refers to the variable {name}, which is not defined{meant}")
        if name in seen:
            circle = " -> ".join((*seen, name))
            raise UndefinedVariableError(f"refers to the variable {name}, which refers to itself: {circle}")
        # Each once: variables that name each other twice would double with each step.
        if name not in known:
            known[name] = self._expand(self.variables[name], (*seen, name), known)
        return known[name]


def escape(text: str) -> str:
    """A text that expands to itself."""
    return _OPENING.sub(lambda match: f"{match[1] * 2}{{", text)


def _reference(text: str, start: int) -> tuple[str, int]:
    """The name that begins at a place, and where the text goes on."""
    end = text.find("}", start)
    if end < 0:
        raise ExpansionError(f"holds ${{{text[start : start + 20]} without the brace that ends it")
    return text[start:end], end + 1
