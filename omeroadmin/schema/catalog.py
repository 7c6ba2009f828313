"""Looks up declared properties and finds the names nearest to a wrong one."""

from __future__ import annotations

import re
from functools import cache

from omeroadmin.schema.declared import (
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
    toolkit,
    web_pages,
    web_security,
    web_server,
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
    web_pages,
    web_security,
    web_server,
    toolkit,
)

KEY_PATTERN = re.compile(r"[A-Za-z0-9._-]+")
"""Characters of a property's name."""

MASK = "********"
"""What a listing shows of a secret."""

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


def nearest_names(name: str, count: int = 3) -> list[str]:
    """Declared names that look like a wrong one, best first."""
    import difflib

    return difflib.get_close_matches(name, settings(), n=count, cutoff=0.75)
