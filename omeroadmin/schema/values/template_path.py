"""The grammar of ``omero.fs.repo.path``: what may stand where, without expanding anything."""

from __future__ import annotations

import re

TERM = re.compile(r"%([a-zA-Z]+)(?::([^%/]+))?%")
"""A term with its parameter."""
SHARED_TERMS = frozenset({
    "user", "userId", "group", "groupId", "perms", "institution",
    "year", "month", "monthname", "day", "session", "sessionId", "thread",
})  # fmt: skip
"""Terms that may stand anywhere."""
USER_TERMS = frozenset({"time", "hash", "increment", "subdirs"})
"""Terms that may stand only where the directories are the user's."""
COUNTING_TERMS = frozenset({"time", "increment", "subdirs"})
"""Terms that count on until a directory is free."""
HASH_DIGITS = 8
"""Length of a whole ``%hash%``."""
_LEFT_OVER = re.compile(r"%[^%/]*%")


def split_template(template: str) -> tuple[list[str], list[str]]:
    """Components before and after the last double slash: root's and the user's; without one, all are the user's."""
    left, _, right = template.strip().rpartition("//")
    return [part for part in left.split("/") if part], [part for part in right.split("/") if part]


def template_problem(template: str) -> tuple[str, str] | None:
    """The part of a template that no import could use, and what is wrong with it."""
    root_owned, user_owned = split_template(template)
    if not user_owned:
        return template, "leaves no directory to the user"
    for components, user_part in ((root_owned, False), (user_owned, True)):
        for component in components:
            problem = _component_problem(component, user_part=user_part)
            if problem:
                return problem
    return None


def _component_problem(component: str, *, user_part: bool) -> tuple[str, str] | None:
    names = [match.group(1) for match in TERM.finditer(component)]
    unknown = [name for name in names if name not in SHARED_TERMS | USER_TERMS]
    if unknown or _LEFT_OVER.search(TERM.sub("", component)):
        return component, f"has an unknown term {unknown[0] if unknown else component}"
    misplaced = [name for name in names if name in USER_TERMS and not user_part]
    if misplaced:
        return component, f"uses %{misplaced[0]}% before //, where directories are shared"
    if sum(name in COUNTING_TERMS for name in names) > 1:
        return component, "has more than one of %time%, %subdirs% and %increment% in a component"
    if component in (".", "..") or any(ord(character) < 32 or ord(character) == 127 for character in component):
        return component, "has a component that is no directory name"
    for match in TERM.finditer(component):
        if not _takes(match.group(1), match.group(2)):
            return match.group(), "has a parameter that its term doesn't take"
    return None


def _takes(name: str, parameter: str | None) -> bool:
    if parameter is None or name == "institution":
        return True
    if name == "hash":
        lengths = [part.strip() for part in parameter.split(",")]
        return all(_is_count(part) for part in lengths) and sum(map(int, lengths)) <= HASH_DIGITS
    return name in ("increment", "subdirs") and _is_count(parameter)


def _is_count(text: str) -> bool:
    return len(text) == 1 and text in "123456789"
