"""``limits``: what processes of a user or group may have, in a file of its own below /etc/security/limits.d."""

from __future__ import annotations

from omeroadmin.provisioning.agent.change import Change, Facts, Undo, Wish, system_failure
from omeroadmin.provisioning.agent.operations import file_operation
from omeroadmin.provisioning.agent.owned_files import make_parent, owned_file

_TYPES = {"both": "-", "soft": "soft", "hard": "hard"}


def facts(wish: Wish) -> Facts:
    """Whether the file is as wished."""
    return file_operation.facts(_file(wish))


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Write it, or remove it."""
    return file_operation.plan(_file(wish), facts)


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change. Processes that run keep the limits that they have."""
    file = _file(wish)
    try:
        make_parent(file["path"])
    except OSError as error:
        raise system_failure("made", file["path"], error) from error
    return file_operation.apply(file, change)


def undo(record: Undo) -> str:
    """Take a change back."""
    return file_operation.undo(record)


def _file(wish: Wish) -> Wish:
    lines = [f"{wish['domain']} {_TYPES[wish['type']]} {item} {value}" for item, value in wish["values"].items()]
    return owned_file(wish, f"/etc/security/limits.d/{wish['name']}.conf", lines)
