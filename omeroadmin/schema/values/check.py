"""Whether a text is a value of a type, and if not, what would be."""

from __future__ import annotations

import re
from collections.abc import Callable

from omeroadmin.errors import printable
from omeroadmin.schema.kinds import FALSE_WORDS, TRUE_WORDS, Kind, ValueType
from omeroadmin.schema.values.words import wording

REFERENCE = r"\$\{[A-Za-z0-9._-]+\}"
"""Another property, or a variable of the environment, whose value is put in at its place."""
_REFERENCE = re.compile(REFERENCE)
_LONGEST_DETAIL = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def problem_with(value_type: ValueType, text: str) -> str | None:
    """What a value would have to be, where a text is none of the type.

    A text with a ``${reference}`` is always one, because the value isn't known until the server reads it.

    :return: words that follow ``X is …, but takes``, e.g. ``a port number from 1 to 65535``; ``None`` for a value
    """
    if value_type.optional and not text.strip():
        return None
    if _REFERENCE.search(text):
        return None
    detail = _DETAILS[value_type.kind](value_type, text)
    if detail is None:
        return None
    return f"{wording(value_type)}; {_one_line(detail)}" if detail else wording(value_type)


def _bool(value_type: ValueType, text: str) -> str | None:
    return None if text.strip().lower() in (value_type.choices or TRUE_WORDS | FALSE_WORDS) and text.strip() else ""


def _text(value_type: ValueType, text: str) -> str | None:
    return None if not value_type.pattern or re.fullmatch(value_type.pattern, text, re.DOTALL) else ""


def _path(_value_type: ValueType, text: str) -> str | None:
    if not text.strip():
        return ""
    found = _CONTROL.search(text)
    if found:
        return f"this has {found.group()!a} in it"
    return "OMERO doesn't know ~: write the directory out" if text.startswith("~") else None


def _enum(value_type: ValueType, text: str) -> str | None:
    if text in value_type.choices:
        return None
    same = [choice for choice in value_type.choices if choice.lower() == text.strip().lower()]
    return f"write {same[0]}" if same else ""


def _list(value_type: ValueType, text: str) -> str | None:
    items = split_list(value_type, text)
    if not items:
        return ""
    for number, item in enumerate(items, 1):
        if not item:
            return f"item {number} is empty"
        if value_type.choices and item not in value_type.choices:
            return f"{_brief(item)} is none of them"
        if value_type.items is not None and problem_with(value_type.items, item) is not None:
            return f"item {number}, {_brief(item)}, is none"
    return None


def split_list(value_type: ValueType, text: str) -> list[str]:
    """Items of a list without the white space around them."""
    if not text.strip():
        return []
    separator = value_type.separator.strip()
    return [item.strip() for item in text.split(separator)] if separator else text.split()


def _one_line(detail: str) -> str:
    """What parsers say may repeat any part of the value."""
    shown = detail if len(detail) <= _LONGEST_DETAIL else f"{detail[:_LONGEST_DETAIL]}…"
    return printable(shown)


def _brief(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def _host(_value_type: ValueType, text: str) -> str | None:
    from omeroadmin.schema.values.addresses import is_host

    return None if is_host(text) else ""


def _url(value_type: ValueType, text: str) -> str | None:
    from omeroadmin.schema.values.addresses import url_problem

    return url_problem(value_type, text)


def _json(value_type: ValueType, text: str) -> str | None:
    from omeroadmin.schema.values.json_text import json_problem

    return json_problem(value_type.form, text)


def _cron(_value_type: ValueType, text: str) -> str | None:
    from omeroadmin.schema.values.cron import cron_problem

    return cron_problem(text)


def _regex(_value_type: ValueType, text: str) -> str | None:
    from omeroadmin.schema.values.regex import regex_problem

    return regex_problem(text)


def _ldap_filter(_value_type: ValueType, text: str) -> str | None:
    from omeroadmin.schema.values.ldap_filter import ldap_filter_problem

    return ldap_filter_problem(text)


def _template_path(_value_type: ValueType, text: str) -> str | None:
    from omeroadmin.schema.values.template_path import template_problem

    problem = template_problem(text)
    return None if problem is None else f"{_brief(problem[0])} {problem[1]}"


def _number(value_type: ValueType, text: str) -> str | None:
    from omeroadmin.schema.values.numbers import is_size, is_whole_number

    fits = is_size if value_type.kind is Kind.BYTES else is_whole_number
    return None if fits(value_type, text) else ""


_DETAILS: dict[Kind, Callable[[ValueType, str], str | None]] = {
    Kind.TEXT: _text,
    Kind.SECRET: _text,
    Kind.BOOL: _bool,
    Kind.INT: _number,
    Kind.BYTES: _number,
    Kind.DURATION: _number,
    Kind.PORT: _number,
    Kind.PATH: _path,
    Kind.HOST: _host,
    Kind.URL: _url,
    Kind.ENUM: _enum,
    Kind.LIST: _list,
    Kind.JSON: _json,
    Kind.CRON: _cron,
    Kind.REGEX: _regex,
    Kind.LDAP_FILTER: _ldap_filter,
    Kind.TEMPLATE_PATH: _template_path,
}
"""What is wrong with a text of each kind, the empty text where the wording says it all, ``None`` where nothing is."""
