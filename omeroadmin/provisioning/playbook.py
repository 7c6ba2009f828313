"""What a playbook says, checked: stages of operations, the variables they use, and where they stand in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from omeroadmin.schema.tree import Node, ScalarNode


class VariableType(StrEnum):
    """What a variable holds."""

    TEXT = "text"
    PATH = "path"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    MAP = "map"
    SIZE = "size"
    PORT = "port"


@dataclass(frozen=True)
class Variable:
    """A declared variable.

    :param origin: file and line
    :param default: may use variables above it and ``base``; ``None``: there is none
    :param secret: whether its value is never shown
    :param required: whether the inventory must give it a value
    """

    name: str
    type: VariableType
    description: str
    origin: str
    default: Node | None = field(default=None, repr=False)
    secret: bool = False
    required: bool = False


@dataclass(frozen=True)
class Requirement:
    """What must be true of a host before anything is done there.

    :param that: an expression
    :param message: what is wrong otherwise
    """

    that: ScalarNode
    message: str


@dataclass(frozen=True)
class Entry:
    """An operation as a playbook has it.

    :param number: its place in the stage, from 1
    :param words: its ``name``; ``None``: it has none
    :param constants: fields that are the same for every host, and those left out, as the agent gets them
    :param dynamic: fields with templates
    :param conditions: expressions that must all be true
    :param for_each: a list, or an expression for one
    :param triggers: identifiers of operations that run when this one changes something
    :param identifier: its own, for those that trigger it; then it runs only when it was triggered
    """

    number: int
    kind: str
    origin: str
    words: Node | None
    constants: Mapping[str, Any] = field(repr=False)
    dynamic: Mapping[str, Node] = field(repr=False)
    conditions: tuple[ScalarNode, ...]
    tags: frozenset[str]
    for_each: Node | None
    triggers: tuple[str, ...]
    identifier: str


@dataclass(frozen=True)
class Stage:
    """Operations that a host carries out in one go.

    :param undo: whether a failure in it takes back what the run changed in it and in earlier stages of this kind
    """

    name: str
    origin: str
    conditions: tuple[ScalarNode, ...]
    undo: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Playbook:
    """Stages for the hosts that a pattern selects.

    :param hosts: a pattern as for ``--limit``
    :param serial: hosts at a time; 0: all
    :param secrets: values that came by ``!file`` and ``!env``
    """

    name: str
    path: Path
    title: str
    description: str
    hosts: str
    serial: int
    variables: Mapping[str, Variable]
    requirements: tuple[Requirement, ...]
    stages: tuple[Stage, ...]
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def tags(self) -> frozenset[str]:
        """All tags of its operations."""
        return frozenset(tag for stage in self.stages for entry in stage.entries for tag in entry.tags)


@dataclass(frozen=True)
class PlaybookList:
    """A file that names other playbooks, to be carried out one after the other."""

    name: str
    path: Path
    title: str
    description: str
    paths: tuple[Path, ...]
    origins: tuple[str, ...]
