"""Values that aren't what their properties take, whatever the other properties say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omeroadmin.profiles.lint.model import Fault, LintFacts, Rule, Severity
from omeroadmin.profiles.lint.wording import remove_command, set_command, shown
from omeroadmin.schema.catalog import default_of, find_setting, is_secret
from omeroadmin.schema.kinds import Kind
from omeroadmin.schema.setting import Setting

REFERENCE = re.compile(r"\$\{([A-Za-z0-9._-]+)\}")
_MASK = re.compile(r"\s*\*{3,}\s*")
_SPACE_IS_MEANT = frozenset({"omero.web.admins.email_subject_prefix"})
_FREE = (Kind.JSON, Kind.LIST)
"""Kinds whose readers don't mind white space."""
_OF_JAVA = ("java.", "os.", "user.", "file.", "line.", "path.")
"""How names begin that every Java process knows."""
_OF_OMERO = frozenset({"OMERODIR", "omero.dollar", "omero.name", "omero.version"})


def wrong_values(facts: LintFacts) -> Iterator[Fault]:
    """A value that ``omero config set`` would refuse."""
    from omeroadmin.schema.values.words import example

    for name, raw in facts.explicit.items():
        setting = find_setting(name)
        problem = None if setting is None or is_masked(name, raw) else _problem(facts, setting, name, raw)
        if setting is None or problem is None:
            continue
        value = "" if setting.is_secret else example(setting)
        command = remove_command(facts, name) if value == setting.default else set_command(facts, name, value)
        yield Fault((name,), f"{name} is {shown(name, raw)}, but takes {problem}", command)


def _problem(facts: LintFacts, setting: Setting, name: str, raw: str) -> str | None:
    from omeroadmin.schema.values.check import problem_with
    from omeroadmin.schema.values.words import wording

    if setting.default == raw:
        return None
    expanded = facts.values.get(name, raw)
    problem = problem_with(setting.type, raw if REFERENCE.search(expanded) else expanded)
    # Details repeat parts of the value, and references may have put a secret into it.
    return problem if problem is None or expanded == raw else wording(setting.type)


def is_wrong(facts: LintFacts, name: str) -> bool:
    """Whether a property that the profile sets has a value that it doesn't take."""
    setting = find_setting(name)
    raw = facts.explicit.get(name)
    return raw is not None and setting is not None and _problem(facts, setting, name, raw) is not None


def masked_values(facts: LintFacts) -> Iterator[Fault]:
    """A secret that is ``********``, as listings show it."""
    for name, value in facts.explicit.items():
        if is_masked(name, value):
            problem = f"{name} holds asterisks, as listings show in the place of a secret"
            yield Fault((name,), problem, set_command(facts, name, ""))


def is_masked(name: str, value: str) -> bool:
    """Whether a secret's value is the mask of a listing."""
    return is_secret(name) and _MASK.fullmatch(value) is not None


def outer_space(facts: LintFacts) -> Iterator[Fault]:
    """A value that begins or ends with white space."""
    for name, value in facts.explicit.items():
        setting = find_setting(name)
        if value == value.strip() or name in _SPACE_IS_MEANT or (setting is not None and setting.kind in _FREE):
            continue
        if not value.strip():
            yield Fault((name,), f"{name} is nothing but white space", remove_command(facts, name))
            continue
        where = [word for word, cut in (("begins", value.lstrip()), ("ends", value.rstrip())) if cut != value]
        problem = f"the value of {name} {' and '.join(where)} with white space"
        yield Fault((name,), problem, set_command(facts, name, value.strip()))


def circular_references(facts: LintFacts) -> Iterator[Fault]:
    """Properties whose ``${references}`` lead back to themselves."""
    known: set[str] = set()
    for name in facts.explicit:
        circle = _circle(facts, name)
        if not circle or known.intersection(circle):
            continue
        known.update(circle)
        names = tuple(other for other in circle if other in facts.explicit)
        problem = f"properties refer to each other in a circle: {' -> '.join((*circle, circle[0]))}"
        yield Fault(names, problem, remove_command(facts, names[0]))


def _circle(facts: LintFacts, start: str) -> tuple[str, ...]:
    """The circle that a property is part of, itself first; empty where it is in none."""
    came_from = {start: ""}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        for other in REFERENCE.findall(_raw(facts, name)):
            if other == start:
                way = [name]
                while came_from[way[-1]]:
                    way.append(came_from[way[-1]])
                return tuple(reversed(way))
            if other not in came_from:
                came_from[other] = name
                waiting.append(other)
    return ()


def _raw(facts: LintFacts, name: str) -> str:
    value = facts.explicit.get(name)
    return (default_of(name) or "") if value is None else value


def dangling_references(facts: LintFacts) -> Iterator[Fault]:
    """A ``${reference}`` to what is neither declared nor set."""
    for name, value in facts.explicit.items():
        lost = [other for other in dict.fromkeys(REFERENCE.findall(value)) if not _is_known(facts, other)]
        if lost:
            words = " and ".join(f"${{{other}}}" for other in lost)
            yield Fault((name,), f"{name} refers to {words}, which nobody sets", _set_first(facts, lost[0]))


def _is_known(facts: LintFacts, name: str) -> bool:
    return (
        name in facts.explicit
        or default_of(name) is not None
        or name in facts.variables
        or name in _OF_OMERO
        or name.startswith(_OF_JAVA)
    )


def _set_first(facts: LintFacts, name: str) -> str:
    return f"{facts.command} set {name} VALUE"


RULES: tuple[Rule, ...] = (
    Rule(
        "value-wrong",
        Severity.ERROR,
        "The server refuses to start, or reads something else than was meant.",
        wrong_values,
    ),
    Rule(
        "secret-masked",
        Severity.ERROR,
        "The true secret is lost, and whoever needs it is refused.",
        masked_values,
    ),
    Rule(
        "value-space",
        Severity.WARNING,
        "It is taken as part of the value: a name isn't found, a password is refused.",
        outer_space,
    ),
    Rule(
        "reference-circular",
        Severity.ERROR,
        "None of them has a value, and the server doesn't start.",
        circular_references,
    ),
    Rule(
        "reference-dangling",
        Severity.WARNING,
        "The text of the reference is taken for the value.",
        dangling_references,
    ),
)
