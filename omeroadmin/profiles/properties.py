"""Reads properties from text: what `omero config get` prints and what OMERO's properties files hold.

Like OMERO's own `config load`, it leaves backslashes in values alone unless told otherwise: a listing shows values
as they are, and loading a listing must give the same values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from omeroadmin.errors import usage_error

_ENTRY = re.compile(r"([^=:\s]+)\s*(?:[=:]\s*)?(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_LETTERS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_TRAILING_BACKSLASHES = re.compile(r"\\*\Z")


@dataclass(frozen=True)
class Entry:
    """One property as a text gives it.

    :param origin: name of the file and number of the line
    """

    name: str
    value: str = field(repr=False)
    origin: str


def parse_properties(text: str, source: str, *, escapes: bool = False) -> list[Entry]:
    """All properties of a text, in order: ``name=value``, comments after # or !, continuation after a backslash.

    :param source: name of the text, for messages
    :param escapes: undo Java's backslash escapes in values
    :raises AdminError: ``properties-invalid``
    """
    return [_entry(line, f"{source}:{number}", escapes) for number, line in _logical_lines(text.split("\n"))]


def _logical_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their continuations, and the number of the first; white space around each is layout."""
    first, collected = 0, ""
    for number, raw in enumerate(lines, start=1):
        line = raw.strip()
        if not first and (not line or line.startswith(("#", "!"))):
            continue
        first = first or number
        if _continues(line):
            collected += line[:-1]
            continue
        yield first, collected + line
        first, collected = 0, ""
    if first:
        yield first, collected


def _continues(line: str) -> bool:
    """Whether the line ends in a backslash that isn't itself escaped."""
    found = _TRAILING_BACKSLASHES.search(line)
    return found is not None and len(found.group()) % 2 == 1


def _entry(line: str, origin: str, escapes: bool) -> Entry:
    found = _ENTRY.fullmatch(line)
    if found is None:
        raise usage_error("properties-invalid", f"{origin}: there is no name before the value", "write name=value")
    name, value = found.groups()
    return Entry(name, _unescaped(value) if escapes else value, origin)


def _unescaped(value: str) -> str:
    def replace(found: re.Match[str]) -> str:
        code = found.group(1)
        return chr(int(code[1:], 16)) if len(code) > 1 else _LETTERS.get(code, code)

    return _ESCAPE.sub(replace, value)
