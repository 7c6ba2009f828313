"""Looks up declared properties and finds the names nearest to a wrong one."""

from __future__ import annotations

import re
from functools import cache

from omeroadmin.schema.declared import (
    binary_repository,
    certificates,
    client,
    database,
    grid,
    jvm,
    ldap,
    mail,
    network,
    performance,
    pixeldata,
    scripts,
    search,
    security,
    toolkit,
    unlisted,
    web_django,
    web_login,
    web_pages,
    web_panels,
    web_security,
    web_server,
    web_sessions,
)
from omeroadmin.schema.setting import Setting

_DECLARED = (
    binary_repository,
    client,
    database,
    grid,
    jvm,
    ldap,
    mail,
    network,
    performance,
    pixeldata,
    scripts,
    search,
    security,
    web_django,
    web_login,
    web_pages,
    web_panels,
    web_security,
    web_server,
    web_sessions,
    certificates,
    unlisted,
    toolkit,
)

KEY_PATTERN = re.compile(r"[A-Za-z0-9._-]+")
"""Characters of a property's name."""

MASK = "********"
"""What a listing shows of a secret."""

_LONGEST_NAME = 200
"""Characters of a name that is looked for among the declared."""
_ALIKE = 0.7
"""How alike names must be, from 0 to 1, to be taken for each other."""
_BEGINNING = 0.9
"""How alike a name and its beginning are."""
_SPREAD = 0.08
"""How much less alike than the best a name may be to be named with it."""
_SECRET_ENDINGS = ("pass", "password", "secret", "secret_key")


@cache
def settings() -> dict[str, Setting]:
    """All declared properties by name."""
    return {setting.name: setting for module in _DECLARED for setting in module.SETTINGS}


def find_setting(name: str) -> Setting | None:
    """The declaration behind a name; ``KEY.service`` is found under ``KEY`` where that can be set for the service."""
    found = settings().get(name)
    if found is not None:
        return found
    base, _, service = name.rpartition(".")
    general = settings().get(base)
    return general if general is not None and service in general.services else None


def default_of(name: str) -> str | None:
    """Default of a declared property, unexpanded; ``None`` where it isn't declared."""
    setting = settings().get(name)
    return None if setting is None else setting.default


def is_secret(name: str) -> bool:
    """Whether a listing must hide the value of this property."""
    setting = find_setting(name)
    if setting is not None:
        return setting.is_secret
    return name.lower().endswith(_SECRET_ENDINGS)


def all_names() -> list[str]:
    """Names of declared properties, and those that set one for a service alone."""
    declared = settings().values()
    alone = [f"{setting.name}.{service}" for setting in declared for service in setting.services]
    # One for a service alone may be declared as well, where its default is another.
    return list(dict.fromkeys([*settings(), *alone]))


def nearest_names(name: str, count: int = 3) -> list[str]:
    """Declared names that look like a wrong one, best first: in other case, other order, or misspelt."""
    if len(name) > _LONGEST_NAME:
        return []
    import difflib

    wanted = _key(name)
    parts = sorted(re.split(r"[._-]", wanted))
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    found: list[tuple[float, str]] = []
    for other in all_names():
        key = _key(other)
        matcher.set_seq1(key)
        if sorted(re.split(r"[._-]", key)) == parts:
            found.append((1.0, other))
        elif key.startswith(f"{wanted}."):
            found.append((_BEGINNING, other))
        elif matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE:
            found.append((matcher.ratio(), other))
    best = max(found, default=(0.0, ""))[0]
    near = [(ratio, other) for ratio, other in found if ratio >= max(_ALIKE, best - _SPREAD)]
    return [other for _, other in sorted(near, key=lambda pair: (-pair[0], pair[1]))[:count]]


def _key(name: str) -> str:
    """What tells names apart: all of OMERO's begin in the same way."""
    return name.lower().removeprefix("omero.")
