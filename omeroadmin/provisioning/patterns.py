"""Patterns that select hosts: ``web,db1``, ``site,!web2``, ``web,&new``, ``web*``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from omeroadmin.errors import usage_error
from omeroadmin.schema.shapes import nearest

ALL = "all"
"""The group of all hosts."""
_SIGNS = ("!", "&")
_HINT = "names of hosts and groups with commas between them: web,!web2 (not this one), web,&new (only those in both)"


@dataclass(frozen=True)
class Term:
    """A part of a pattern.

    :param sign: empty: also these; ``!``: not these; ``&``: only those that are among these
    :param word: name of a host or a group, or a glob
    """

    sign: str
    word: str


def parse_pattern(text: str) -> tuple[Term, ...]:
    """The parts of a pattern.

    :raises AdminError: ``pattern-invalid``
    """
    terms = tuple(_term(part.strip()) for part in text.split(","))
    if any(not term.word or not term.word.isprintable() for term in terms):
        raise usage_error("pattern-invalid", f"{text!r} doesn't select hosts: a name is missing", _HINT)
    return terms


def select(text: str, groups: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Names of the hosts that a pattern selects; what it takes away goes last, wherever it stands.

    :param groups: hosts by the name of their group; each host is also a group of its own, and ``all`` is one
    :raises AdminError: ``pattern-invalid``, ``host-unknown`` for a part that fits no host and no group
    """
    terms = parse_pattern(text)
    found = {sign: [_matches(term.word, groups) for term in terms if term.sign == sign] for sign in ("", *_SIGNS)}
    chosen = frozenset[str]().union(*found[""]) if found[""] else groups[ALL]
    return chosen.intersection(*found["&"]).difference(*found["!"])


def _term(part: str) -> Term:
    sign = part[:1] if part[:1] in _SIGNS else ""
    return Term(sign, part[len(sign) :].strip())


def _matches(word: str, groups: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if word in groups:
        return groups[word]
    names = list(_globbed(word, groups))
    if not names:
        near = nearest(word, groups)
        hint = f"did you mean {near}?" if near else "omero hosts list shows the hosts, omero hosts graph the groups"
        raise usage_error("host-unknown", f"no host and no group is {word!r}", hint)
    return frozenset[str]().union(*(groups[name] for name in names))


def _globbed(word: str, groups: Mapping[str, frozenset[str]]) -> Iterator[str]:
    return (name for name in groups if fnmatchcase(name, word))
