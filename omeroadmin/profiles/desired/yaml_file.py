"""Wishes in YAML: one flat map of names and values.

Only the events of PyYAML's parser are used, and none of its objects: an unquoted ``1.10``, ``0600``, ``yes`` or
``2026-11-24`` is the text that stands there, which YAML 1.1 would take for something else, and nothing that a text says
can make an object or more data than it has characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.errors import AdminError, usage_error
from omeroadmin.profiles.desired.wish import DEEPEST, NULL, Literal, Native, Wish, too_deep, wish_of
from omeroadmin.profiles.entries import located
from omeroadmin.system.files import read_text

if TYPE_CHECKING:
    from yaml.events import Event, ScalarEvent

_NULL_WORDS = frozenset({"", "~", "null", "Null", "NULL"})
_LITERAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?|true|false")
"""What isn't text inside a list or a map: what JSON takes for something else."""
_BOOLEANS = {word: word.lower() for word in ("True", "TRUE", "False", "FALSE")}
_TOO_DEEP = "nesting depth"
"""In what libyaml says since 0.2.6, which looks ahead and so may find out before we do."""


def parse_yaml(text: str, source: str, *, directory: Path, environment: Mapping[str, str]) -> list[Wish]:
    """What a text wishes for, in order; ``!file PATH`` and ``!env NAME`` are values from elsewhere.

    :param source: name of the text, for messages
    :param directory: what the paths of ``!file`` are relative to
    :param environment: variables for ``!env``
    :raises AdminError: ``yaml-invalid``, ``value-invalid``, ``names-nested``, ``variable-unset``, ``file-not-read``,
        each with file and line
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Reader(yaml.parse(text, Loader=loader), source, directory, environment).wishes()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        origin = f"{source}:{mark.line + 1}" if mark is not None else source
        if _TOO_DEEP in (error.problem or ""):
            raise located(too_deep(), origin) from error
        raise _invalid(origin, error.problem or error.context or "this is not YAML") from error
    except yaml.reader.ReaderError as error:
        # The two parsers disagree on what they say of the place and on the type of the character.
        character = chr(error.character) if isinstance(error.character, int) else str(error.character)
        line = text.count("\n", 0, max(text.find(character), 0)) + 1
        raise _invalid(f"{source}:{line}", f"the character {character!a} is not allowed in YAML") from error
    except yaml.YAMLError as error:
        raise _invalid(source, str(error)) from error


class _Reader:
    """Makes wishes of the parser's events."""

    def __init__(self, events: Iterator[Event], source: str, directory: Path, environment: Mapping[str, str]) -> None:
        self._events = events
        self._source = source
        self._directory = directory
        self._environment = environment

    def wishes(self) -> list[Wish]:
        """Those of the whole text."""
        import yaml

        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return []
        root = next(self._events)
        wishes: dict[str, Wish] = {}
        if isinstance(root, yaml.MappingStartEvent):
            for name, key, event in self._members(root):
                value = self._value(event, DEEPEST, top=True)
                origin = self._origin(key)
                if name in wishes:
                    raise self._error(key, f"{name!r} is there twice; first: {wishes[name].origin}")
                wishes[name] = wish_of(name, value, origin)
        elif not (isinstance(root, yaml.ScalarEvent) and _is_null(root) and root.tag is None):
            raise self._error(root, "the file is not a map of names and values")
        next(self._events)
        more = next(self._events)
        if not isinstance(more, yaml.StreamEndEvent):
            raise self._error(more, "a second document begins; one file is one document")
        return list(wishes.values())

    def _members(self, start: Event) -> Iterator[tuple[str, Event, Event]]:
        """Names, the events of the names, and the events with which the values begin."""
        import yaml

        self._check_tag(start)
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent) or key.tag is not None:
                raise self._error(key, "a name is text")
            yield key.value, key, next(self._events)

    def _value(self, event: Event, levels: int, *, top: bool = False) -> Native:
        import yaml

        if levels == 0:
            raise located(too_deep(), self._origin(event))
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event, top=top)
            case yaml.SequenceStartEvent():
                self._check_tag(event)
                return list(self._items(levels))
            case yaml.MappingStartEvent():
                return self._map(event, levels)
        raise self._error(event, "an alias stands for what is elsewhere; write it out")

    def _items(self, levels: int) -> Iterator[Native]:
        import yaml

        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._value(event, levels - 1)

    def _map(self, start: Event, levels: int) -> Native:
        found: dict[str, Native] = {}
        for name, key, event in self._members(start):
            if name in found:
                raise self._error(key, f"{name!r} is there twice in one map")
            found[name] = self._value(event, levels - 1)
        return found

    def _scalar(self, event: ScalarEvent, *, top: bool) -> Native:
        match event.tag:
            case "!file":
                return self._content(event)
            case "!env":
                return self._variable(event)
        self._check_tag(event)
        if _is_null(event):
            return NULL
        text = str(event.value)
        if not top and _is_plain(event) and _LITERAL.fullmatch(_BOOLEANS.get(text, text)):
            return Literal(_BOOLEANS.get(text, text))
        return text

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None:
            raise self._error(event, f"the tag {event.tag!r} is not one of !file and !env")

    def _content(self, event: ScalarEvent) -> str:
        """Content of a file, without the end of its last line."""
        if not event.value or not event.value.isprintable():
            raise self._error(event, f"{event.value!r} is not the name of a file")
        try:
            # Anywhere: who may write this file may write any value, and secrets lie in /run/secrets or the like.
            text = read_text(self._directory / event.value)
        except AdminError as error:
            raise located(error, self._origin(event)) from error
        return text.removesuffix("\n")

    def _variable(self, event: ScalarEvent) -> str:
        value = self._environment.get(event.value)
        if value is None:
            raise usage_error(
                "variable-unset",
                f"{self._origin(event)}: the variable {event.value!r} is not set",
                "export it, or name a file: !file PATH",
            )
        return value

    def _origin(self, event: Event) -> str:
        return self._source if event.start_mark is None else f"{self._source}:{event.start_mark.line + 1}"

    def _error(self, event: Event, words: str) -> AdminError:
        return _invalid(self._origin(event), words)


def _is_plain(event: ScalarEvent) -> bool:
    return bool(event.implicit[0])


def _is_null(event: ScalarEvent) -> bool:
    return _is_plain(event) and event.value in _NULL_WORDS


def _invalid(origin: str, words: str) -> AdminError:
    return usage_error("yaml-invalid", f"{origin}: {words}", "write a line each property: omero.db.host: localhost")
