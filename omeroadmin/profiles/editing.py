"""A profile as a text for an editor, and the profile that an edited text stands for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import locked_error
from omeroadmin.profiles.changes import Changes, PropertyChange
from omeroadmin.profiles.desired.apply import plan_changes
from omeroadmin.profiles.desired.sources import property_wishes
from omeroadmin.profiles.desired.wish import Wish, check_wishes
from omeroadmin.profiles.properties import format_property
from omeroadmin.profiles.reader import Profile
from omeroadmin.profiles.store import WAIT, change_profile, read_profile
from omeroadmin.schema.catalog import find_setting

_WIDTH = 98
_HEAD = """\
# Properties of the profile {profile}, secrets included.
# Change lines, add some, or remove some, which unsets those properties; then save and leave the editor.
# A backslash is written \\\\, the end of a line within a value \\n. Comments are not kept.
"""


@dataclass(frozen=True)
class Edited:
    """What an edited text changes.

    :param profile: as it was when the text was made
    """

    profile: Profile
    changes: tuple[PropertyChange, ...]


def start_editing(config_xml: Path, wait: float = WAIT) -> Profile:
    """The profile to edit; what would keep it from being saved is said before anybody has worked on it.

    :param wait: seconds to queue for the lock
    :raises AdminError: as :func:`omeroadmin.profiles.writer.lock_out_writers`, ``config-unparsable``
    """
    from omeroadmin.profiles.writer import lock_out_writers

    with lock_out_writers(config_xml, wait=wait):
        return read_profile(config_xml)


def editable_text(profile: Profile) -> str:
    """All properties, sorted, each below what it is for."""
    head = _HEAD.format(profile=profile.name)
    return head + "".join(
        f"\n{_comment(name)}{format_property(name, profile.values[name])}\n" for name in sorted(profile.values)
    )


def _comment(name: str) -> str:
    return "".join(f"# {line}\n" for line in _description(name))


def _description(name: str) -> Iterator[str]:
    from omeroadmin.schema.values.words import wording

    setting = find_setting(name)
    if setting is None:
        return
    yield from textwrap.wrap(setting.description, _WIDTH)
    default = "" if setting.is_secret or not setting.default else f"; by default: {setting.default}"
    yield from textwrap.wrap(f"Takes {wording(setting.type)}{default}", _WIDTH)
    if setting.obsolete:
        yield from textwrap.wrap(f"It {setting.obsolete}", _WIDTH)


def read_edited(text: str, profile: Profile, name: str, *, force: bool) -> Edited:
    """What a text has become.

    :param profile: that the text was made of
    :param name: of the text, for messages
    :param force: whether values of a wrong kind are taken; one that was there before always is
    :raises AdminError: ``properties-invalid``, ``property-conflict``, or as
        :func:`omeroadmin.profiles.desired.wish.check_wishes`
    """
    wishes = property_wishes(text, name)
    check_wishes(_changed(wishes, profile.values), force=force)
    return Edited(profile, plan_changes(profile.values, {wish.name: wish.value for wish in wishes}, prune=True))


def _changed(wishes: Iterable[Wish], values: Mapping[str, str]) -> list[Wish]:
    return [wish for wish in wishes if values.get(wish.name) != wish.value]


def save_edited(config_xml: Path, edited: Edited, *, cause: str = "", wait: float = WAIT) -> Changes:
    """Make the changes, if the profile is still as it was when the text was made.

    :param cause: the command that asks for it, without values; for the history
    :param wait: seconds to queue for the lock
    :raises AdminError: ``config-changed``, or as :func:`omeroadmin.profiles.store.change_profile`
    """

    def decide(present: Mapping[str, str]) -> Mapping[str, str | None]:
        if dict(present) != edited.profile.values:
            raise locked_error(
                "config-changed", f"the profile {edited.profile.name} was changed while it was edited; nothing is saved"
            )
        return {change.name: change.new for change in edited.changes}

    return change_profile(config_xml, decide, edited.profile.name, cause=cause, wait=wait)
