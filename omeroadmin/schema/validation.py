"""Whether a name and a value can be those of a property."""

from __future__ import annotations

import re

from omeroadmin.errors import usage_error
from omeroadmin.schema.catalog import KEY_PATTERN, find_setting, is_secret, nearest_names, settings
from omeroadmin.schema.kinds import Kind

TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "0", ""})

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
_UNSTORABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to write."""
_SERVICES = ("blitz", "indexer", "pixeldata", "repository")
_OPEN_FAMILIES = ("omero.glacier2.IceSSL.",)
"""Beginnings of names whose rest is not ours to know."""


def check_name(name: str) -> None:
    """Whether a property can have this name.

    :raises AdminError: ``property-name-invalid``
    """
    if KEY_PATTERN.fullmatch(name):
        return
    key, equals, value = name.partition("=")
    hint = "names are made of letters, digits, and . _ -"
    if equals and KEY_PATTERN.fullmatch(key):
        hint = f"did you mean: omero config set {key} {'VALUE' if is_secret(key) or not value else value}"
        name = key + equals
    raise usage_error("property-name-invalid", f"{name!r} can't be the name of a property", hint)


def check_storable(name: str, value: str) -> None:
    """Whether config.xml can hold this value.

    :raises AdminError: ``value-unstorable``
    """
    found = _UNSTORABLE.search(value)
    if found:
        raise usage_error(
            "value-unstorable",
            f"the value of {name} has the character {found.group()!a} (number {found.start() + 1}), "
            "which XML can't hold",
            "remove it; text is UTF-8 without control characters",
        )


def check_value(name: str, value: str) -> None:
    """Whether a value is of the kind that a declared property takes; one with a ``${reference}`` always is.

    :raises AdminError: ``value-invalid``
    """
    setting = find_setting(name)
    if setting is None or "${" in value or _fits(setting.kind, value.strip()):
        return
    shown = "its value" if is_secret(name) else repr(value)
    raise usage_error(
        "value-invalid",
        f"{name} takes {setting.kind.value}, and {shown} is none",
        f"the default is {setting.default!r}; --force sets it all the same",
    )


def _fits(kind: Kind, value: str) -> bool:
    match kind:
        case Kind.BOOL:
            return value.lower() in TRUE_WORDS | FALSE_WORDS
        case Kind.INT:
            return _WHOLE_NUMBER.fullmatch(value) is not None
        case Kind.PORT:
            return value.isascii() and value.isdigit() and 0 < int(value) < 65536
        case Kind.JSON:
            return _is_json(value)
        case _:
            return True


def _is_json(value: str) -> bool:
    import json

    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True


def unknown_name(name: str) -> str | None:
    """A warning for a name of OMERO's or Ice's that nobody has declared: most likely a slip.

    :return: one line, with the nearest names; ``None`` for a name that is known or that OMERO doesn't own
    """
    if name in settings() or not name.startswith(("omero.", "Ice.")) or name.startswith(_OPEN_FAMILIES):
        return None
    base, _, service = name.rpartition(".")
    if base in settings() and service in _SERVICES:
        return None
    near = nearest_names(name)
    question = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"{name} is not a property that OMERO or this toolkit declares{question}"
