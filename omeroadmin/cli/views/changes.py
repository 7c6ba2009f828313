"""What a change to the properties has changed, and what is odd about it."""

from __future__ import annotations

from collections.abc import Iterable

from omeroadmin.cli.boundary import say
from omeroadmin.profiles.changes import Changes, PropertyChange
from omeroadmin.schema.catalog import MASK, is_secret
from omeroadmin.schema.validation import is_unknown, unknown_name

_MOST_WARNINGS = 10
"""Names that are warned about one by one: finding the nearest ones takes a millisecond each."""


def change_lines(changes: Changes) -> list[str]:
    """What has changed, for configuration management, in OMERO's own words; secrets masked."""
    return [
        f"Changed: Removed {change.name}"
        if change.new is None
        else f"Changed: Set {change.name}:{shown(change.name, change.new)}"
        for change in changes.properties
    ]


def difference_lines(changes: Iterable[PropertyChange], *, show_secrets: bool = False) -> list[str]:
    """A line a property: ``+ name = new``, ``- name = old``, ``~ name: old -> new``; secrets masked."""
    return [_difference_line(change, show_secrets) for change in changes]


def _difference_line(change: PropertyChange, show_secrets: bool) -> str:
    old, new = (
        None if value is None else _one_line(value if show_secrets else shown(change.name, value))
        for value in (change.old, change.new)
    )
    if old is not None and new is not None:
        return f"~ {change.name}: {old} -> {new}"
    return f"{change.sign} {change.name} = {new if old is None else old}"


def shown(name: str, value: str) -> str:
    """A value as listings show it."""
    return MASK if value and is_secret(name) else value


def _one_line(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n") if "\n" in value else value


def warn_unknown(*names: str) -> None:
    """A word on stderr about each name that is most likely a slip; about the first of them, where there are many."""
    unknown = [name for name in dict.fromkeys(names) if is_unknown(name)]
    for name in unknown[:_MOST_WARNINGS]:
        say(f"WARNING: {unknown_name(name)}")
    if len(unknown) > _MOST_WARNINGS:
        say(f"WARNING: {len(unknown) - _MOST_WARNINGS} more names aren't declared either; see all: omero config lint")
