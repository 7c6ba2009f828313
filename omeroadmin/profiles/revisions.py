"""The lines of a history: a whole state first, then a revision each; JSON that any tool can read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from omeroadmin.profiles.changes import Changes, PropertyChange
from omeroadmin.profiles.state import State, StateChange

FOREIGN = "changed by another tool"
"""Cause of a revision that this toolkit has found and not made."""

_FIRST = re.compile(rb'\{"base":([0-9]{1,18}),')
_NUMBERS = re.compile(rb'^\{"(?:base|revision)":([0-9]{1,18}),', re.MULTILINE)
_DONE = b'"done":1}'


class DamagedError(Exception):
    """A history that can't be believed; it says why, and where, in one line."""


@dataclass(frozen=True)
class Base:
    """The state with which a history begins.

    :param number: of the revision that led to it; 0 for the first of all
    :param after: digest of the state
    """

    number: int
    time: str
    after: str
    state: State = field(repr=False)


@dataclass(frozen=True)
class Revision:
    """One change to config.xml.

    :param number: greater by one than that of the revision before
    :param time: UTC
    :param user: login name; empty where another tool made the change
    :param sudo_user: who became that user by sudo; else empty
    :param cause: the command, without values
    :param before: digest of the state that was changed
    :param after: digest of the state that was made
    """

    number: int
    time: str
    user: str
    sudo_user: str
    host: str
    cause: str
    before: str
    after: str
    change: StateChange = field(repr=False)


def encode_base(base: Base) -> bytes:
    """The first line of a history."""
    return _line(
        {
            "base": base.number,
            "time": base.time,
            "after": base.after,
            "active": base.state.active,
            "profiles": base.state.profiles,
        }
    )


def encode_revision(revision: Revision, *, done: bool) -> bytes:
    """A further line; ``done`` is the digit three bytes before its end."""
    change = revision.change
    return _line(
        {
            "revision": revision.number,
            "time": revision.time,
            "user": revision.user,
            "sudo_user": revision.sudo_user,
            "host": revision.host,
            "cause": revision.cause,
            "before": revision.before,
            "after": revision.after,
            "active": change.active,
            "created": change.created,
            "dropped": change.dropped,
            "profiles": {
                changes.profile: {item.name: [item.old, item.new] for item in changes.properties}
                for changes in change.profiles
            },
            "done": int(done),
        }
    )


def decode(line: bytes) -> Base | Revision:
    """A line as what it stands for.

    :raises DamagedError: if it is neither a state nor a revision
    """
    try:
        data = json.loads(line)
        return _base(data) if "base" in data else _revision(data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedError(f"a line that is no revision ({type(error).__name__})") from error


def is_done(line: bytes) -> bool:
    """Whether the line says that config.xml was replaced after it had been written."""
    return line.endswith(_DONE)


def is_torn(line: bytes) -> bool:
    """Whether parts of the line never came to the disk, as a power cut leaves a line that wasn't synced."""
    return b"\0" in line


def base_number(beginning: bytes) -> int:
    """Number of the state in a history's first line, of which the first bytes are enough.

    :raises DamagedError: if they are no such line's
    """
    found = _FIRST.match(beginning)
    if found is None:
        raise DamagedError("the first line is no state")
    return int(found.group(1))


def last_number(content: bytes) -> int:
    """The highest number in what is left of a history, so that the next one goes on from it."""
    return max((int(number) for number in _NUMBERS.findall(content)), default=0)


def who() -> tuple[str, str, str]:
    """Login name of this process, who called sudo, and the host."""
    import pwd

    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return user, os.environ.get("SUDO_USER", ""), os.uname().nodename


def _line(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"


def _base(data: dict[str, Any]) -> Base:
    profiles = {_text(name): {_text(key): _text(value) for key, value in values.items()}
                for name, values in data["profiles"].items()}  # fmt: skip
    return Base(
        _number(data["base"]), _text(data["time"]), _text(data["after"]), State(_text(data["active"]), profiles)
    )


def _revision(data: dict[str, Any]) -> Revision:
    active = data["active"]
    change = StateChange(
        active=None if active is None else (_text(active[0]), _text(active[1])),
        created=tuple(map(_text, data["created"])),
        dropped=tuple(map(_text, data["dropped"])),
        profiles=tuple(
            Changes(_text(name), tuple(_property(key, *values) for key, values in properties.items()))
            for name, properties in data["profiles"].items()
        ),
    )
    return Revision(
        number=_number(data["revision"]),
        time=_text(data["time"]),
        user=_text(data["user"]),
        sudo_user=_text(data["sudo_user"]),
        host=_text(data["host"]),
        cause=_text(data["cause"]),
        before=_text(data["before"]),
        after=_text(data["after"]),
        change=change,
    )


def _property(name: str, old: Any, new: Any) -> PropertyChange:
    return PropertyChange(name, None if old is None else _text(old), None if new is None else _text(new))


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{type(value).__name__} where a number is expected")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where text is expected")
    return value
