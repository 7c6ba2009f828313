"""Declared properties: described for people, found by words, listed as OMERO's own tool does."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from omeroadmin.schema.catalog import find_setting, is_secret
from omeroadmin.schema.describe import Description, first_sentence
from omeroadmin.schema.documented import Documented, by_section
from omeroadmin.schema.setting import Setting

_WIDTH = 88
_LONGEST_SENTENCE = 90
SEARCH_COLUMNS = ("name", "set", "description")
_INTRODUCTION = """\
Configuration properties
========================

A property is set with ``omero config set NAME VALUE`` and goes back to its default with ``omero config set NAME``.
A new value counts from the next start of the server on.
"""


def description_lines(descriptions: Sequence[Description]) -> list[str]:
    """Properties one below the other, an empty line between them."""
    lines: list[str] = []
    for description in descriptions:
        lines += [*([""] if lines else []), *_block(description)]
    return lines


def _block(one: Description) -> list[str]:
    value = f"{_shown(one.in_force)} ({'the default' if one.value is None else 'set'})"
    if one.value is not None and one.value != one.in_force:
        value = f"{_shown(one.value)} (set; that is {_shown(one.in_force)})"
    rows = [
        ("section", one.section),
        ("takes", one.takes),
        ("default", _shown(one.default)),
        ("value", value),
        ("affects", ", ".join(one.affects)),
        ("services", ", ".join((*one.services[:1], *(f".{name.rpartition('.')[2]}" for name in one.services[1:])))),
        ("obsolete", one.obsolete),
        ("example", f"omero config set {one.name} {_quoted(one.example)}" if _is_of_use(one) else ""),
    ]
    lines = [one.name, *textwrap.wrap(one.description, _WIDTH, initial_indent="  ", subsequent_indent="  "), ""]
    return [*lines, *(f"  {label:<10}{text}" for label, text in rows if text)]


def _is_of_use(one: Description) -> bool:
    return not one.obsolete and one.example != one.default


def _shown(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n") if "\n" in text else text or "(empty)"


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)


def search_rows(found: Sequence[Setting], values: Mapping[str, str], *, short: bool) -> list[tuple[Any, ...]]:
    """Rows of the columns :data:`SEARCH_COLUMNS`.

    :param short: cut long texts, for a table
    """
    rows: list[tuple[Any, ...]] = []
    for setting in found:
        is_set, sentence = setting.name in values, first_sentence(setting.description)
        if short:
            rows.append((setting.name, "yes" if is_set else "", textwrap.shorten(sentence, _LONGEST_SENTENCE)))
        else:
            rows.append((setting.name, is_set, sentence))
    return rows


def default_lines(properties: Sequence[Documented]) -> list[str]:
    """``name=default``, sorted."""
    return sorted(f"{one.name}={_shown(one.default) if one.default else ''}" for one in properties)


def key_lines(properties: Sequence[Documented]) -> list[str]:
    """OMERO's names without their beginning, under the word that they share, which is counted."""
    groups: dict[str, list[str]] = {}
    for one in properties:
        first, *rest = one.name.split(".")
        if first != "Ice":
            group, names = (rest[0], rest[1:]) if first == "omero" and rest else (first, rest)
            groups.setdefault(group, []).append(".".join(names))
    return [
        line
        for group, names in sorted(groups.items())
        for line in (f"{group} ({len(names)})", *(f"\t {name}" for name in names))
    ]


def header_lines(properties: Sequence[Documented]) -> list[str]:
    """Headings with the number of properties below each."""
    return [f"{section} ({len(members)})" for section, members in by_section(properties).items()]


def rst_lines(properties: Sequence[Documented]) -> list[str]:
    """A page in reStructuredText; what is for developers alone is left out."""
    lines = _INTRODUCTION.splitlines()
    for section, members in by_section([one for one in properties if not one.is_for_developers]).items():
        anchor = section.lower().replace(" ", "_")
        lines += ["", f".. _{anchor}_configuration:", "", section, "-" * len(section)]
        for one in members:
            lines += ["", f".. _{one.name}:", "", one.name, "^" * len(one.name), "", *_rst_text(one)]
    return lines


def _rst_text(one: Documented) -> list[str]:
    text = one.description.splitlines()
    if "`" in one.default or one.default != one.default.strip():
        return [*text, *([""] if text else []), "Default::", "", f"    {_shown(one.default)}"]
    return [
        *text,
        *([""] if text else []),
        f"Default: ``{_shown(one.default)}``" if one.default else "Default: [empty]",
    ]


def documented_items(properties: Sequence[Documented]) -> list[dict[str, Any]]:
    """Everything that is known of each property, for JSON."""
    return [_item(one, find_setting(one.name)) for one in sorted(properties, key=lambda one: one.name)]


def _item(one: Documented, setting: Setting | None) -> dict[str, Any]:
    from omeroadmin.schema.values.words import wording

    return {
        "name": one.name,
        "section": one.section,
        "default": one.default,
        "description": one.description,
        "kind": None if setting is None else setting.kind.name.lower(),
        "takes": None if setting is None else wording(setting.type),
        "secret": is_secret(one.name),
        "affects": () if setting is None else setting.affects,
        "services": () if setting is None else setting.services,
        "obsolete": "" if setting is None else setting.obsolete,
        "example": "" if setting is None else setting.example,
    }
