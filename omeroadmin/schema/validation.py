"""Whether a name and a value can be those of a property."""

from __future__ import annotations

import re

from omeroadmin.errors import usage_error
from omeroadmin.schema.catalog import KEY_PATTERN, find_setting, is_secret, nearest_names
from omeroadmin.schema.families import is_of_a_family
from omeroadmin.schema.setting import Setting

_UNSTORABLE = "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Pattern of the characters that XML 1.0 has no way to write; Python takes long to compile it."""
_LONGEST_SHOWN = 100
"""Characters of a wrong value that a message repeats."""


def check_name(name: str, value: str = "") -> None:
    """Whether a property can have this name.

    :param value: what was given beside it, for the hint where the name ends in ``=``
    :raises AdminError: ``property-name-invalid``
    """
    if KEY_PATTERN.fullmatch(name):
        return
    key, equals, rest = name.partition("=")
    hint = "names are made of letters, digits, and . _ -"
    if equals and KEY_PATTERN.fullmatch(key):
        hint = f"did you mean: omero config set {key} {_typed(key, rest or value)}"
        name = key + equals
    raise usage_error("property-name-invalid", f"{name!r} can't be the name of a property", hint)


def _typed(name: str, value: str) -> str:
    import shlex

    return shlex.quote(value) if value.isprintable() and value and not is_secret(name) else "VALUE"


def check_storable(name: str, value: str) -> None:
    """Whether config.xml can hold this value.

    :raises AdminError: ``value-unstorable``
    """
    if value.isascii() and value.isprintable():
        return
    found = re.search(_UNSTORABLE, value)
    if found:
        raise usage_error(
            "value-unstorable",
            f"the value of {name} has the character {found.group()!a} (number {found.start() + 1}), "
            "which XML can't hold",
            "remove it; text is UTF-8 without control characters",
        )


def check_value(name: str, value: str) -> None:
    """Whether a value is of the type that a declared property takes; its default and a ``${reference}`` always are.

    :raises AdminError: ``value-invalid``
    """
    setting = find_setting(name)
    if setting is None or (value == setting.default and not setting.has_no_default):
        return
    if setting.type.none and value.strip() == "None":
        raise usage_error(
            "value-invalid",
            f"{name} would be the text 'None', not no value",
            f"without a value it is unset: omero config set {name} (--force takes any value)",
        )
    from omeroadmin.schema.values.check import problem_with

    problem = problem_with(setting.type, value)
    if problem is None:
        return
    shown = "set to something" if setting.is_secret else _brief(value)
    raise usage_error("value-invalid", f"{name} is {shown}, but takes {problem}", _hint(setting, name))


def _hint(setting: Setting, name: str) -> str:
    import shlex

    from omeroadmin.schema.values.words import example

    given = "--file FILE" if setting.is_secret else shlex.quote(example(setting))
    return f"for example: omero config set {name} {given} (--force takes any value)"


def _brief(value: str) -> str:
    return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")


def is_unknown(name: str) -> bool:
    """Whether a name is OMERO's or Ice's and nobody has declared it."""
    return name.startswith(("omero.", "Ice.")) and find_setting(name) is None and not is_of_a_family(name)


def unknown_name(name: str) -> str | None:
    """A warning for a name of OMERO's or Ice's that nobody has declared: most likely a slip.

    :return: one line, with the nearest names; ``None`` for a name that is known or that OMERO doesn't own
    """
    if not is_unknown(name):
        return None
    near = nearest_names(name)
    question = f"; did you mean {' or '.join(near)}?" if near else ""
    others = ", though an app of OMERO.web may" if name.startswith("omero.web.") else ""
    return f"{name} is not a property that OMERO or this toolkit declares{others}{question}"
