"""Walks through a tree and tells what no row names: names first, and a stat only for what the names don't settle."""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from omeroadmin.repository.orphans.below import DEEPEST, names_in, open_child
from omeroadmin.repository.orphans.findings import Candidate, Horizon, Kind, Problem, Seen
from omeroadmin.repository.orphans.named import NamedDirectories

Found = Candidate | Problem


class Verdict(Enum):
    """What becomes of a name for which there is nothing to report."""

    ENTER = "enter"
    """A directory to walk through."""
    LINK = "link"
    """A link that may lead to a directory whose files are named."""
    STAYS = "stays"


@dataclass(frozen=True)
class Entry:
    """A name that no row settles.

    :param path: below the tree
    :param missing: names that rows give files of the same directory and that aren't there
    """

    name: str
    path: str
    directory: int
    status: os.stat_result
    missing: frozenset[str]


@dataclass
class _Frame:
    """A directory that is being walked through.

    :param stays: whether something is in it that isn't a candidate
    :param is_moving: whether it or a directory above it may have been renamed just now
    """

    descriptor: int
    path: str
    status: os.stat_result
    is_moving: bool
    stays: bool = False
    below: Iterator[tuple[bytes, Entry, Verdict]] = field(default_factory=lambda: iter(()))


class Walk(ABC):
    """One pass through one tree.

    :param root: name of the root, for what is found
    :param prefix: of the tree below the root, with a slash at its end
    :param seen: counted up
    """

    def __init__(self, root: str, prefix: str, named: NamedDirectories, horizon: Horizon, seen: Seen) -> None:
        self.root = root
        self.prefix = prefix
        self.horizon = horizon
        self.seen = seen
        self._named = named

    @abstractmethod
    def names(self, text: str) -> set[str]:
        """The names that a directory's text stands for."""

    @abstractmethod
    def judge(self, entry: Entry) -> Found | Verdict:
        """What to think of a name that no row settles."""

    def skips(self, path: str, name: str) -> bool:
        """Whether something isn't looked at.

        :param path: of the directory
        """
        del path
        return name == "lost+found"

    def may_vanish(self) -> bool:
        """Whether directories in which nothing is left are found."""
        return False

    def found(self, top: int) -> Iterator[Found]:
        """All candidates and problems; a directory comes after what is in it.

        :param top: descriptor of the tree; it stays open
        """
        stack: list[_Frame] = []
        try:
            stack.append(_Frame(os.dup(top), "", os.fstat(top), is_moving=False))
            yield from self._list(stack[0])
            while stack:
                frame = stack[-1]
                key, entry, verdict = next(frame.below, (b"", None, Verdict.STAYS))
                if entry is None:
                    stack.pop()
                    os.close(frame.descriptor)
                    yield from self._leave(frame, stack[-1] if stack else None)
                elif verdict is Verdict.LINK:
                    yield from self._judge_link(frame, entry, key)
                else:
                    below = self._enter(frame, entry, len(stack))
                    if isinstance(below, Problem):
                        frame.stays = True
                        yield below
                    elif below is not None:
                        stack.append(below)
                        yield from self._list(below)
        finally:
            for frame in stack:
                os.close(frame.descriptor)

    def problem(self, path: str, message: str) -> Problem:
        """A problem with something of this tree."""
        return Problem(self.root, f"{self.prefix}{path}", message)

    def candidate(self, kind: Kind, entry: Entry, table: str = "", number: int = 0, size: int | None = None) -> Found:
        """A candidate, unless it is too young.

        :param size: bytes, where they aren't the status's
        """
        status = entry.status
        return Candidate(
            kind,
            self.root,
            f"{self.prefix}{entry.path}",
            table,
            number,
            status.st_size if size is None else size,
            status.st_dev,
            status.st_ino,
            status.st_ctime_ns,
            stat.S_IMODE(status.st_mode),
        )

    def _enter(self, parent: _Frame, entry: Entry, depth: int) -> _Frame | Problem | None:
        if depth >= DEEPEST:
            return self.problem(entry.path, f"is more than {DEEPEST} levels deep and was not entered")
        try:
            descriptor = open_child(entry.name, parent.descriptor)
        except FileNotFoundError:
            return None
        except OSError as error:
            if os.path.islink(f"/proc/self/fd/{parent.descriptor}/{entry.name}"):  # noqa: PTH114 - of a descriptor
                return self.problem(entry.path, "became a link meanwhile and was not followed")
            return self.problem(entry.path, f"can't be entered: {error.strerror}")
        status = os.fstat(descriptor)
        is_moving = parent.is_moving or (self.may_vanish() and self.horizon.is_moving(status.st_ctime_ns))
        return _Frame(descriptor, entry.path, status, is_moving)

    def _leave(self, frame: _Frame, parent: _Frame | None) -> Iterator[Found]:
        """Whether the directory itself could go, now that all that is in it is known."""
        if parent is None:
            return
        if frame.stays or not self.may_vanish():
            parent.stays = True
        elif frame.is_moving or self.horizon.is_young(frame.status.st_ctime_ns):
            self.seen.young += 1
            parent.stays = True
        else:
            name = frame.path.rpartition("/")[2]
            entry = Entry(name, frame.path, parent.descriptor, frame.status, frozenset())
            yield self.candidate(Kind.EMPTY_DIRECTORY, entry, size=0)

    def _list(self, frame: _Frame) -> Iterator[Found]:
        """Candidates and problems among the names of a directory; its directories wait in the frame."""
        key = os.fsencode(f"{frame.path}/") if frame.path else b""
        text = self._named.names_of(key)
        named: set[str] = set() if text is None else self.names(text)
        # Files below that aren't there, as where a disk isn't mounted: all the more must the directory stay.
        frame.stays = self._named.begins(key)
        try:
            present = set(names_in(frame.descriptor))
        except OSError as error:
            frame.stays = True
            yield self.problem(frame.path, f"can't be listed: {error.strerror}")
            return
        self.seen.directories += 1
        unsettled = present - named
        self.seen.files += len(present) - len(unsettled)
        missing = frozenset(named - present) if unsettled else frozenset()
        below: list[tuple[bytes, Entry, Verdict]] = []
        for name in sorted(unsettled):
            path = f"{frame.path}/{name}" if frame.path else name
            if self.skips(frame.path, name):
                frame.stays = True
                continue
            yield from self._unsettled(frame, name, path, missing, below)
        below.sort(key=lambda item: item[0])
        frame.below = iter(below)

    def _unsettled(
        self, frame: _Frame, name: str, path: str, missing: frozenset[str], below: list[tuple[bytes, Entry, Verdict]]
    ) -> Iterator[Found]:
        try:
            status = os.lstat(name, dir_fd=frame.descriptor)
        except FileNotFoundError:
            return
        except OSError as error:
            frame.stays = True
            yield self.problem(path, f"can't be looked at: {error.strerror}")
            return
        entry = Entry(name, path, frame.descriptor, status, missing)
        self.seen.files += not stat.S_ISDIR(status.st_mode)
        verdict = self.judge(entry)
        if isinstance(verdict, Candidate):
            if frame.is_moving or self.horizon.is_young(verdict.changed_ns):
                self.seen.young += 1
                frame.stays = True
            else:
                yield verdict
        elif verdict in (Verdict.ENTER, Verdict.LINK):
            below.append((os.fsencode(f"{path}/"), entry, verdict))
        else:
            frame.stays = True
            if isinstance(verdict, Problem):
                yield verdict

    def _judge_link(self, frame: _Frame, entry: Entry, key: bytes) -> Iterator[Found]:
        if self._named.begins(key):
            frame.stays = True
            yield self.problem(entry.path, "is a link behind which the database names files; it was not followed")
        elif frame.is_moving or self.horizon.is_young(entry.status.st_ctime_ns):
            self.seen.young += 1
            frame.stays = True
        else:
            yield self.candidate(Kind.LEFTOVER, entry)
