"""Types of values as JSON Schema, for editors: never stricter than the check, and as strict where that can be said.

A value may be written as text, as the properties are, or as the number, list … that the text stands for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from omeroadmin.schema.kinds import FALSE_WORDS, TRUE_WORDS, Kind, ValueType
from omeroadmin.schema.values.addresses import SCHEME
from omeroadmin.schema.values.check import REFERENCE

Form = dict[str, Any]

_NAMED = frozenset({"properties", "patternProperties"})
_NESTED = frozenset({"items", "additionalItems", "additionalProperties", "anyOf", "allOf", "oneOf", "not"})
"""Keywords with forms in them, under names or bare."""
_BARE = {
    Kind.HOST: r"^\s*[A-Za-z0-9_.:%-]+\s*$",
    Kind.PATH: r"^(?!~)[^\u0000-\u001f\u007f]+$",
    Kind.CRON: r"^\s*(\S+\s+){5,6}\S+\s*$",
    Kind.LDAP_FILTER: r"^\s*\(.*\)\s*$",
    Kind.TEMPLATE_PATH: r"[^/\s]",
}


def json_schema(value_type: ValueType) -> Form:
    """What describes values of a type.

    :return: a schema of draft 2020-12
    """
    forms = _forms(value_type)
    if value_type.kind not in (Kind.TEXT, Kind.SECRET, Kind.REGEX, Kind.PATH) or value_type.pattern:
        forms.append(_text(REFERENCE))
    if value_type.optional:
        forms.append(_text(r"^\s*$"))
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _forms(value_type: ValueType) -> list[Form]:
    match value_type.kind:
        case Kind.BOOL:
            words = sorted((set(value_type.choices) or TRUE_WORDS | FALSE_WORDS) - {""})
            numbers = [int(word) for word in words if word.isdigit()]
            return [{"type": "boolean"}, _text(_whole(_any_case(words))), *([{"enum": numbers}] if numbers else [])]
        case Kind.INT | Kind.DURATION | Kind.PORT | Kind.BYTES:
            letters = f"[{value_type.suffixes.upper()}{value_type.suffixes.lower()}]?" if value_type.suffixes else ""
            return [_integer(value_type), _text(_whole(rf"[+-]?[0-9]+{letters}"))]
        case Kind.ENUM:
            numbers = [int(choice) for choice in value_type.choices if choice.isascii() and choice.isdigit()]
            return [{"enum": [*value_type.choices, *numbers]}]
        case Kind.JSON:
            form = _converted(value_type.form or {})
            return [form, {"type": "string", "contentMediaType": "application/json"}] if form else [{}]
        case Kind.URL:
            return [_text(rf"^\s*({_any_case(value_type.choices) if value_type.choices else SCHEME})://")]
        case Kind.LIST:
            return [_list(value_type)]
        case Kind.TEXT | Kind.SECRET | Kind.REGEX:
            return [_any_text(value_type)]
    return [_text(_BARE[value_type.kind])]


def _converted(form: Mapping[str, Any]) -> Form:
    """A form of draft 7, which declarations and checks speak, in draft 2020-12."""
    converted: Form = {}
    for keyword, value in form.items():
        name = {"additionalItems": "items"}.get(keyword, keyword)
        if keyword == "items" and isinstance(value, list):
            name = "prefixItems"
        if keyword in _NAMED:
            converted[name] = {key: _converted(inner) for key, inner in value.items()}
        elif keyword in _NESTED and isinstance(value, list):
            converted[name] = [_converted(inner) for inner in value]
        elif keyword in _NESTED and isinstance(value, Mapping):
            converted[name] = _converted(value)
        else:
            converted[name] = value
    return converted


def _text(pattern: str) -> Form:
    return {"type": "string", "pattern": pattern}


def _any_text(value_type: ValueType) -> Form:
    if value_type.pattern:
        return _text(f"^(?:{value_type.pattern})$")
    return {"type": "string" if value_type.kind is not Kind.TEXT else ["string", "number", "boolean"]}


def _integer(value_type: ValueType) -> Form:
    limits = {"minimum": value_type.minimum, "maximum": value_type.maximum}
    return {"type": "integer", **{name: limit for name, limit in limits.items() if limit is not None}}


def _list(value_type: ValueType) -> Form:
    if not value_type.choices:
        return _text(r"\S")
    item = f"({'|'.join(map(escaped, value_type.choices))})"
    separator = escaped(value_type.separator.strip())
    between = rf"\s*{separator}\s*" if separator else r"\s+"
    return _text(rf"^\s*{item}({between}{item})*\s*$")


def _whole(pattern: str) -> str:
    return rf"^\s*({pattern})\s*$"


def _any_case(words: tuple[str, ...] | list[str]) -> str:
    return "|".join("".join(_both(character) for character in word) for word in words)


def _both(character: str) -> str:
    return f"[{character.lower()}{character.upper()}]" if character.isalpha() else escaped(character)


def escaped(text: str) -> str:
    """A text as a pattern that every language of patterns reads alike."""
    return re.sub(r"[\\^$.|?*+()\[\]{}/]", r"\\\g<0>", text)
