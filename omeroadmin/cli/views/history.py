"""Revisions of config.xml, and what differs between two states of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omeroadmin.cli.views.changes import difference_lines, shown
from omeroadmin.profiles.changes import Changes, PropertyChange
from omeroadmin.profiles.history import History
from omeroadmin.profiles.revisions import FOREIGN, Revision
from omeroadmin.profiles.state import StateChange

LOG_COLUMNS = ("revision", "time", "user", "command", "changes")
_FEW = 3
"""So many names fit into a line."""


def log_rows(history: History, limit: int) -> list[tuple[str, str, str, str, str]]:
    """A line each revision, newest first; what another tool has changed since comes before them.

    :param limit: revisions at most; 0 for all
    """
    rows = [
        (str(revision.number), revision.time, user_of(revision), revision.cause, summary(revision.change))
        for revision in newest(history, limit)
    ]
    pending = [("-", "-", "-", FOREIGN, summary(history.pending))] if history.pending else []
    return [*pending, *rows]


def newest(history: History, limit: int) -> tuple[Revision, ...]:
    """Revisions, newest first.

    :param limit: at most; 0 for all
    """
    return history.revisions[-limit:][::-1]


def user_of(revision: Revision) -> str:
    """Who made a revision: ``root@host (sudo: anna)``."""
    if not revision.user:
        return "-"
    return f"{revision.user}@{revision.host}" + (f" (sudo: {revision.sudo_user})" if revision.sudo_user else "")


def summary(change: StateChange) -> str:
    """A change in a line: names where there are few, else how many."""
    words = [f"active profile {change.active[1]}"] if change.active else []
    words += [
        f"{sign}profile {name}" for sign, names in (("+", change.created), ("-", change.dropped)) for name in names
    ]
    properties = [item for changes in change.profiles for item in changes.properties]
    if 0 < len(properties) <= _FEW:
        words += [f"{item.sign}{item.name}" for item in properties]
    else:
        counts = {sign: sum(item.sign == sign for item in properties) for sign in "+~-"}
        words += [f"{sign}{count}" for sign, count in counts.items() if count]
    return " ".join(words)


def revision_lines(revision: Revision, *, show_secrets: bool) -> list[str]:
    """All of one revision."""
    return [
        f"revision {revision.number}",
        f"time:    {revision.time}",
        f"user:    {user_of(revision)}",
        f"command: {revision.cause}",
        *state_lines(revision.change, show_secrets=show_secrets),
    ]


def state_lines(change: StateChange, *, show_secrets: bool) -> list[str]:
    """What leads from one state to another: properties below the names of their profiles, secrets masked."""
    lines = [f"~ active profile: {change.active[0]} -> {change.active[1]}"] if change.active else []
    lines += [f"+ profile {name}" for name in change.created]
    lines += [f"- profile {name}" for name in change.dropped]
    for changes in change.profiles:
        lines += [f"[{changes.profile}]", *difference_lines(changes.properties, show_secrets=show_secrets)]
    return lines


def revision_data(revision: Revision) -> dict[str, Any]:
    """One revision for JSON, secrets masked."""
    return {
        "revision": revision.number,
        "time": revision.time,
        "user": revision.user or None,
        "sudo_user": revision.sudo_user or None,
        "host": revision.host or None,
        "command": revision.cause,
        **state_data(revision.change, show_secrets=False),
    }


def state_data(change: StateChange, *, show_secrets: bool) -> dict[str, Any]:
    """What leads from one state to another, for JSON."""
    return {
        "active": {"old": change.active[0], "new": change.active[1]} if change.active else None,
        "created": change.created,
        "dropped": change.dropped,
        "profiles": [changes_data(changes, show_secrets=show_secrets) for changes in change.profiles],
    }


def changes_data(changes: Changes, *, show_secrets: bool) -> dict[str, Any]:
    """What has changed in a profile, for JSON."""
    return {"profile": changes.profile, "properties": list(_properties_data(changes.properties, show_secrets))}


def _properties_data(properties: Iterable[PropertyChange], show_secrets: bool) -> Iterable[dict[str, str | None]]:
    for item in properties:
        old, new = (
            value if value is None or show_secrets else shown(item.name, value) for value in (item.old, item.new)
        )
        yield {"name": item.name, "old": old, "new": new}
