"""What a diagnosis consists of: categories of items, each with a status, its evidence and a hint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings


class Status(StrEnum):
    """What an item comes to."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class Item:
    """One line of a diagnosis.

    :param name: what was looked at
    :param status: ``skip`` where there is nothing to judge
    :param evidence: what was found
    :param hint: the next step, where something is wrong
    """

    name: str
    status: Status
    evidence: str
    hint: str = ""


@dataclass(frozen=True)
class Category:
    """Items of one kind.

    :param id: stable, kebab-case
    :param title: as the lines of the category begin
    """

    id: str
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Diagnosis:
    """All that was looked at.

    :param version: of the toolkit
    """

    version: str
    omerodir: Path
    categories: tuple[Category, ...]

    @property
    def problems(self) -> tuple[tuple[Category, Item], ...]:
        """Items with a warning or failure, failures first."""
        found = [
            (category, item)
            for category in self.categories
            for item in category.items
            if item.status in (Status.WARN, Status.FAIL)
        ]
        return tuple(sorted(found, key=lambda pair: pair[1].status is not Status.FAIL))

    @property
    def has_errors(self) -> bool:
        """Whether any item failed."""
        return any(item.status is Status.FAIL for _, item in self.problems)


@dataclass(frozen=True)
class Subject:
    """What is being looked at.

    :param settings: defaults where config.xml can't be read
    :param environment: variables of this process
    :param user_directory: ``OMERO_USERDIR`` or its default
    :param parse_logs: whether logs are read
    """

    instance: Instance
    settings: Settings
    environment: Mapping[str, str] = field(repr=False)
    user_directory: Path
    parse_logs: bool = True


def plain_size(size: int) -> str:
    """Bytes as people read them, in powers of 1000: ``22.8 KB``."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("KB", "MB", "GB"):
        value /= 1000
        if value < 1000:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"
