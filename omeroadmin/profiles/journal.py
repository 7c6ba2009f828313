"""The history as the writer of config.xml keeps it: a line added and synced before the file is replaced.

Only the end of the history is read for that, however long it is. What is wrong with a history never stops a change:
a damaged one is moved aside, one that can't be written is left, and a warning says so.
"""

from __future__ import annotations

import contextlib
import os
import stat
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from omeroadmin.errors import AdminError, AdminWarning
from omeroadmin.profiles.history import history_file, parse_past
from omeroadmin.profiles.revisions import (
    FOREIGN,
    Base,
    DamagedError,
    Revision,
    base_number,
    decode,
    encode_base,
    encode_revision,
    is_done,
    is_torn,
    last_number,
    who,
)
from omeroadmin.profiles.state import State, difference, digest
from omeroadmin.system.clock import utc_stamp
from omeroadmin.system.files import SECRET_MODE, write_atomically

MOST_REVISIONS = 1000
MOST_BYTES = 8 * 2**20
_KEPT_REVISIONS, _KEPT_BYTES = MOST_REVISIONS * 3 // 4, MOST_BYTES * 3 // 4
_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_BLOCK = 8192
_DIGIT = 3
"""Bytes from the end of a line to the digit that says that it was carried out."""


@dataclass(frozen=True)
class _Tail:
    """The end of a history.

    :param end: bytes up to the end of the last line that counts
    :param number: of its revision
    :param after: digest of the state that it led to
    """

    end: int
    number: int
    after: str


