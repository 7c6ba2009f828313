"""How operations are declared: once, for the check of playbooks, their defaults and the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any


class FieldType(Enum):
    """What a field of an operation holds."""

    TEXT = "text"
    PATH = "path"
    """An absolute path on the host, without ``..``."""
    NAME = "name"
    """A user, group, package or service: letters, digits and ``._+-@:``, no blank, no leading hyphen."""
    MODE = "mode"
    """Octal permission bits: ``0640``."""
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    PORT = "port"
    CHOICE = "choice"
    NAMES = "names"
    """A list of names; one alone may stand for a list of it."""
    TEXTS = "texts"
    """A list of texts: for programs and their arguments, options."""
    MAP = "map"
    """Names and texts."""
    LOCAL_PATH = "local path"
    """A file on the controller, relative to the playbook."""


@dataclass(frozen=True)
class Field:
    """One field.

    :param default: value where a playbook says nothing; :data:`REQUIRED` where it must say something
    :param choices: for ``CHOICE``
    :param secret: whether its value is never shown
    """

    name: str
    type: FieldType
    description: str
    default: Any = ""
    choices: tuple[str, ...] = ()
    secret: bool = False


REQUIRED: Any = object()
"""The default of a field that has none."""

Refine = Callable[[dict[str, Any]], str]
"""Checks fields together. Returns what is wrong with them, or nothing."""


@dataclass(frozen=True)
class Declaration:
    """One operation, as playbooks write it.

    :param kind: its name in playbooks; the agent has it in the module ``<kind>_operation``
    :param summary: one line for the reference
    :param main: the field that a playbook may give alone: ``package: nginx`` for ``package: {names: [nginx]}``
    :param undo: whether changes can be taken back
    :param check: what fields must fulfil together
    :param example: YAML for the reference; the tests read it
    """

    kind: str
    summary: str
    fields: tuple[Field, ...]
    main: str = ""
    undo: bool = False
    check: Refine | None = None
    example: str = ""

    def field(self, name: str) -> Field | None:
        """A field by its name."""
        return next((field for field in self.fields if field.name == name), None)
