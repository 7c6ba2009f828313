"""Names that nobody reads, or that others have taken the place of."""

from __future__ import annotations

from collections.abc import Iterator

from omeroadmin.profiles.lint.model import Fault, LintFacts, Rule, Severity
from omeroadmin.profiles.lint.wording import remove_command, rename_command, set_command
from omeroadmin.schema.catalog import KEY_PATTERN, find_setting, nearest_names, settings
from omeroadmin.schema.families import is_of_a_family

_OWNED = ("omero.", "Ice.")
_SURE = 0.85
"""How alike a name of nobody's must be to one of OMERO's to be taken for a slip."""
_MOST = 200
"""Names whose nearest are looked for, which takes a while for each."""
_READ_ONLY = "omero.cluster.read_only"


def invalid_names(facts: LintFacts) -> Iterator[Fault]:
    """A name with characters that names don't have."""
    for name in facts.explicit:
        if not KEY_PATTERN.fullmatch(name):
            problem = f"{name!r} can't be the name of a property: names are made of letters, digits, and . _ -"
            yield Fault((name,), problem, remove_command(facts, name))


def unknown_names(facts: LintFacts) -> Iterator[Fault]:
    """A name that isn't declared, with the nearest ones."""
    unknown = [
        name
        for name in facts.explicit
        if KEY_PATTERN.fullmatch(name)
        and find_setting(name) is None
        and not is_of_a_family(name)
        and unknown_service(name) is None
    ]
    for number, name in enumerate(unknown):
        near = sorted(nearest_names(name), key=lambda other: _parent(other) != _parent(name)) if number < _MOST else []
        if not name.startswith(_OWNED) and not (near and _is_slip(name, near[0])):
            continue
        question = f"; the nearest are {', '.join(near)}" if near else ""
        command = remove_command(facts, name)
        if near and near[0] not in facts.explicit:
            command = rename_command(facts, name, near[0])
        yield Fault((name,), f"{name} is not a property that OMERO or this toolkit declares{question}", command)


def _parent(name: str) -> str:
    return name.rpartition(".")[0]


def _is_slip(name: str, other: str) -> bool:
    import difflib

    return difflib.SequenceMatcher(None, name.lower(), other.lower(), autojunk=False).ratio() >= _SURE


def unknown_services(facts: LintFacts) -> Iterator[Fault]:
    """``KEY.service`` with a service that doesn't exist, or a property that can't be set for one alone."""
    for name in facts.explicit:
        found = unknown_service(name)
        if found is None:
            continue
        base, services = found
        if not services:
            problem = f"{name} sets nothing: {base} can't be set for one service alone"
            command = remove_command(facts, name)
            if base not in facts.explicit:
                command = rename_command(facts, name, base)
            yield Fault((name,), problem, command)
            continue
        service = name.rpartition(".")[2]
        others = [other for other in services if f"{base}.{other}" not in facts.explicit]
        near = _nearest(service, others)
        command = rename_command(facts, name, f"{base}.{near}") if near else remove_command(facts, name)
        yield Fault((name,), f"{name} sets nothing: there is no service {service}, but {', '.join(services)}", command)


def unknown_service(name: str) -> tuple[str, tuple[str, ...]] | None:
    """The property before a name's last dot, and its services, where none of them has that ending."""
    base, _, _ = name.rpartition(".")
    general = settings().get(base)
    if general is None or find_setting(name) is not None or is_of_a_family(name):
        return None
    return base, general.services


def _nearest(word: str, words: list[str]) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.6)), "")


def obsolete_names(facts: LintFacts) -> Iterator[Fault]:
    """A property that the server no longer reads."""
    for name in facts.explicit:
        setting = find_setting(name)
        if setting is not None and setting.obsolete:
            yield Fault((name,), f"{name} {setting.obsolete}", remove_command(facts, name))


def read_only_flag(facts: LintFacts) -> Iterator[Fault]:
    """``omero.cluster.read_only``, which two flags have taken the place of."""
    if _READ_ONLY not in facts.explicit:
        return
    parts = [f"{_READ_ONLY}.{part}" for part in ("db", "repo")]
    value = "true" if facts.flag(_READ_ONLY) else "false"
    wanted = [set_command(facts, part, value) for part in parts if part not in facts.explicit]
    problem = f"{_READ_ONLY} is set; {parts[0]} and {parts[1]} say which of the two is meant"
    yield Fault((_READ_ONLY,), problem, " && ".join([*wanted, remove_command(facts, _READ_ONLY)]))


RULES: tuple[Rule, ...] = (
    Rule("name-invalid", Severity.ERROR, "OMERO's own tools stop at such a name.", invalid_names),
    Rule(
        "key-unknown",
        Severity.WARNING,
        "Nobody reads it, so what was meant to be set has its default.",
        unknown_names,
    ),
    Rule(
        "service-unknown",
        Severity.WARNING,
        "Nobody reads it, so the service has the general value.",
        unknown_services,
    ),
    Rule(
        "property-obsolete",
        Severity.ADVICE,
        "It only makes the next reader believe that something is configured.",
        obsolete_names,
    ),
    Rule(
        "read-only-deprecated",
        Severity.ADVICE,
        "The general flag is deprecated: a later server may heed only the two.",
        read_only_flag,
    ),
)
