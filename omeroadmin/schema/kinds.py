"""The types of values that properties take, as data: checks, help, documentation and JSON Schema are made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "0", ""})


class Kind(StrEnum):
    """The kind of value that a property takes; its text is how messages name it."""

    TEXT = "text"
    BOOL = "true or false"
    INT = "a whole number"
    BYTES = "a number of bytes"
    DURATION = "a time"
    PORT = "a port number"
    PATH = "a path"
    HOST = "a host name"
    URL = "a URL"
    ENUM = "one of a few words"
    LIST = "a list"
    JSON = "JSON"
    CRON = "a cron expression"
    REGEX = "a regular expression"
    LDAP_FILTER = "an LDAP filter"
    TEMPLATE_PATH = "a template path"
    SECRET = "a secret"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True)
class ValueType:
    """What values of a property look like.

    :param kind: the rest refines it
    :param minimum: smallest number, or fewest seconds, bytes … in the property's unit
    :param maximum: the same, largest
    :param unit: of a number or time, e.g. ``ms``
    :param suffixes: letters that may follow a number of bytes, e.g. ``KMG``
    :param choices: the words of an enumeration, those that a list may hold, the schemes of a URL, or the only words
        (in any case) that a program reads right as true or false
    :param separator: between the items of a list
    :param items: what each item of a list is
    :param form: JSON Schema of a JSON value
    :param pattern: regular expression that the whole of a text matches
    :param words: what messages call it where the kind alone says too little, e.g. ``an e-mail address``
    :param optional: whether the empty text stands for no value
    :param none: whether the default ``None`` stands for no value, as the manual writes it for OMERO.web; set by hand it
        would be text of four letters there
    """

    kind: Kind
    minimum: int | None = None
    maximum: int | None = None
    unit: str = ""
    suffixes: str = ""
    choices: tuple[str, ...] = ()
    separator: str = ","
    items: ValueType | None = None
    form: Mapping[str, Any] | None = None
    pattern: str = ""
    words: str = ""
    optional: bool = False
    none: bool = False


TEXT = ValueType(Kind.TEXT)
BOOL = ValueType(Kind.BOOL)
WEB_BOOL = ValueType(Kind.BOOL, choices=("true", "false", "1", "0", "t", "f", "no", "off"))
"""OMERO.web takes ``true``, ``1`` and ``t`` for true and all else for false: ``yes`` and ``on`` would switch off."""
PORT = ValueType(Kind.PORT, minimum=1, maximum=65535)
PATH = ValueType(Kind.PATH)
HOST = ValueType(Kind.HOST)
URL = ValueType(Kind.URL)
CRON = ValueType(Kind.CRON)
REGEX = ValueType(Kind.REGEX)
LDAP_FILTER = ValueType(Kind.LDAP_FILTER)
SECRET = ValueType(Kind.SECRET)
JSON = ValueType(Kind.JSON)


def whole(minimum: int | None = None, maximum: int | None = None, unit: str = "") -> ValueType:
    """A whole number."""
    return ValueType(Kind.INT, minimum, maximum, unit)


def duration(unit: str, minimum: int | None = 0, maximum: int | None = None) -> ValueType:
    """A time as a whole number of ``ms``, ``seconds``, ``minutes`` …"""
    return ValueType(Kind.DURATION, minimum, maximum, unit)


def enum(*choices: str) -> ValueType:
    """One of a few words."""
    return ValueType(Kind.ENUM, choices=choices)


def json_of(form: Mapping[str, Any], words: str = "") -> ValueType:
    """JSON of a given form, made with ``schema/forms.py``; ``words`` say what that is."""
    return ValueType(Kind.JSON, form=form, words=words)


def text_like(pattern: str, words: str) -> ValueType:
    """Text that matches a regular expression as a whole; ``words`` say what that is."""
    return ValueType(Kind.TEXT, pattern=pattern, words=words)


def url_of(*schemes: str) -> ValueType:
    """A URL that begins with one of a few schemes, e.g. ``ldap``."""
    return ValueType(Kind.URL, choices=schemes)


def size(minimum: int | None = 0, maximum: int | None = None) -> ValueType:
    """A plain number of bytes, without a letter behind it."""
    return ValueType(Kind.BYTES, minimum, maximum, "bytes")


def list_of(items: ValueType, separator: str = ",") -> ValueType:
    """Items of a type, with a separator between them."""
    return ValueType(Kind.LIST, separator=separator, items=items)


def list_from(*choices: str) -> ValueType:
    """Some of a few words, with commas between them."""
    return ValueType(Kind.LIST, choices=choices)


def optional(value_type: ValueType) -> ValueType:
    """The same, where the empty text is fine as well."""
    return replace(value_type, optional=True)


def or_none(value_type: ValueType) -> ValueType:
    """The same, where the default is written ``None``."""
    return replace(value_type, none=True)


CLASS_NAME = text_like(r"([A-Za-z_]\w*\.)*[A-Za-z_$][\w$]*", "the name of a Java or Python class")
BEAN_NAME = text_like(r"\S+", "the name of a Spring bean")
