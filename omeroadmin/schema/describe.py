"""Properties described for people, and found by words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from omeroadmin.errors import AdminError, usage_error
from omeroadmin.schema.catalog import MASK, find_setting, is_secret, nearest_names, settings
from omeroadmin.schema.kinds import Kind
from omeroadmin.schema.setting import Setting
from omeroadmin.schema.values.words import example, wording

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")
_IN_NAME, _IN_SECTION, _IN_TEXT = 4, 2, 1
"""What a word counts where it is found."""


@dataclass(frozen=True)
class Description:
    """A property with its value in one profile.

    :param takes: what values look like, in words
    :param default: value while it is unset, unexpanded; of a secret as well, since all the world knows it
    :param value: the value set in the profile, ``None`` while it is unset; masked if it is secret
    :param in_force: what is set, else the default, with ``${references}`` expanded; masked if it is secret
    :param services: names that set it for one service alone
    """

    name: str
    section: str
    kind: str
    takes: str
    default: str
    value: str | None
    in_force: str
    description: str
    affects: tuple[str, ...]
    services: tuple[str, ...]
    obsolete: str
    example: str


def describe(names: Sequence[str], values: Mapping[str, str]) -> tuple[Description, ...]:
    """Describe properties.

    :param names: of declared properties; ``KEY.service`` is fine
    :param values: what the profile sets
    :raises AdminError: ``property-unknown``
    """
    return tuple(_description(name, _declared(name), values) for name in names)


def _declared(name: str) -> Setting:
    setting = find_setting(name)
    if setting is None:
        near = nearest_names(name)
        hint = f"did you mean: omero config describe {near[0]}" if near else "omero config search WORD finds names"
        others = f" (or {' or '.join(near[1:])})" if len(near) > 1 else ""
        raise usage_error("property-unknown", f"{name} is not a property that is declared", hint + others)
    return setting


def _description(name: str, setting: Setting, values: Mapping[str, str]) -> Description:
    # For one service alone, the value of all services is what it has by default.
    general = values.get(setting.name, setting.default)
    in_force = _expanded(values.get(name, general), values)
    value = values.get(name)
    return Description(
        name,
        setting.section,
        setting.kind.name.lower(),
        wording(setting.type),
        setting.default,
        None if value is None else _masked(setting, value),
        _masked(setting, in_force),
        setting.description,
        setting.affects,
        tuple(f"{setting.name}.{service}" for service in setting.services) if name == setting.name else (),
        setting.obsolete,
        "VALUE" if setting.kind is Kind.SECRET else example(setting),
    )


def _masked(setting: Setting, text: str) -> str:
    return MASK if text and setting.is_secret else text


def _expanded(text: str, values: Mapping[str, str]) -> str:
    from omeroadmin.schema.settings import Settings

    # A reference to a secret shows no more than the secret itself does.
    shown = {name: MASK if value and is_secret(name) else value for name, value in values.items()}
    try:
        return Settings({**shown, "": text}).text("")
    except AdminError:
        # References that go in a circle have no value; describing them is still of use.
        return text


def search_settings(words: Sequence[str]) -> list[Setting]:
    """Declared properties in whose name, section or description all words are, those with most in the name first."""
    wanted = [word.lower() for word in words]
    ranked = [(_rank(setting, wanted), setting) for setting in settings().values()]
    return [setting for rank, setting in sorted(ranked, key=lambda pair: (-pair[0], pair[1].name)) if rank]


def _rank(setting: Setting, words: Sequence[str]) -> int:
    name, section, text = setting.name.lower(), setting.section.lower(), setting.description.lower()
    parts = re.split(r"[._]", name)
    total = 0
    for word in words:
        rank = (word in name) * _IN_NAME + (word in section) * _IN_SECTION + (word in text) * _IN_TEXT
        if not rank:
            return 0
        total += rank + (word in parts) * _IN_NAME
    return total


def first_sentence(description: str) -> str:
    """The first sentence of a description."""
    return _SENTENCE_END.split(description, maxsplit=1)[0]
