"""Values of an operation's fields: what a playbook or a template gives, as what the operation takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from omeroadmin.provisioning.operations.catalog import default_of
from omeroadmin.provisioning.operations.field import REQUIRED, Field, FieldType
from omeroadmin.schema.kinds import FALSE_WORDS, TRUE_WORDS

_NAME = re.compile(r"[A-Za-z0-9._+@:][A-Za-z0-9._+@:-]*")
_MODE = re.compile(r"0?[0-7]{3,4}")
_SIZE = re.compile(r"([0-9]{1,18})\s*(?:([KMGT])i?B?|B)?", re.IGNORECASE)
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_FACTORS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class ValueFault(Exception):  # noqa: N818 - not an error of its own: whoever knows the place makes one of it
    """A value doesn't fit.

    :param takes: what would
    """

    def __init__(self, takes: str) -> None:
        super().__init__(takes)
        self.takes = takes


def field_value(field: Field, value: Any) -> Any:
    """A field's value as the agent gets it.

    :param value: text, number, boolean, list or dict; ``None`` stands for the default
    :raises ValueFault: if it is none of the type, or ``None`` where a value is required
    """
    default = default_of(field)
    if value is None or (value == "" and field.type is not FieldType.TEXT):
        if default is REQUIRED:
            raise ValueFault(words_of(field))
        return default
    if field.type is FieldType.CHOICE:
        text = as_text(value)
        if text not in field.choices:
            raise ValueFault(words_of(field))
        return text
    converted = _CONVERSIONS[field.type](value)
    if default is REQUIRED and converted in ("", [], {}):
        raise ValueFault(f"{words_of(field)} that is not empty")
    return converted


def words_of(field: Field) -> str:
    """What a field takes, for messages and the reference."""
    if field.type is FieldType.CHOICE:
        return " or ".join(field.choices)
    return _WORDS[field.type]


def as_text(value: Any) -> str:
    """A single value as text: as it was written, with ``true`` and ``false``.

    :raises ValueFault: for a list or map
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueFault("a text")


def as_path(value: Any) -> str:
    """An absolute path that doesn't climb.

    :raises ValueFault: for anything else
    """
    text = as_text(value)
    if not text.startswith("/") or ".." in text.split("/") or not text.isprintable():
        raise ValueFault(_WORDS[FieldType.PATH])
    return text


def as_integer(value: Any) -> int:
    """A whole number.

    :raises ValueFault: for anything else
    """
    text = as_text(value).strip()
    if isinstance(value, bool) or not _WHOLE.fullmatch(text):
        raise ValueFault("a whole number")
    return int(text)


def as_number(value: Any) -> int | float:
    """A number.

    :raises ValueFault: for anything else
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value) if isinstance(value, int) else float(value)
    text = as_text(value).strip()
    if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text):
        raise ValueFault("a number")
    return float(text) if "." in text else int(text)


def as_boolean(value: Any) -> bool:
    """True or false.

    :raises ValueFault: for anything else
    """
    word = as_text(value).strip().lower()
    if word in TRUE_WORDS or (word and word in FALSE_WORDS):
        return word in TRUE_WORDS
    raise ValueFault("true or false")


def as_port(value: Any) -> int:
    """A port number.

    :raises ValueFault: for anything else
    """
    text = as_text(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < 1 << 16:
        raise ValueFault("a port number, 1 to 65535")
    return int(text)


def as_size(value: Any) -> int:
    """Bytes, from a number with or without K, M, G or T behind it.

    :raises ValueFault: for anything else
    """
    found = _SIZE.fullmatch(as_text(value).strip())
    if isinstance(value, bool) or found is None:
        raise ValueFault("a number of bytes, with or without K, M, G or T behind it")
    return int(found[1]) * _FACTORS[(found[2] or "").upper()]


def as_list(value: Any) -> list[Any]:
    """A list; one value alone stands for a list of it.

    :raises ValueFault: for a map
    """
    if isinstance(value, dict):
        raise ValueFault("a list")
    return list(value) if isinstance(value, (list, tuple)) else [value]


def as_map(value: Any) -> dict[str, Any]:
    """A map.

    :raises ValueFault: for anything else
    """
    if not isinstance(value, dict):
        raise ValueFault("a map")
    return {str(name): item for name, item in value.items()}


def _name(value: Any) -> str:
    text = as_text(value)
    if not _NAME.fullmatch(text):
        raise ValueFault(_WORDS[FieldType.NAME])
    return text


def _mode(value: Any) -> str:
    text = as_text(value)
    if isinstance(value, bool) or not _MODE.fullmatch(text):
        raise ValueFault(_WORDS[FieldType.MODE])
    return text


def _local_path(value: Any) -> str:
    text = as_text(value)
    if not text or not text.isprintable():
        raise ValueFault(_WORDS[FieldType.LOCAL_PATH])
    return text


def _text_or_json(value: Any) -> str:
    """A value of a map: lists and maps within it become JSON, as properties of OMERO.web are written."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else as_text(value)


def _each(convert: Callable[[Any], str]) -> Callable[[Any], list[str]]:
    return lambda value: [convert(item) for item in as_list(value)]


_CONVERSIONS: dict[FieldType, Callable[[Any], Any]] = {
    FieldType.TEXT: as_text,
    FieldType.PATH: as_path,
    FieldType.NAME: _name,
    FieldType.MODE: _mode,
    FieldType.INTEGER: as_integer,
    FieldType.NUMBER: as_number,
    FieldType.BOOLEAN: as_boolean,
    FieldType.PORT: as_port,
    FieldType.NAMES: _each(_name),
    FieldType.TEXTS: _each(as_text),
    FieldType.MAP: lambda value: {name: _text_or_json(item) for name, item in as_map(value).items()},
    FieldType.LOCAL_PATH: _local_path,
}
_WORDS = {
    FieldType.TEXT: "a text",
    FieldType.PATH: "an absolute path without ..",
    FieldType.NAME: "a name: letters, digits and ._+-@: without a hyphen in front",
    FieldType.MODE: "permission bits such as 0644",
    FieldType.INTEGER: "a whole number",
    FieldType.NUMBER: "a number",
    FieldType.BOOLEAN: "true or false",
    FieldType.PORT: "a port number",
    FieldType.NAMES: "a list of names",
    FieldType.TEXTS: "a list of texts",
    FieldType.MAP: "a map of names and texts",
    FieldType.LOCAL_PATH: "the path of a file",
}
