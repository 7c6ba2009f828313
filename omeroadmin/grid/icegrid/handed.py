"""What each kind of server is handed of the active profile.

Every server has the whole profile, and IceGrid restarts a server of which anything has changed. So in what the registry
gets, each kind of server has a copy of the profile to itself. On a running grid a copy takes over what concerns its
servers; the rest, which they don't read, waits for the next start of the grid.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from omeroadmin.grid.application import concerns, kind_of

if TYPE_CHECKING:
    from lxml.etree import _Element

Profiles = Mapping[str, Mapping[str, str]]
"""Properties by name, by kind of server."""

ACTIVE = "__ACTIVE__"
"""The property set that holds the active profile."""

_SERVERS = ("server", "icebox")
_INDEX = re.compile(r"-\$\{\w+\}$")


def profiles(roots: Iterable[_Element], before: Profiles) -> Profiles:
    """What each kind of server is to be handed.

    :param roots: the files of an application, in which nothing stands that no server reads
    :param before: what a running grid was handed; empty where none runs
    :return: empty where the application has no active profile
    """
    files = list(roots)
    present = {
        str(element.get("name", "")): str(element.get("value", ""))
        for root in files
        for properties in _sets(root)
        if properties.get("id") == ACTIVE
        for element in properties.iter("property")
    }
    if not present:
        return {}
    return {kind: _handed(kind, present, before.get(kind)) for kind in sorted(_kinds(files))}


def hand_over(roots: Iterable[_Element], given: Profiles) -> None:
    """Change the files of an application so that each kind of server has its own copy of the profile."""
    files = list(roots)
    names = _dependent(files)
    application = _application(files)
    for root in files:
        for server in root.iter(*_SERVERS):
            kind = _kind(server, application)
            if kind in given:
                _refer(server, names, kind)
        for properties in list(_sets(root)):
            if properties.get("id") in names:
                for kind in sorted(given, reverse=True):
                    properties.addnext(_copied(properties, names, kind, given[kind]))


def _handed(kind: str, present: Mapping[str, str], before: Mapping[str, str] | None) -> Mapping[str, str]:
    """Sorted, because IceGrid looks at the order."""
    fresh = dict(sorted(present.items()))
    if before is None:
        return fresh
    kept = {name: value for name, value in before.items() if not concerns(kind, name)}
    new = {name: value for name, value in fresh.items() if concerns(kind, name)}
    merged = dict(sorted({**kept, **new}.items()))
    # Who is restarted anyway gets everything.
    return merged if merged == dict(before) else fresh


def _application(roots: Iterable[_Element]) -> str:
    return next((str(one.get("name", "")) for root in roots for one in root.iter("application")), "")


def _kinds(roots: list[_Element]) -> set[str]:
    application = _application(roots)
    return {_kind(server, application) for root in roots for server in root.iter(*_SERVERS)}


def _kind(server: _Element, application: str) -> str:
    """``Blitz`` of the template's ``Blitz-${index}``."""
    identifier = str(server.get("id", "")).replace("${application}", application)
    return kind_of(_INDEX.sub("", identifier))


def _sets(root: _Element) -> Iterator[_Element]:
    return (properties for properties in root.iter("properties") if properties.get("id") is not None)


def _references(element: _Element) -> Iterator[_Element]:
    return (properties for properties in element.iter("properties") if properties.get("refid") is not None)


def _dependent(roots: list[_Element]) -> set[str]:
    """Names of the property sets that have the profile in them, itself included."""
    inside = {
        str(properties.get("id")): {str(reference.get("refid")) for reference in _references(properties)}
        for root in roots
        for properties in _sets(root)
    }
    found: set[str] = set()
    more = {ACTIVE}
    while more:
        found |= more
        more = {name for name, references in inside.items() if references & found} - found
    return found


def _refer(element: _Element, names: set[str], kind: str) -> None:
    for reference in _references(element):
        name = str(reference.get("refid"))
        if name in names:
            reference.set("refid", f"{name}.{kind}")


def _copied(properties: _Element, names: set[str], kind: str, given: Mapping[str, str]) -> _Element:
    own = copy.deepcopy(properties)
    own.tail = None
    own.set("id", f"{properties.get('id')}.{kind}")
    if properties.get("id") == ACTIVE:
        for child in list(own):
            own.remove(child)
        for name, value in given.items():
            own.append(own.makeelement("property", {"name": name, "value": value}))
    _refer(own, names, kind)
    return own
