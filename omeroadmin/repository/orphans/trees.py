"""The two sorts of trees: those named by ids, and the managed repository."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import unicodedata

from omeroadmin.repository.orphans.below import DEEPEST, names_in, open_child
from omeroadmin.repository.orphans.findings import Horizon, Kind, Seen
from omeroadmin.repository.orphans.named import NamedDirectories
from omeroadmin.repository.orphans.names import IdTree, is_group, is_temporary, meaning
from omeroadmin.repository.orphans.walk import Entry, Found, Verdict, Walk

MARKERS = ".omero"
"""Directory of a root's markers, of the imports that go on, and of quarantines."""


class IdWalk(Walk):
    """``Files``, ``Pixels`` or ``Thumbnails``."""

    def __init__(self, tree: IdTree, named: NamedDirectories, horizon: Horizon, seen: Seen) -> None:
        super().__init__("data", f"{tree.directory}/", named, horizon, seen)
        self._tree = tree

    def names(self, text: str) -> set[str]:
        """Files of ids."""
        return self._tree.names_of(text)

    def judge(self, entry: Entry) -> Found | Verdict:
        """Names that aren't the server's stay, and are counted."""
        is_directory = stat.S_ISDIR(entry.status.st_mode)
        if is_directory and is_group(entry.name):
            return Verdict.ENTER
        known = meaning(self._tree, entry.name)
        if known is None:
            if is_group(entry.name) and stat.S_ISLNK(entry.status.st_mode):
                return self.problem(entry.path, "is a link and was not followed")
            return self._unknown()
        kind, number = known
        if is_directory:
            return self._directory(entry, number) if kind is Kind.FILE else self._unknown()
        if kind in (Kind.LOCK, Kind.TEMPORARY):
            if _is_locked(entry):
                return Verdict.STAYS
            # Of something that exists it is stale after a while; of something that doesn't it is at once.
            table = "" if entry.status.st_mtime_ns < self.horizon.stale_ns else self._tree.table
            return self.candidate(kind, entry, table, number)
        return self.candidate(kind, entry, self._tree.table, number)

    def _unknown(self) -> Verdict:
        self.seen.unknown += 1
        return Verdict.STAYS

    def _directory(self, entry: Entry, number: int) -> Found | Verdict:
        """A directory where a file should be: it counts with all that is in it."""
        try:
            size, changed_ns = _measure(entry.name, entry.directory)
        except FileNotFoundError:
            return Verdict.STAYS
        except OSError as error:
            return self.problem(entry.path, f"can't be looked through: {error.strerror}")
        if self.horizon.is_young(changed_ns):
            self.seen.young += 1
            return Verdict.STAYS
        return self.candidate(Kind.FILES_DIRECTORY, entry, self._tree.table, number, size)


class ManagedWalk(Walk):
    """The managed repository, in which rows name paths."""

    def names(self, text: str) -> set[str]:
        """Names as they are."""
        return set(text.split("/"))

    def may_vanish(self) -> bool:
        """Directories of imports that are gone."""
        return True

    def skips(self, path: str, name: str) -> bool:
        """Markers, and what belongs to imports that go on."""
        if name == "lost+found" or name == MARKERS:
            return True
        whole = f"{path}/{name}" if path else name
        busy = self.horizon.busy
        return bool(busy) and (whole in busy or whole.removesuffix(".log") in busy)

    def judge(self, entry: Entry) -> Found | Verdict:
        """Files and links that no row names."""
        mode = entry.status.st_mode
        if stat.S_ISDIR(mode):
            return Verdict.ENTER
        if stat.S_ISLNK(mode):
            return self._link(entry)
        if not stat.S_ISREG(mode):
            return self.problem(entry.path, "is neither a file nor a directory")
        likely = _likely(entry)
        if likely:
            return self.problem(entry.path, f"may be the file that the database names {likely!r}, which is missing")
        if is_temporary(entry.name):
            if entry.status.st_mtime_ns >= self.horizon.stale_ns:
                self.seen.young += 1
                return Verdict.STAYS
            return self.candidate(Kind.TEMPORARY, entry)
        return self.candidate(Kind.LEFTOVER, entry)

    def _link(self, entry: Entry) -> Found | Verdict:
        try:
            leads_to_file = not stat.S_ISDIR(os.stat(entry.name, dir_fd=entry.directory).st_mode)
        except OSError:
            leads_to_file = False
        return self.candidate(Kind.LEFTOVER, entry) if leads_to_file else Verdict.LINK


def _likely(entry: Entry) -> str:
    """A missing file's name that is written differently; any at all for a name that isn't UTF-8."""
    if not entry.missing or entry.name in entry.missing:
        return ""
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        return min(entry.missing)
    same = unicodedata.normalize("NFC", entry.name)
    return next((name for name in entry.missing if unicodedata.normalize("NFC", name) == same), "")


def _measure(name: str, parent: int, levels: int = DEEPEST) -> tuple[int, int]:
    """Bytes of all files of a directory, and when the last of them changed."""
    if not levels:
        raise OSError(errno.ELOOP, f"more than {DEEPEST} levels", name)
    descriptor = open_child(name, parent)
    try:
        size, changed_ns = 0, os.fstat(descriptor).st_ctime_ns
        for child in names_in(descriptor):
            status = os.lstat(child, dir_fd=descriptor)
            changed_ns = max(changed_ns, status.st_ctime_ns)
            if stat.S_ISDIR(status.st_mode):
                more = _measure(child, descriptor, levels - 1)
                size, changed_ns = size + more[0], max(changed_ns, more[1])
            else:
                size += status.st_size
    finally:
        os.close(descriptor)
    return size, changed_ns


def _is_locked(entry: Entry) -> bool:
    """Whether somebody holds a lock on a file: by flock as here, or by fcntl as Java does."""
    try:
        descriptor = os.open(
            entry.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=entry.directory
        )
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.lockf(descriptor, fcntl.LOCK_UN)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
