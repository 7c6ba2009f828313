"""``line``: a line of a text file, in place of another one or new, or no such line."""

from __future__ import annotations

from omeroadmin.provisioning.agent.change import Change, Facts, Undo, Wish
from omeroadmin.provisioning.agent.editing import with_line, without_line
from omeroadmin.provisioning.agent.operations import file_operation
from omeroadmin.provisioning.agent.text_files import edit_apply, edit_facts, edit_plan


def facts(wish: Wish) -> Facts:
    """Whether the file is there, and as wished."""
    return edit_facts(wish, _edited)


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Edit the file."""
    return edit_plan(wish, facts, _edited, "line")


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    return edit_apply(wish, change, _edited)


def undo(record: Undo) -> str:
    """Write the file as it was."""
    return file_operation.undo(record)


def _edited(wish: Wish, text: str) -> str:
    if wish["state"] == "absent":
        return without_line(text, wish["line"], wish["match"])
    return with_line(text, wish["line"], wish["match"], wish["after"], wish["before"])