class Journal:
    """Records one change; whoever uses it holds the lock.

    :param config_xml: the real file, not a link to it
    :param owner: user and group of a new history; ``None`` for this user's
    """

    def __init__(self, config_xml: Path, owner: tuple[int, int] | None) -> None:
        self._config_xml = config_xml
        self._file = history_file(config_xml)
        self._owner = owner
        self._descriptor = -1
        self._digit = 0
        self._beginning = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def record(self, before: State, after: State, cause: str) -> None:
        """Write down and sync what is about to be done.

        :param before: the state of config.xml
        :param after: the state that it is about to get
        """
        digests = digest(before), digest(after)
        if digests[0] == digests[1]:
            return
        try:
            try:
                self._append(before, after, digests, cause)
            except DamagedError as damage:
                self._move_aside(damage)
                self._append(before, after, digests, cause)
        except (OSError, AdminError, DamagedError) as error:
            reason = error.__cause__ if isinstance(error, AdminError) else error
            words = reason.strerror if isinstance(reason, OSError) else str(error)
            self._warn(f"{self._file} can't be written ({words}): this change is not in the history")
            self._close()

    def confirm(self) -> None:
        """Note that config.xml has been replaced; were it not noted, the digest would still tell."""
        if self._descriptor >= 0:
            try:
                os.pwrite(self._descriptor, b"1", self._digit)
            except OSError as error:
                self._warn(f"{self._file} can't be written ({error.strerror})")

    def _append(self, before: State, after: State, digests: tuple[str, str], cause: str) -> None:
        self._open(before, digests[0])
        size = os.fstat(self._descriptor).st_size
        first = base_number(os.pread(self._descriptor, 64, 0))
        tail = self._tail(size, digests[0])
        number, lines = tail.number, b""
        if tail.after != digests[0]:
            number += 1
            lines += encode_revision(self._foreign(tail, number, before, digests[0]), done=True)
        user, sudo_user, host = who()
        number += 1
        change = difference(before, after)
        own = Revision(number, utc_stamp(), user, sudo_user, host, cause, *digests, change)
        lines += encode_revision(own, done=False)
        end = tail.end
        if number - first > MOST_REVISIONS or end + len(lines) > MOST_BYTES:
            end = self._compact(tail, len(lines))
        self._write(lines, end)
        self._digit = end + len(lines) - _DIGIT

    def _open(self, before: State, now: str) -> None:
        try:
            self._descriptor = os.open(self._file, _FLAGS)
        except FileNotFoundError:
            base = Base(self._beginning, utc_stamp(), now, before)
            write_atomically(self._file, encode_base(base), mode=SECRET_MODE, owner=self._owner)
            self._descriptor = os.open(self._file, _FLAGS)
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is no ordinary file")
        if stat.S_IMODE(status.st_mode) != SECRET_MODE:
            os.fchmod(self._descriptor, SECRET_MODE)
        if self._owner is not None and self._owner != (status.st_uid, status.st_gid):
            with contextlib.suppress(PermissionError):  # root of a container may not be everybody's root
                os.fchown(self._descriptor, *self._owner)

    def _tail(self, size: int, now: str) -> _Tail:
        """The last line that counts: whole, and carried out.

        :param now: digest of the state of config.xml
        """
        end, line = self._line_before(size)
        if is_torn(line):
            end, line = self._line_before(end - len(line) - 1)
        last = decode(line)
        if isinstance(last, Revision) and not is_done(line) and last.after != now:
            end, line = self._line_before(end - len(line) - 1)
            last = decode(line)
        return _Tail(end, last.number, last.after)

    def _line_before(self, position: int) -> tuple[int, bytes]:
        """The last whole line before a position, and where it ends, its newline included."""
        start, found, end = position, b"", -1
        while start > 0:
            step = min(max(_BLOCK, len(found)), start)
            start -= step
            found = os.pread(self._descriptor, step, start) + found
            end = found.rfind(b"\n")
            begin = found.rfind(b"\n", 0, end) if end >= 0 else -1
            if begin >= 0:
                return start + end + 1, found[begin + 1 : end]
        if end < 0:
            raise DamagedError("it has no whole line")
        return end + 1, found[:end]

    def _foreign(self, tail: _Tail, number: int, before: State, now: str) -> Revision:
        """The revision that stands for what another tool has done since the last one."""
        content = os.pread(self._descriptor, tail.end, 0)
        known = parse_past(content).state(tail.number)
        try:
            time = utc_stamp(datetime.fromtimestamp(self._config_xml.stat().st_mtime, UTC))
        except FileNotFoundError:
            time = utc_stamp()
        return Revision(number, time, "", "", "", FOREIGN, tail.after, now, difference(known, before))

    def _compact(self, tail: _Tail, more: int) -> int:
        """Move the base forward, so that the history is three quarters full at most.

        :param more: bytes that are to be added
        :return: where its last line ends now
        """
        content = os.pread(self._descriptor, tail.end, 0)
        past = parse_past(content)
        kept = content.splitlines(keepends=True)[1:][-_KEPT_REVISIONS:]
        size = len(encode_base(Base(tail.number, "", tail.after, past.state(tail.number)))) + sum(map(len, kept))
        while kept and size > min(_KEPT_BYTES, MOST_BYTES - more):
            size -= len(kept.pop(0))
        number = tail.number - len(kept)
        state = past.state(number)
        content = b"".join([encode_base(Base(number, utc_stamp(), digest(state), state)), *kept])
        self._close()
        write_atomically(self._file, content, mode=SECRET_MODE, owner=self._owner)
        self._descriptor = os.open(self._file, _FLAGS)
        return len(content)

    def _write(self, lines: bytes, end: int) -> None:
        try:
            os.ftruncate(self._descriptor, end)
            position = end
            while lines:
                written = os.pwrite(self._descriptor, lines, position)
                position, lines = position + written, lines[written:]
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, end)
            raise

    def _move_aside(self, damage: DamagedError) -> None:
        """Keep a damaged history under another name; the new one goes on with its numbers."""
        self._beginning = last_number(os.pread(self._descriptor, MOST_BYTES * 2, 0))
        self._close()
        stamp = utc_stamp().replace(":", "").replace("-", "")
        names = (f"{self._file.name}.damaged-{stamp}{suffix}" for suffix in ("", *(f".{n}" for n in range(1, 1000))))
        aside = next(path for path in map(self._file.with_name, names) if not path.exists())
        self._file.rename(aside)
        self._warn(f"{self._file} was damaged ({damage}): a new history begins, the old one is {aside.name}")

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _warn(self, words: str) -> None:
        warnings.warn(words, AdminWarning, stacklevel=2)
