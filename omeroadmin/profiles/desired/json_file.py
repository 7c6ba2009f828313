"""Wishes in JSON: one object of names and values.

The object itself is read member by member, because Python's reader tells neither the line of a member nor the digits
of a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from omeroadmin.errors import AdminError, located, usage_error
from omeroadmin.profiles.desired.wish import Literal, Native, Wish, too_deep, wish_of

_BLANK = re.compile(r"[ \t\n\r]*")


def parse_json(text: str, source: str) -> list[Wish]:
    """What a text wishes for, in order.

    :param source: name of the text, for messages
    :raises AdminError: ``json-invalid``, ``value-invalid``, ``names-nested``, with file and line
    """
    text = text.removeprefix("\ufeff")
    lines = _Lines(text)
    wishes: dict[str, Wish] = {}
    try:
        for name, value, place in _members(text):
            origin = f"{source}:{lines.number(place)}"
            if name in wishes:
                raise _invalid(origin, f"{name!r} is there twice; first: {wishes[name].origin}")
            wishes[name] = wish_of(name, value, origin)
    except json.JSONDecodeError as error:
        raise _invalid(f"{source}:{error.lineno}", error.msg) from error
    except RecursionError:
        raise located(too_deep(), source) from None
    return list(wishes.values())


class _RefusedError(Exception):
    """What Python's reader takes and we don't."""


class _Lines:
    """Numbers of lines, asked for in rising order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line, self._place = 1, 0

    def number(self, place: int) -> int:
        """Number of the line at a place in the text."""
        self._line += self._text.count("\n", self._place, place)
        self._place = place
        return self._line


def _members(text: str) -> Iterator[tuple[str, Native, int]]:
    """Names, values, and the places of the names."""
    place = _expect(text, _skip(text, 0), "{")
    more = not text.startswith("}", place)
    while more:
        start = place
        if not text.startswith('"', start):
            raise json.JSONDecodeError("a name in double quotes is expected", text, start)
        name, place = _DECODER.raw_decode(text, start)
        value_start = _expect(text, _skip(text, place), ":")
        try:
            value, place = _DECODER.raw_decode(text, value_start)
        except _RefusedError as error:
            raise json.JSONDecodeError(str(error), text, value_start) from error
        yield name, _native(value), start
        place = _skip(text, place)
        more = text.startswith(",", place)
        if more:
            place = _skip(text, place + 1)
    place = _expect(text, place, "}", "a comma or }")
    if place < len(text):
        raise json.JSONDecodeError("there is more behind the object", text, place)


def _skip(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    return place if found is None else found.end()


def _expect(text: str, place: int, character: str, words: str = "") -> int:
    """The next place behind a character and white space."""
    if not text.startswith(character, place):
        raise json.JSONDecodeError(f"{words or character} is expected", text, place)
    return _skip(text, place + 1)


def _refuse_constant(word: str) -> Literal:
    raise _RefusedError(f"{word} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _RefusedError(f"{twice!r} is there twice in one object")
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Literal, parse_int=Literal, parse_constant=_refuse_constant
)


def _native(value: Any) -> Native:
    """The same, with Python's true, false and null as they are written."""
    match value:
        case None | True | False:
            return Literal(json.dumps(value))
        case list():
            return [_native(item) for item in value]
        case dict():
            return {name: _native(item) for name, item in value.items()}
    assert isinstance(value, (str, Literal))  # noqa: S101 - nothing else comes from the decoder
    return value


def _invalid(origin: str, words: str) -> AdminError:
    return usage_error("json-invalid", f"{origin}: {words}", 'write {"omero.db.host": "localhost", ...}')
