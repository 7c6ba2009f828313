"""Values in messages, with secrets left out, and commands that can be copied."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from omeroadmin.profiles.lint.model import LintFacts
from omeroadmin.schema.catalog import MASK, find_setting, is_secret
from omeroadmin.schema.kinds import Kind

PUBLIC_SECRETS = frozenset({
    "omero", "secret", "pass", "password", "passwd", "changeit", "changeme", "change-me", "ome", "root", "admin",
    "postgres", "db_password", "root_password", "omero_root_password", "public", "guest", "12345", "123456",
})  # fmt: skip
"""Passwords that stand in manuals, or are guessed first."""
_LONGEST = 60
"""Characters of a value that a message repeats."""
_SHORTEST_SECRET = 6
"""Characters; shorter ones turn up in any text."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_USER_INFO = re.compile(r"://[^/@\s]+@")


def shown(name: str, value: str) -> str:
    """A value for a message: secrets and long structures left out."""
    setting = find_setting(name)
    if is_secret(name):
        return "set to something"
    if setting is not None and setting.kind is Kind.JSON:
        return "set to something"
    return repr(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…")


def set_command(facts: LintFacts, name: str, value: str) -> str:
    """What sets a property; a secret, and what a line can't hold, comes from a file."""
    if is_secret(name) or _CONTROL.search(value):
        return f"{facts.command} set {_word(name)} --file FILE"
    dashes = "-- " if value.startswith("-") else ""
    return f"{facts.command} set {dashes}{_word(name)} {shlex.quote(value)}"


def remove_command(facts: LintFacts, *names: str) -> str:
    """What removes properties, so that their defaults are in force."""
    return " && ".join(f"{facts.command} set {_word(name)}" for name in names)


def rename_command(facts: LintFacts, old: str, new: str) -> str:
    """What gives a value another name without showing it."""
    get, put = f"{facts.command} get {_word(old)}", f"{facts.command} set {_word(new)} --file -"
    return f"{get} | {put} && {remove_command(facts, old)}"


def scrub(text: str, secrets: Iterable[str]) -> str:
    """A message in which no secret is left, in whatever way it came into it."""
    text = _USER_INFO.sub(f"://{MASK}@", text)
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def hidden_values(facts: LintFacts) -> list[str]:
    """Secrets of a profile that messages must not hold, the longest first; what everybody knows is none."""
    found = {
        part
        for name, value in facts.explicit.items()
        if is_secret(name)
        for part in (value, value.strip(), facts.values.get(name, ""))
        if len(part) >= _SHORTEST_SECRET and part.lower() not in PUBLIC_SECRETS and part.strip("*")
    }
    return sorted(found, key=lambda value: (-len(value), value))


def _word(name: str) -> str:
    return shlex.quote(name)
