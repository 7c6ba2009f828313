"""Files that are replaced together: at any moment, whatever is killed, readers find one whole set on the disk.

The files of a set lie in a directory of its own below ``STORE``; the link ``current`` there names the set that counts,
and each file's public name is a link through ``current``. So one rename replaces them all. Where public names are not
yet such links, what they show becomes a set first: making the links then changes nothing that can be seen.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from omeroadmin.errors import failed_error
from omeroadmin.system.files import PLAIN_MODE, file_error, read_bytes, sync_directory
from omeroadmin.system.locks import exclusive

STORE = ".rendered"
"""Directory of the sets, beside the public names."""

_CURRENT = "current"
_LOCK = "lock"
_SUMS = "SHA256SUMS"
_DIRECTORY_MODE = 0o755
_ORIGINAL = ".orig"
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}\.together")


@dataclass(frozen=True)
class SetFile:
    """A file of a set.

    :param name: its public name, relative to the root
    """

    name: str
    content: bytes = field(repr=False)
    mode: int = PLAIN_MODE


@dataclass(frozen=True)
class Present:
    """What is found at a public name.

    :param content: ``None`` where there is nothing to read
    :param linked: whether the name is a link of ours
    :param recorded: whether the present set has a file of this name
    :param untouched: whether the content is that of the present set, as it was written
    """

    name: str
    content: bytes | None = field(repr=False)
    mode: int
    linked: bool
    recorded: bool
    untouched: bool

    def shows(self, file: SetFile) -> bool:
        """Whether it already is this file."""
        return self.linked and self.content == file.content and self.mode == file.mode


@dataclass(frozen=True)
class Together:
    """Files below a directory that are replaced together.

    :param root: where the public names are
    :param neighbours: files that are no part of the set, but that files of it name by their place beside them
    """

    root: Path
    neighbours: tuple[str, ...] = ()

    @property
    def store(self) -> Path:
        """Directory of the sets."""
        return self.root / STORE

    def survey(self, names: Iterable[str]) -> dict[str, Present]:
        """What is there at these names and at those of the present set, or of links that lead nowhere any more.

        :param names: relative to the root
        :raises AdminError: ``file-not-read``
        """
        recorded = self._recorded()
        every = dict.fromkeys((*names, *recorded, *self._links()))
        return {name: self._present(name, recorded) for name in every}

    def leftovers(self) -> list[Path]:
        """What an interrupted replacement has left behind."""
        kept = {_CURRENT, _LOCK, self._target()}
        found: list[Path] = []
        with contextlib.suppress(FileNotFoundError):
            found += (path for path in self.store.iterdir() if path.name not in kept)
        return sorted([*found, *(path for path in self._beside() if _TEMPORARY.fullmatch(path.name))])

    def replace(self, files: Sequence[SetFile], expected: Mapping[str, bytes | None]) -> None:
        """Make these files the set; those of the present set that aren't among them are no more.

        :param expected: what was found at each name when this was decided
        :raises AdminError: ``files-changed`` if it is not so any more, ``locked``, ``file-not-written``,
            ``file-not-read``
        """
        with self._errors(), self._alone():
            self._replace(files, expected)

    def keep(self, name: str, content: bytes, mode: int) -> Path:
        """Keep a copy of what was found at a name beside it; an earlier copy is never overwritten.

        :return: the copy
        :raises AdminError: ``file-not-written``, ``file-not-read``
        """
        with self._errors(), self._alone():
            temporary = self._write_beside(self.root / name, content, mode)
            try:
                for place in self._places_to_keep(name):
                    if place.is_file() and read_bytes(place) == content:
                        break
                    try:
                        place.hardlink_to(temporary)
                        break
                    except FileExistsError:
                        continue
                sync_directory(place.parent)
            finally:
                temporary.unlink()
        return place

    def place_to_keep(self, name: str, content: bytes) -> Path:
        """Where :meth:`keep` would put a copy."""
        places = self._places_to_keep(name)
        return next(p for p in places if not os.path.lexists(p) or (p.is_file() and read_bytes(p) == content))

    def _places_to_keep(self, name: str) -> Iterator[Path]:
        public = self.root / name
        first = public.with_name(public.name + _ORIGINAL)
        yield first
        number = 0
        while True:
            number += 1
            yield first.with_name(f"{first.name}.{number}")

    def _replace(self, files: Sequence[SetFile], expected: Mapping[str, bytes | None]) -> None:
        wanted = {file.name for file in files}
        present = self.survey(wanted)
        changed = [name for name, found in present.items() if found.content != expected.get(name)]
        if changed and all(present[file.name].shows(file) for file in files):
            return  # somebody else has just done the same
        if changed:
            raise failed_error(
                "files-changed", f"{self.root / changed[0]} changed while it was about to be replaced", "try it again"
            )
        self._sweep()
        if any(not found.linked and (found.recorded or found.content is not None) for found in present.values()):
            self._switch(self._build(_as_found(present)))
        for name, found in present.items():
            if not found.linked and (name in wanted or found.content is not None):
                self._link(name)
        for directory in sorted({(self.root / name).parent for name in present}):
            sync_directory(directory)
        self._switch(self._build(files))
        for name in present:
            if name not in wanted:
                (self.root / name).unlink(missing_ok=True)
        self._sweep()

    def _present(self, name: str, recorded: Mapping[str, str]) -> Present:
        public = self.root / name
        linked = public.is_symlink() and str(public.readlink()) == self._link_text(name)
        if not public.exists():
            return Present(name, None, 0, linked, name in recorded, untouched=False)
        content = read_bytes(public)
        untouched = recorded.get(name) == hashlib.sha256(content).hexdigest()
        return Present(name, content, public.stat().st_mode & 0o7777, linked, name in recorded, untouched)

    def _target(self) -> str:
        """Name of the present set's directory; empty where there is none."""
        current = self.store / _CURRENT
        return str(current.readlink()) if current.is_symlink() else ""

    def _recorded(self) -> dict[str, str]:
        """Digests of the present set's files by their names."""
        try:
            text = (self.store / _CURRENT / _SUMS).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            # Without a record everything counts as somebody else's, which is kept where it differs.
            return {}
        pairs = (line.partition("  ") for line in text.splitlines())
        return {name: digest for digest, space, name in pairs if space and self._is_name(name)}

    def _is_name(self, name: str) -> bool:
        return not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts

    def _links(self) -> list[str]:
        """Names that are links of ours, also those that lead nowhere."""
        names = (path.relative_to(self.root).as_posix() for path in self._beside() if path.is_symlink())
        return [name for name in names if str((self.root / name).readlink()) == self._link_text(name)]

    def _beside(self) -> Iterator[Path]:
        """Everything in the directories of public names."""
        for directory in dict.fromkeys((self.root, *((self.root / name).parent for name in self.neighbours))):
            with contextlib.suppress(FileNotFoundError):
                yield from directory.iterdir()

    def _current_from(self, directory: Path) -> str:
        # Either directory may itself be reached through a link.
        store = os.path.realpath(self.root) + f"/{STORE}"
        return os.path.relpath(f"{store}/{_CURRENT}", os.path.realpath(directory))

    def _link_text(self, name: str) -> str:
        return f"{self._current_from((self.root / name).parent)}/{name}"

    def _build(self, files: Sequence[SetFile]) -> str:
        """Write a set that nobody sees yet.

        :return: name of its directory
        """
        sums = "".join(f"{hashlib.sha256(file.content).hexdigest()}  {file.name}\n" for file in files)
        name = f"{hashlib.sha256(sums.encode()).hexdigest()[:16]}-{os.urandom(4).hex()}"
        directory = self.store / name
        self._make_directory(directory)
        for file in (*files, SetFile(_SUMS, sums.encode())):
            place = directory / file.name
            self._make_directory(place.parent)
            self._write_new(place, file.content, file.mode)
        for neighbour in self.neighbours:
            # Whoever follows the links to the end still finds it beside them.
            place = directory / neighbour
            self._make_directory(place.parent)
            beside = self.root / neighbour
            real = Path(os.path.realpath(beside.parent), beside.name)
            self._symlink(place, os.path.relpath(real, os.path.realpath(place.parent)))
        for inner in [*(path for path in directory.rglob("*") if path.is_dir()), directory]:
            sync_directory(inner)
        return name

    def _switch(self, name: str) -> None:
        current = self.store / _CURRENT
        if current.is_dir() and not current.is_symlink():
            # A copy that didn't keep links; the public names are files then, so nobody looks through it.
            current.rename(self.store / f"{_CURRENT}-{os.urandom(4).hex()}")
        temporary = self.store / f"{_CURRENT}-{os.urandom(4).hex()}"
        self._symlink(temporary, name)
        temporary.replace(current)
        sync_directory(self.store)

    def _link(self, name: str) -> None:
        public = self.root / name
        temporary = _temporary(public)
        self._symlink(temporary, self._link_text(name))
        temporary.replace(public)

    def _sweep(self) -> None:
        for path in self.leftovers():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _write_beside(self, path: Path, content: bytes, mode: int) -> Path:
        temporary = _temporary(path)
        self._write_new(temporary, content, mode)
        return temporary

    def _write_new(self, path: Path, content: bytes, mode: int) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            self._give_away(path)
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())

    def _make_directory(self, directory: Path) -> None:
        if not directory.is_dir():
            directory.mkdir()
            directory.chmod(_DIRECTORY_MODE)
            self._give_away(directory)

    def _symlink(self, path: Path, text: str) -> None:
        path.symlink_to(text)
        self._give_away(path)

    def _give_away(self, path: Path) -> None:
        """Root's visit mustn't shut out the account that the files belong to."""
        if os.geteuid() == 0:
            owner = self.root.stat()
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._make_directory(self.store)
        with exclusive(self.store / _LOCK, what=str(self.store)):
            yield

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else self.store
            raise file_error("written", path, error) from error


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.urandom(6).hex()}.together")


def _as_found(present: Mapping[str, Present]) -> list[SetFile]:
    return [SetFile(name, found.content, found.mode) for name, found in present.items() if found.content is not None]
