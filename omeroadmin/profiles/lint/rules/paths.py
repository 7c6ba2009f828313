"""Directories and files that aren't there, or not as they are needed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from omeroadmin.profiles.lint.model import Fault, LintFacts, PlaceFacts, Rule, Severity
from omeroadmin.profiles.lint.places import Place, places
from omeroadmin.profiles.lint.wording import set_command

_CERTIFICATES = ("omero.glacier2.IceSSL.", "omero.certificates.")


def missing_places(facts: LintFacts) -> Iterator[Fault]:
    """A directory or file that a property names and that doesn't exist: data, repository, certificates, key stores."""
    return _missing(facts, is_of_web=False)


def missing_web_places(facts: LintFacts) -> Iterator[Fault]:
    """A directory of OMERO.web that doesn't exist: static files, logs, templates."""
    return _missing(facts, is_of_web=True)


def _missing(facts: LintFacts, *, is_of_web: bool) -> Iterator[Fault]:
    gone = [
        place
        for place in places(facts)
        if facts.places.get(place.path, PlaceFacts(None)).exists is False and not place.may_be_made
    ]
    for place in gone:
        # Where a directory is missing, all below it is: that is said once.
        if place.is_of_web is is_of_web and not any(other.path in place.path.parents for other in gone):
            problem = f"{place.name} is {place.path}, which doesn't exist"
            yield Fault((place.name,), problem, _make(facts, place))


def _make(facts: LintFacts, place: Place) -> str:
    if place.name.startswith(_CERTIFICATES):
        return "omero certificates"
    if place.is_directory is False or not place.is_written:
        return set_command(facts, place.name, '["/path/to/it"]' if place.name.endswith("_dirs") else "/path/to/it")
    return f"mkdir -p -- {shlex.quote(str(place.path))}"


def unusable_places(facts: LintFacts) -> Iterator[Fault]:
    """A path whose owner may not read or write it, or that is a file in the place of a directory."""
    for place in places(facts):
        found = facts.places.get(place.path)
        if found is None or not found.exists:
            continue
        named = f"{place.name} is {place.path}, which"
        if place.is_directory is not None and found.is_directory is not place.is_directory:
            problem = f"{named} is {'no' if place.is_directory else 'a'} directory"
            yield Fault((place.name,), problem, set_command(facts, place.name, "/path/to/it"))
        elif found.readable is False:
            yield Fault((place.name,), f"{named} {facts.user} may not read", _open(facts, place, found))
        elif place.is_written and found.writable is False:
            yield Fault((place.name,), f"{named} {facts.user} may not write to", _open(facts, place, found))


def _open(facts: LintFacts, place: Place, found: PlaceFacts) -> str:
    path = shlex.quote(str(place.path))
    if found.is_own:
        return f"chmod u+rwX {path}"
    return f"sudo chown {shlex.quote(facts.user)} {path}"


RULES: tuple[Rule, ...] = (
    Rule(
        "path-missing",
        Severity.ERROR,
        "The server doesn't start without it; a disk may not be mounted.",
        missing_places,
    ),
    Rule(
        "path-unusable",
        Severity.ERROR,
        "The server fails as soon as it needs it.",
        unusable_places,
    ),
    Rule(
        "web-path-missing",
        Severity.WARNING,
        "OMERO.web doesn't start, or shows pages without their style.",
        missing_web_places,
    ),
)
