"""What pip is asked for, read so far that it can be compared with what is installed."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from omeroadmin.provisioning.agent.versions import parse_specifiers, satisfies

_NAMED = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*\(?([^;@()]*)\)?\s*(;.*)?")
_SEPARATORS = re.compile(r"[-_.]+")


class Requirement(NamedTuple):
    """One requirement.

    :param text: as it was given
    :param name: normalised name; empty where the text doesn't tell
    :param specifiers: operators and versions
    :param plain: whether name and versions say all; else it counts as fulfilled only where we know that pip had it
    """

    text: str
    name: str
    specifiers: "list[tuple[str, str]]"
    plain: bool

    def is_met(self, versions: "dict[str, str]", recorded: "list[str]") -> bool:
        """Whether nothing is to be installed for it.

        :param versions: what is installed, by normalised name
        :param recorded: requirements that have been installed before
        """
        if not self.plain and self.text not in recorded:
            return False
        return not self.name or (self.name in versions and satisfies(versions[self.name], self.specifiers))


def normal_name(name: str) -> str:
    """The one form of a package's name."""
    return _SEPARATORS.sub("-", name).lower()


def parse_requirement(text: str) -> Requirement:
    """Read a requirement: ``omero-py>=5.19``, ``redis[hiredis]``, the path of a wheel, an address."""
    text = text.strip()
    if text.endswith(".whl"):
        parts = os.path.basename(text).split("-")
        if len(parts) >= 5:
            return Requirement(text, normal_name(parts[0]), [("==", parts[1])], plain=False)
    found = _NAMED.fullmatch(text)
    specifiers = parse_specifiers(found[3]) if found else None
    if found is None or specifiers is None:
        named = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\]\s*)?@", text)
        return Requirement(text, normal_name(named[1]) if named else "", [], plain=False)
    # What a marker says of this host, pip knows.
    name = "" if found[4] else normal_name(found[1])
    return Requirement(text, name, specifiers, plain=not (found[2] or found[4]))


def read_requirements(text: str) -> "list[str]":
    """Requirements of a requirements file, without its options, hashes and comments."""
    found = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        words = re.sub(r"(^|\s)#.*$", "", line).strip()
        words = re.sub(r"\s--\w[\w-]*[= ].*$", "", words).strip()
        if words and not words.startswith("-"):
            found.append(words)
    return found
