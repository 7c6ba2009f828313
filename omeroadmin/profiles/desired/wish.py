"""What a property shall be, as an admin has written it down, and how lists and maps become text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from omeroadmin.errors import AdminError, located, usage_error
from omeroadmin.profiles.entries import Entry, check_assignable, check_entry
from omeroadmin.schema.catalog import all_names, find_setting
from omeroadmin.schema.kinds import Kind
from omeroadmin.schema.setting import Setting
from omeroadmin.schema.values.check import split_list
from omeroadmin.schema.values.words import wording

DEEPEST = 50
"""Levels of lists and maps in a value."""


@dataclass(frozen=True)
class Wish:
    """One property as it shall be.

    :param value: ``None`` for a property that shall not be set
    :param origin: name of the file and number of the line, or of the variable
    """

    name: str
    value: str | None = field(repr=False)
    origin: str


@dataclass(frozen=True)
class Literal:
    """A number, ``true``, ``false`` or ``null``, as it is written."""

    text: str


Native = str | Literal | list["Native"] | dict[str, "Native"]
"""A value of YAML or JSON; numbers keep the digits that they are written with."""

NULL = Literal("null")


def wish_of(name: str, value: Native, origin: str) -> Wish:
    """The wish that a name and a value of YAML or JSON make; ``null`` is a property that shall not be set.

    :raises AdminError: ``value-invalid``, ``names-nested``
    """
    if value == NULL:
        return Wish(name, None, origin)
    match value:
        case Literal(text=text):
            return Wish(name, text, origin)
        case str():
            return Wish(name, value, origin)
    try:
        return Wish(name, _structured(name, value), origin)
    except AdminError as error:
        raise located(error, origin) from error


def _structured(name: str, value: Native) -> str:
    setting = find_setting(name)
    if setting is None:
        if isinstance(value, dict):
            _refuse_sections(name, value)
        return json_text(value)
    if setting.kind is Kind.JSON:
        return json_text(value)
    if setting.kind is Kind.LIST and isinstance(value, list):
        return _joined(setting, name, value)
    raise _misfit(setting, name, "a list" if isinstance(value, list) else "a map")


def _refuse_sections(name: str, value: dict[str, Native]) -> None:
    """Names are written in full, and not as maps within maps."""
    if any(other.startswith(f"{name}.") for other in all_names()):
        full, inner = name, value.copy()
        while inner and find_setting(full) is None:
            key, first = next(iter(inner.items()))
            full, inner = f"{full}.{key}", first if isinstance(first, dict) else {}
        raise usage_error("names-nested", f"{name!r} is a part of names", f"write them in full: {full!r}: ...")


def _misfit(setting: Setting, name: str, what: str) -> AdminError:
    return usage_error("value-invalid", f"{name} is {what}, but takes {wording(setting.type)}", "write it as one text")


def _joined(setting: Setting, name: str, items: Sequence[Native]) -> str:
    separator = setting.type.separator
    texts = [item.text if isinstance(item, Literal) else item for item in items if item != NULL]
    words = [text for text in texts if isinstance(text, str)]
    if len(words) < len(items):
        raise _misfit(setting, name, "a list of lists, maps or nulls")
    if any(len(split_list(setting.type, word)) != 1 for word in words):
        raise _misfit(setting, name, f"a list with an empty item or {separator!r} inside an item")
    return (separator or " ").join(words)


def json_text(value: Native) -> str:
    """JSON of a value.

    :raises AdminError: ``value-invalid``
    """
    return _json_text(value, DEEPEST)


def _json_text(value: Native, levels: int) -> str:
    if levels == 0:
        raise too_deep()
    match value:
        case Literal(text=text):
            return text
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(_json_text(item, levels - 1) for item in value)}]"
    members = (f"{json.dumps(key, ensure_ascii=False)}: {_json_text(item, levels - 1)}" for key, item in value.items())
    return f"{{{', '.join(members)}}}"


def too_deep() -> AdminError:
    """The error for a value that no property has."""
    return usage_error("value-invalid", f"a value has more than {DEEPEST} levels of lists and maps")


def check_wishes(wishes: Iterable[Wish], *, force: bool) -> dict[str, str | None]:
    """The properties wished for; of several wishes for one, the last counts.

    :param force: whether values of a wrong kind are taken
    :raises AdminError: as :func:`omeroadmin.profiles.entries.check_entry`, with the wish's origin
    """
    last = {wish.name: wish for wish in wishes}
    for wish in last.values():
        if wish.value is not None:
            check_entry(Entry(wish.name, wish.value, wish.origin), force=force)
            continue
        try:
            check_assignable(wish.name)
        except AdminError as error:
            raise located(error, wish.origin) from error
    return {wish.name: wish.value for wish in last.values()}
