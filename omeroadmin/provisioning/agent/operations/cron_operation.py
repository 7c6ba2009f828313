"""``cron``: a command that cron runs, in a file of its own below /etc/cron.d."""

from __future__ import annotations

import re

from omeroadmin.provisioning.agent.change import Change, Facts, Undo, Wish
from omeroadmin.provisioning.agent.operations import file_operation
from omeroadmin.provisioning.agent.owned_files import owned_file


def facts(wish: Wish) -> Facts:
    """Whether the file is as wished."""
    return file_operation.facts(_file(wish))


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Write it, or remove it."""
    return file_operation.plan(_file(wish), facts)


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change. cron looks for changes each minute."""
    return file_operation.apply(_file(wish), change)


def undo(record: Undo) -> str:
    """Take a change back."""
    return file_operation.undo(record)


def _file(wish: Wish) -> Wish:
    lines = [f"{name}={_quoted(str(value))}" for name, value in sorted(wish["environment"].items())]
    # Cron takes a bare percent sign for the end of the line.
    command = re.sub(r"(?<!\\)%", r"\\%", wish["command"])
    lines.append(f"{' '.join(wish['schedule'].split())} {wish['user']} {command}")
    return owned_file(wish, f"/etc/cron.d/{wish['name']}", lines)


def _quoted(value: str) -> str:
    return f'"{value}"' if value != value.strip() or not value else value
