"""Moves things out of the way and back, so that a kill at any moment loses nothing.

What is moved keeps its path below ``.omero/quarantine/ID/content`` on its own file system; each step is one rename.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.repository.orphans import journal
from omeroadmin.repository.orphans.below import directory_below, remove_tree, split
from omeroadmin.repository.orphans.findings import Candidate, Kind, Problem
from omeroadmin.repository.orphans.journal import Moved
from omeroadmin.repository.orphans.trees import MARKERS

PLACE = f"{MARKERS}/quarantine"
"""Where quarantines are, below a root or the top of a file system in it."""
_CONTENT = "content"
_WITHOUT_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What file systems say that have no hard links."""
_MODE = 0o700
_RESTORED_MODE = 0o750


@dataclass(frozen=True)
class Quarantine:
    """One quarantine.

    :param directory: of its journal
    :param roots: descriptors of the roots by name
    :param is_outside: whether the contents are beside the journal
    """

    directory: Path
    roots: Mapping[str, int]
    is_outside: bool = False
    _tops: dict[tuple[str, int], str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its name."""
        return self.directory.name

    def move(self, candidates: Sequence[Candidate]) -> Iterator[Candidate | Problem]:
        """Move things in; what isn't any more what was found stays, and is a problem.

        :return: what was moved, and problems
        :raises AdminError: ``file-not-written``
        """
        entries = [journal.entry(candidate, self._store(candidate)) for candidate in candidates]
        journal.append(self.directory, entries)
        for candidate, entry in zip(candidates, entries, strict=True):
            try:
                if self._move(candidate, entry):
                    yield candidate
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                    yield Problem(candidate.root, candidate.path, f"can't be moved: {error.strerror}")

    def restore(self) -> Iterator[Moved | Problem]:
        """Put everything back; what is there by now is not replaced, and is a problem.

        :raises AdminError: ``file-not-read``, ``quarantine-damaged``
        """
        for entry in journal.read(self.directory):
            try:
                if self._restore(entry):
                    yield entry
            except OSError as error:
                yield Problem(entry.root, entry.path, f"can't be put back: {error.strerror}")

    def discard(self) -> tuple[int, int]:
        """Remove the contents and then the journal.

        :return: number of files and their bytes
        :raises OSError: as the system says; the journal is there as long as there is content
        """
        count = size = 0
        for store in sorted({entry.store for entry in journal.read(self.directory)}):
            more = self._discard_store(store)
            count, size = count + more[0], size + more[1]
        with _directory(self.directory.parent) as parent, contextlib.suppress(FileNotFoundError):
            remove_tree(self.id, parent)
        return count, size

    def _discard_store(self, store: str) -> tuple[int, int]:
        try:
            if not store:
                with _directory(self.directory) as place:
                    return remove_tree(_CONTENT, place)
            name, _, top = store.partition(":")
            with directory_below(self.roots[name], f"{top}/{PLACE}".lstrip("/")) as place:
                return remove_tree(self.id, place) if self._is_apart(place) else _remove_content(self.id, place)
        except FileNotFoundError:
            return 0, 0

    def _is_apart(self, place: int) -> bool:
        """Whether a store's directory isn't that of the journal."""
        try:
            return not os.path.samestat(os.fstat(place), self.directory.parent.stat())
        except FileNotFoundError:
            return True

    def _move(self, candidate: Candidate, entry: Moved) -> bool:
        directory, name = split(candidate.path)
        with directory_below(self.roots[candidate.root], directory) as source:
            status = os.lstat(name, dir_fd=source)
            if (status.st_dev, status.st_ino) != (candidate.device, candidate.inode):
                raise OSError(errno.ESTALE, "it is something else by now")
            if candidate.kind is Kind.EMPTY_DIRECTORY:
                os.rmdir(name, dir_fd=source)
                return True
            if status.st_ctime_ns != candidate.changed_ns:
                raise OSError(errno.ESTALE, "it was changed meanwhile")
            with self._content(entry, make=True) as target:
                os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)
                moved = os.lstat(name, dir_fd=target)
                if moved.st_ino != candidate.inode:
                    # Somebody put another file there in the instant before: that one has to go back.
                    _put_back(name, target, name, source)
                    raise OSError(errno.ESTALE, "it is something else by now")
        return True

    def _restore(self, entry: Moved) -> bool:
        directory, name = split(entry.path)
        root = self.roots[entry.root]
        if entry.kind is Kind.EMPTY_DIRECTORY:
            with directory_below(root, directory, make_mode=_RESTORED_MODE) as target:
                try:
                    os.mkdir(name, entry.mode, dir_fd=target)
                except FileExistsError:
                    return False
                return True
        try:
            with self._content(entry) as source:
                os.lstat(name, dir_fd=source)
                with directory_below(root, directory, make_mode=_RESTORED_MODE) as target:
                    _put_back(name, source, name, target)
        except FileNotFoundError:
            return False  # it was never moved, or is back already
        return True

    @contextlib.contextmanager
    def _content(self, entry: Moved, *, make: bool = False) -> Iterator[int]:
        """The directory that has or gets something."""
        directory = split(entry.path)[0]
        mode = _MODE if make else None
        if not entry.store:
            path = f"{_CONTENT}/{entry.root}/{directory}".rstrip("/")
            with _directory(self.directory) as place, directory_below(place, path, make_mode=mode) as descriptor:
                yield descriptor
            return
        name, _, top = entry.store.partition(":")
        path = f"{top}/{PLACE}/{self.id}/{_CONTENT}/{directory}".strip("/")
        with directory_below(self.roots[name], path, make_mode=mode) as descriptor:
            yield descriptor

    def _store(self, candidate: Candidate) -> str:
        """The store on the file system of a candidate."""
        if self.is_outside:
            return ""
        key = (candidate.root, candidate.device)
        if key not in self._tops:
            self._tops[key] = self._top(candidate)
        return f"{candidate.root}:{self._tops[key]}"

    def _top(self, candidate: Candidate) -> str:
        """Directory below the root at which the file system of a candidate is mounted; empty for the root itself."""
        root = self.roots[candidate.root]
        if os.fstat(root).st_dev == candidate.device:
            return ""
        parts = split(candidate.path)[0].split("/")
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            with contextlib.suppress(OSError), directory_below(root, path) as directory:
                if os.fstat(directory).st_dev == candidate.device:
                    return path
        return ""


@contextlib.contextmanager
def _directory(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove_content(name: str, place: int) -> tuple[int, int]:
    with directory_below(place, name) as directory:
        return remove_tree(_CONTENT, directory)


def _put_back(name: str, source: int, target_name: str, target: int) -> None:
    """Move something without replacing what has its name; a kill in between leaves both names of one file.

    :raises OSError: ``EEXIST`` where something else has the name
    """
    status = os.lstat(name, dir_fd=source)
    if stat.S_ISREG(status.st_mode):
        try:
            os.link(name, target_name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
        except FileExistsError:
            if not os.path.samestat(os.lstat(target_name, dir_fd=target), status):
                raise _occupied() from None
        except OSError as error:
            if error.errno not in _WITHOUT_LINKS:
                raise
            _rename(name, source, target_name, target)
            return
        os.unlink(name, dir_fd=source)
        return
    _rename(name, source, target_name, target)


def _rename(name: str, source: int, target_name: str, target: int) -> None:
    """For what can't have a second name: links, directories, and files where there are no hard links."""
    try:
        os.lstat(target_name, dir_fd=target)
    except FileNotFoundError:
        os.rename(name, target_name, src_dir_fd=source, dst_dir_fd=target)
    else:
        raise _occupied()


def _occupied() -> OSError:
    return OSError(errno.EEXIST, "something else has its name by now")
