"""Reads and writes Java's properties files, the text that OMERO's configuration is exchanged in.

One thing is not as in Java: a backslash before a character that has no need of one stays. Java drops it without a
word, which would turn ``\\d+`` of a hand-written file into ``d+``; no writer of Java's produces it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from omeroadmin.errors import AdminError, located, usage_error
from omeroadmin.profiles.entries import Entry

_LINE_END = re.compile(r"\r\n|\r|\n")
_BLANK = " \t\f"
_ENTRY = re.compile(r"((?:[^=: \t\f\\]+|\\.)+)(?:[ \t\f]*[=:]|[ \t\f]|\Z)[ \t\f]*(.*)", re.DOTALL)
_LISTED = re.compile(r"([^=: \t\f]+)(?:=|[ \t\f]*[=:][ \t\f]*|[ \t\f]+|\Z)(.*)", re.DOTALL)
_TRAILING_BACKSLASHES = re.compile(r"\\+\Z")
_ESCAPE = re.compile(r"(?:\\u[0-9A-Fa-f]{4})+|\\.", re.DOTALL)
_LETTERS = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\f": "\f"}
_ESCAPED = {**_LETTERS, **{f"\\{character}": character for character in "\\=:#! "}}
_WRITTEN = {"\\": "\\\\", **{letter: escape for escape, letter in _LETTERS.items()}}
_BEFORE_NEXT_LINE = "\\\n    "


def parse_properties(text: str, source: str, *, raw: bool = False) -> list[Entry]:
    """All properties of a text, in order.

    :param source: name of the text, for messages
    :param raw: read each line as `omero config get` prints it: it goes on in no other, and all behind the ``=``,
        backslashes and white space included, is the value
    :raises AdminError: ``properties-invalid``
    """
    lines = _LINE_END.split(text.removeprefix("\ufeff"))
    if raw:
        return [_listed(line, f"{source}:{number}") for number, line in enumerate(lines, 1) if _says_something(line)]
    return [_entry(line, f"{source}:{number}") for number, line in _logical_lines(lines)]


def _says_something(line: str) -> bool:
    return line.lstrip(_BLANK)[:1] not in ("", "#", "!")


def _logical_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their continuations, and the number of the first; white space before each is layout."""
    first, collected = 0, ""
    for number, line in enumerate(lines, start=1):
        if not first and not _says_something(line):
            continue
        first = first or number
        collected += line.lstrip(_BLANK)
        if _continues(line):
            collected = collected[:-1]
            continue
        if collected:
            yield first, collected
        first, collected = 0, ""
    if collected:
        yield first, collected


def _continues(line: str) -> bool:
    """Whether the line ends in a backslash that isn't itself escaped."""
    found = _TRAILING_BACKSLASHES.search(line) if line.endswith("\\") else None
    return found is not None and len(found.group()) % 2 == 1


def _listed(line: str, origin: str) -> Entry:
    found = _LISTED.fullmatch(line.lstrip(_BLANK))
    if found is None:
        raise _nameless(origin)
    return Entry(found.group(1), found.group(2), origin)


def _entry(line: str, origin: str) -> Entry:
    found = _ENTRY.fullmatch(line)
    if found is None:
        raise _nameless(origin)
    name, value = found.groups()
    if "\\" not in line:
        return Entry(name, value, origin)
    try:
        return Entry(_unescaped(name), _unescaped(value), origin)
    except AdminError as error:
        raise located(error, origin) from error


def _nameless(origin: str) -> AdminError:
    return usage_error("properties-invalid", f"{origin}: there is no name before the value", "write name=value")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    escape = found.group()
    if not escape.startswith("\\u"):
        return _ESCAPED.get(escape, escape)
    if len(escape) < len("\\u0000"):
        raise _not_a_character(escape + found.string[found.end() : found.end() + 4])
    units = bytes.fromhex(escape.replace("\\u", ""))
    try:
        # A character beyond the first 65536 is written as two units.
        return units.decode("utf-16-be")
    except UnicodeDecodeError as error:
        raise _not_a_character(escape[error.start * 3 : error.start * 3 + 6]) from None


def _not_a_character(escape: str) -> AdminError:
    return usage_error(
        "properties-invalid",
        f"{escape!a} is not a character",
        "four hexadecimal digits follow \\u; a backslash itself is written \\\\",
    )


def format_properties(values: Mapping[str, str]) -> str:
    """Properties as a text that both :func:`parse_properties` and Java read back as they are, in the order given.

    Only what can't be read otherwise is escaped; values of several lines take several lines.
    """
    return "".join(f"{format_property(name, value)}\n" for name, value in values.items())


def format_property(name: str, value: str) -> str:
    """One property, without the end of the line."""
    written_name = "".join(f"\\{character}" if character in "=:#! " else _written(character) for character in name)
    *lines, last = value.split("\n")
    folded = _BEFORE_NEXT_LINE.join(f"{_written_line(line)}\\n" for line in lines)
    between = _BEFORE_NEXT_LINE if lines and last else ""
    return f"{written_name}={folded}{between}{_written_line(last)}"


def _written_line(text: str) -> str:
    if text.isalnum() and text.isascii():
        return text
    end = len(text.rstrip(" "))
    body, trailing = text[:end], len(text) - end
    # Editors like to take away white space at the ends of lines.
    start = "\\" if body.startswith(" ") else ""
    return start + "".join(map(_written, body)) + "\\u0020" * trailing


def _written(character: str) -> str:
    if character in _WRITTEN:
        return _WRITTEN[character]
    if character.isprintable():
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
