"""The past of config.xml, as readers see it: which revisions there are, and what they made of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.errors import AdminError, configuration_error, usage_error
from omeroadmin.profiles.reader import parse_content
from omeroadmin.profiles.revisions import Base, DamagedError, Revision, decode, is_done, is_torn
from omeroadmin.profiles.source import read_source
from omeroadmin.profiles.state import State, StateChange, applied, difference, digest, state_of
from omeroadmin.system.files import file_error

_NUMBER = re.compile(r"@?([0-9]{1,18})")
_LOOKS = 20
"""How often to look again while others write."""


@dataclass(frozen=True)
class Past:
    """A history, checked line by line.

    :param done: whether the last revision is known to have been carried out
    """

    base: Base
    revisions: tuple[Revision, ...] = field(repr=False)
    done: bool = True

    @property
    def last(self) -> Base | Revision:
        """The last revision, or the base where there is none."""
        return self.revisions[-1] if self.revisions else self.base

    def state(self, number: int) -> State:
        """The state that a revision led to; the number must be one of the history's.

        :raises DamagedError: if the state isn't the one that was recorded
        """
        state, after = self.base.state, self.base.after
        for revision in self.revisions[: number - self.base.number]:
            state, after = applied(state, revision.change), revision.after
        if digest(state) != after:
            raise DamagedError(f"revision {number} doesn't lead to the state that it names")
        return state


@dataclass(frozen=True)
class History:
    """The revisions of a config.xml and how it is now.

    :param file: that holds them
    :param past: ``None`` where nothing has been recorded
    :param present: the state of the file
    :param pending: what another tool has changed since the last revision; the next change will record it
    """

    file: Path
    past: Past | None = field(repr=False)
    present: State = field(repr=False)
    pending: StateChange

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """All that are there, oldest first."""
        return self.past.revisions if self.past is not None else ()

    def revision(self, number: int) -> Revision:
        """One revision.

        :raises AdminError: ``revision-unknown``
        """
        for revision in self.revisions:
            if revision.number == number:
                return revision
        raise self._unknown(number, [revision.number for revision in self.revisions])

    def state(self, number: int) -> State:
        """The state that a revision led to; that of the base too.

        :raises AdminError: ``revision-unknown``, ``history-damaged``
        """
        past = self.past
        if past is None or not past.base.number <= number <= past.last.number:
            raise self._unknown(number, [] if past is None else [past.base.number, past.last.number])
        try:
            return past.state(number)
        except DamagedError as error:
            raise _damaged(self.file, error) from error

    def _unknown(self, number: int, known: list[int]) -> AdminError:
        there = f"those from {known[0]} to {known[-1]} are there" if known else "nothing is recorded yet"
        return usage_error("revision-unknown", f"there is no revision {number}: {there}", "see them: omero config log")


def history_file(config_xml: Path) -> Path:
    """Where the history of a config.xml lies: beside the real file, whatever links lead to it."""
    target = Path(os.path.realpath(config_xml))
    return target.with_name(f"{target.name}.history")


def read_history(config_xml: Path) -> History:
    """Past and present of a config.xml; takes no lock and writes nothing.

    :raises AdminError: ``history-damaged``, ``config-unparsable``, ``file-not-read``
    """
    file = history_file(config_xml)
    for _ in range(_LOOKS):
        content = _read(file)
        present = read_state(config_xml)
        if _read(file) == content:
            break
    try:
        past = None if content is None else parse_past(content)
        past = past if past is None else settled(past, digest(present))
        pending = StateChange() if past is None else difference(past.state(past.last.number), present)
    except DamagedError as error:
        raise _damaged(file, error) from error
    return History(file, past, present, pending)


def read_state(config_xml: Path) -> State:
    """The state of a config.xml as it stands there, profiles of an old format too.

    :raises AdminError: ``config-unparsable``, ``file-not-read``
    """
    source = read_source(config_xml)
    if source is None:
        return State()
    content = parse_content(config_xml, source, upgrade=False)
    return state_of(content.active, content.blocks)


def revision_number(word: str) -> int:
    """The number that somebody has typed: ``12`` or ``@12``.

    :raises AdminError: ``revision-invalid``
    """
    found = _NUMBER.fullmatch(word)
    if found is None:
        raise usage_error("revision-invalid", f"{word!r} is not the number of a revision", "see them: omero config log")
    return int(found.group(1))


def parse_past(content: bytes) -> Past:
    """A history's lines; a last one that was cut short doesn't count.

    :raises DamagedError: with the number of the line
    """
    lines = content.split(b"\n")[:-1]
    if lines and is_torn(lines[-1]):
        lines.pop()
    if not lines:
        raise DamagedError("it has no whole line")
    base, *rest = (_numbered(number, line) for number, line in enumerate(lines, start=1))
    if not isinstance(base, Base):
        raise DamagedError("line 1: it is no state")
    return Past(base, tuple(_chain(base, rest)), done=not rest or is_done(lines[-1]))


def settled(past: Past, present: str) -> Past:
    """Leave out a last revision that was never carried out.

    :param present: digest of the state of config.xml
    """
    if past.done or past.last.after == present:
        return past
    return Past(past.base, past.revisions[:-1])


def _numbered(number: int, line: bytes) -> Base | Revision:
    try:
        return decode(line)
    except DamagedError as error:
        raise DamagedError(f"line {number}: {error}") from error


def _chain(base: Base, rest: Iterable[Base | Revision]) -> Iterable[Revision]:
    last: Base | Revision = base
    for number, item in enumerate(rest, start=2):
        if not isinstance(item, Revision) or item.number != last.number + 1 or item.before != last.after:
            raise DamagedError(f"line {number}: it doesn't follow the one before")
        yield item
        last = item


def _damaged(file: Path, error: DamagedError) -> AdminError:
    """The error for a history that can't be read; config.xml is none the worse for it."""
    return configuration_error(
        "history-damaged",
        f"{file}: {error}",
        f"config.xml itself is fine; to begin a new history: mv {file} {file}.damaged",
    )


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise file_error("read", file, error) from error
