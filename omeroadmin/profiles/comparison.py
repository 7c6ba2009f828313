"""Compares configurations: revisions, profiles, what is set now, and what is declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import AdminError, printable, usage_error
from omeroadmin.profiles.changes import Changes, changes_between
from omeroadmin.profiles.history import History, read_history, revision_number
from omeroadmin.profiles.reader import VERSION_KEY, choose
from omeroadmin.profiles.state import State, StateChange, difference
from omeroadmin.profiles.upgrades import upgraded
from omeroadmin.schema.catalog import default_of


@dataclass(frozen=True)
class Comparison:
    """Two configurations and what leads from one to the other.

    :param old: the first, in words
    :param new: the second, in words
    """

    old: str
    new: str
    change: StateChange


@dataclass(frozen=True)
class _Profile:
    name: str


@dataclass(frozen=True)
class _Revision:
    number: int


_Point = _Profile | _Revision


def compare(config_xml: Path, words: Sequence[str]) -> Comparison:
    """What differs between two revisions or profiles.

    :param words: names of profiles, and numbers of revisions; ``@12`` is a revision even where a profile is called 12.
        None: the last change; one: that against what is set now
    :raises AdminError: ``comparison-unknown``, ``revision-unknown``, ``history-damaged``, ``config-unparsable``,
        ``file-not-read``
    """
    history = read_history(config_xml)
    points = [_point(history, word) for word in words]
    match points:
        case []:
            return _last_change(history)
        case [_Profile(name)]:
            return _profiles(history.present, name, history.present, choose(None, history.present.active))
        case [_Revision(number)]:
            change = difference(history.state(number), history.present)
            return Comparison(f"revision {number}", "now", change)
        case [_Revision(old), _Revision(new)]:
            change = difference(history.state(old), history.state(new))
            return Comparison(f"revision {old}", f"revision {new}", change)
        case [_Profile(old), _Profile(new)]:
            return _profiles(history.present, old, history.present, new)
        case [_Revision(number), _Profile(name)]:
            return _profiles(history.state(number), name, history.present, name, old_words=f"revision {number}")
        case [_Profile(name), _Revision(number)]:
            return _profiles(history.present, name, history.state(number), name, new_words=f"revision {number}")
    raise usage_error("comparison-unknown", "more than two are given to be compared", "omero config diff --help")


def compare_defaults(config_xml: Path, word: str | None = None) -> Comparison:
    """What is set and isn't as declared; for an undeclared property there is no value before.

    :param word: a profile, or a revision, of which it is the active profile; by default what is set now
    :raises AdminError: as :func:`compare`
    """
    history = read_history(config_xml)
    point = _Profile(choose(None, history.present.active)) if word is None else _point(history, word)
    state = history.state(point.number) if isinstance(point, _Revision) else history.present
    profile = choose(None, state.active) if isinstance(point, _Revision) else point.name
    values = _values(state, profile)
    declared = {name: default for name in values if (default := default_of(name)) is not None}
    words = f"revision {point.number}" if isinstance(point, _Revision) else f"profile {profile}"
    return Comparison("defaults", words, _change(profile, declared, values))


def _point(history: History, word: str) -> _Point:
    if word in history.present.profiles:
        return _Profile(word)
    try:
        return _Revision(revision_number(word))
    except AdminError as error:
        raise usage_error(
            "comparison-unknown",
            f"{word!r} is neither a profile nor the number of a revision",
            f"the profiles are: {printable(', '.join(sorted(history.present.profiles)))}; revisions: omero config log",
        ) from error


def _last_change(history: History) -> Comparison:
    if history.pending:
        return Comparison("the last revision", "now", history.pending)
    if not history.revisions:
        return Comparison("now", "now", StateChange())
    last = history.revisions[-1]
    return Comparison(f"revision {last.number - 1}", f"revision {last.number}", last.change)


def _profiles(
    old: State, old_name: str, new: State, new_name: str, *, old_words: str = "", new_words: str = ""
) -> Comparison:
    """Two profiles; or one, of which the words say when."""
    change = _change(new_name, _values(old, old_name), _values(new, new_name))
    return Comparison(
        f"profile {old_name}" + (f" of {old_words}" if old_words else ""),
        f"profile {new_name}" + (f" of {new_words}" if new_words else ""),
        change,
    )


def _values(state: State, profile: str) -> dict[str, str]:
    """What a profile means, whatever its format."""
    block = upgraded(state.profiles.get(profile, {}))
    return {name: value for name, value in block.items() if name != VERSION_KEY}


def _change(profile: str, old: Mapping[str, str], new: Mapping[str, str]) -> StateChange:
    properties = changes_between(old, new)
    return StateChange(profiles=(Changes(profile, properties),) if properties else ())
