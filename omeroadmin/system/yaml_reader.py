"""YAML as a tree whose nodes know their file and line.

Only the events of PyYAML's parser are used, and none of its objects: an unquoted ``1.10``, ``0600``, ``yes`` or
``2026-11-24`` is the text that stands there, which YAML 1.1 would take for something else, and nothing that a text says
can make an object or more data than it has characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.errors import AdminError, located, usage_error
from omeroadmin.schema.tree import ListNode, MapNode, Node, ScalarNode
from omeroadmin.system.files import read_text

if TYPE_CHECKING:
    from yaml.events import Event, ScalarEvent

DEEPEST = 50
"""Levels of lists and maps below the outermost."""
_TOO_DEEP = "nesting depth"
"""In what libyaml says since 0.2.6, which looks ahead and so may find out before we do."""


@dataclass(frozen=True)
class Elsewhere:
    """Where ``!file PATH`` and ``!env NAME`` find their values.

    :param directory: what the paths are relative to
    :param environment: the variables
    :param missing: where given, takes the errors for what can't be had, which is then empty text
    """

    directory: Path
    environment: Mapping[str, str]
    missing: list[AdminError] | None = None


def read_yaml_file(
    path: Path, environment: Mapping[str, str], *, hint: str = "", missing: list[AdminError] | None = None
) -> Node:
    """The tree of a file.

    :param environment: variables for ``!env``
    :param hint: as for :func:`read_yaml`
    :param missing: as for :class:`Elsewhere`
    :raises AdminError: ``file-not-read``, and as :func:`read_yaml`
    """
    return read_yaml(read_text(path), str(path), Elsewhere(path.parent, environment, missing), hint=hint)


def read_yaml(text: str, source: str, elsewhere: Elsewhere, *, hint: str = "") -> Node:
    """The tree of a text; of one without anything, a node that is null.

    :param source: name of the text, for messages
    :param hint: what to say with what is no YAML, e.g. how a line looks
    :raises AdminError: ``yaml-invalid``, ``value-invalid`` (nested too deeply), ``variable-unset``, ``file-not-read``,
        each with file and line
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Reader(yaml.parse(text, Loader=loader), source, elsewhere, hint).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        origin = f"{source}:{mark.line + 1}" if mark is not None else source
        if _TOO_DEEP in (error.problem or ""):
            raise _too_deep(origin) from error
        raise _invalid(origin, error.problem or error.context or "this is not YAML", hint) from error
    except yaml.reader.ReaderError as error:
        # The two parsers disagree on what they say of the place and on the type of the character.
        character = chr(error.character) if isinstance(error.character, int) else str(error.character)
        line = text.count("\n", 0, max(text.find(character), 0)) + 1
        raise _invalid(f"{source}:{line}", f"the character {character!a} is not allowed in YAML", hint) from error
    except yaml.YAMLError as error:
        raise _invalid(source, str(error), hint) from error


class _Reader:
    """Makes a tree of the parser's events."""

    def __init__(self, events: Iterator[Event], source: str, elsewhere: Elsewhere, hint: str) -> None:
        self._events = events
        self._source = source
        self._elsewhere = elsewhere
        self._hint = hint

    def document(self) -> Node:
        """That of the whole text."""
        import yaml

        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return ScalarNode("", self._source, plain=True)
        root = self._node(next(self._events), DEEPEST + 1)
        next(self._events)
        more = next(self._events)
        if not isinstance(more, yaml.StreamEndEvent):
            raise self._error(more, "a second document begins; one file is one document")
        return root

    def _node(self, event: Event, levels: int) -> Node:
        import yaml

        if levels == 0:
            raise _too_deep(self._origin(event))
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event)
            case yaml.SequenceStartEvent():
                self._check_tag(event)
                return ListNode(tuple(self._items(levels)), self._origin(event))
            case yaml.MappingStartEvent():
                self._check_tag(event)
                return self._map(event, levels)
        raise self._error(event, "an alias stands for what is elsewhere; write it out")

    def _items(self, levels: int) -> Iterator[Node]:
        import yaml

        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, levels - 1)

    def _map(self, start: Event, levels: int) -> MapNode:
        import yaml

        members: dict[str, Node] = {}
        names: dict[str, str] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            if isinstance(key, yaml.MappingStartEvent) and key.flow_style:
                raise self._error(key, "a name is text, and not a map; text that begins with {{ is quoted")
            if not isinstance(key, yaml.ScalarEvent) or key.tag is not None:
                raise self._error(key, "a name is text")
            if key.value in names:
                raise self._error(key, f"{key.value!r} is there twice; first: {names[key.value]}")
            names[key.value] = self._origin(key)
            members[key.value] = self._node(next(self._events), levels - 1)
        return MapNode(members, names, self._origin(start))

    def _scalar(self, event: ScalarEvent) -> ScalarNode:
        origin = self._origin(event)
        tag = event.tag or ""
        found = _TAGS.get(tag)
        if found is not None:
            text = self._or_missing(event, found)
            return ScalarNode(text or "", origin, tag=tag, named=event.value, missing=text is None)
        self._check_tag(event)
        return ScalarNode(str(event.value), origin, plain=bool(event.implicit[0]))

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None:
            raise self._error(event, f"the tag {event.tag!r} is not one of !file and !env")

    def _or_missing(self, event: ScalarEvent, value: Callable[[_Reader, ScalarEvent], str]) -> str | None:
        try:
            return value(self, event)
        except AdminError as error:
            if self._elsewhere.missing is None:
                raise
            self._elsewhere.missing.append(error)
            return None

    def content(self, event: ScalarEvent) -> str:
        """Content of a file, without the end of its last line."""
        if not event.value or not event.value.isprintable():
            raise self._error(event, f"{event.value!r} is not the name of a file")
        try:
            # Anywhere: who may write this file may write any value, and secrets lie in /run/secrets or the like.
            text = read_text(self._elsewhere.directory / event.value)
        except AdminError as error:
            raise located(error, self._origin(event)) from error
        return text.removesuffix("\n")

    def variable(self, event: ScalarEvent) -> str:
        """Value of a variable."""
        value = self._elsewhere.environment.get(event.value)
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
        return _invalid(self._origin(event), words, self._hint)


_TAGS = {"!file": _Reader.content, "!env": _Reader.variable}


def _invalid(origin: str, words: str, hint: str) -> AdminError:
    return usage_error("yaml-invalid", f"{origin}: {words}", hint)


def _too_deep(origin: str) -> AdminError:
    return usage_error("value-invalid", f"{origin}: a value has more than {DEEPEST} levels of lists and maps")
