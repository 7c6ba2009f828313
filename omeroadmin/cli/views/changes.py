"""What a change to the properties has changed, and what is odd about it."""

from __future__ import annotations

from collections.abc import Mapping

from omeroadmin.cli.boundary import say
from omeroadmin.profiles.store import Changes
from omeroadmin.schema.catalog import MASK, is_secret
from omeroadmin.schema.validation import unknown_name


def change_lines(changes: Changes, values: Mapping[str, str]) -> list[str]:
    """What has changed, for configuration management; secrets masked.

    :param values: the new ones
    """
    set_ = (f"Changed: Set {name}:{MASK if is_secret(name) else values[name]}" for name in changes.set_)
    return [*set_, *(f"Changed: Removed {name}" for name in changes.removed)]


def warn_unknown(name: str) -> None:
    """A word on stderr about a name that is most likely a slip."""
    warning = unknown_name(name)
    if warning is not None:
        say(f"WARNING: {warning}")
