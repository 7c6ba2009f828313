"""Looks up declared properties and finds the names nearest to a wrong one."""

from __future__ import annotations

import re
from functools import cache

from omeroadmin.schema.server import SERVER_SETTINGS
from omeroadmin.schema.setting import Setting
from omeroadmin.schema.toolkit import TOOLKIT_SETTINGS
from omeroadmin.schema.web import WEB_SETTINGS

KEY_PATTERN = re.compile(r"[A-Za-z0-9._-]+")
"""Characters of a property's name."""

MASK = "********"
"""What a listing shows of a secret."""

_SECRET_ENDINGS = ("pass", "password", "secret", "secret_key")


@cache
def settings() -> dict[str, Setting]:
    """All declared properties by name."""
    return {setting.name: setting for setting in (*SERVER_SETTINGS, *WEB_SETTINGS, *TOOLKIT_SETTINGS)}


def default_of(name: str) -> str | None:
    """Default of a declared property, unexpanded; ``None`` where it isn't declared."""
    setting = settings().get(name)
    return None if setting is None else setting.default


def is_secret(name: str) -> bool:
    """Whether a listing must hide the value of this property."""
    setting = settings().get(name)
    if setting is not None and setting.is_secret:
        return True
    return name.lower().endswith(_SECRET_ENDINGS)


def nearest_names(name: str, count: int = 3) -> list[str]:
    """Declared names that look like a wrong one, best first."""
    import difflib

    return difflib.get_close_matches(name, settings(), n=count, cutoff=0.75)
