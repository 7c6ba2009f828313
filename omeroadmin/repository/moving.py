"""Moves a repository to another place: facts, plan and the steps that touch files (manual, Moving the data repository).

A note in the instance says what is under way. Together with what lies where it tells how far a move has come, so that
one that was killed is gone on with, or taken back, by what is there and not by what somebody remembers.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.repository.mirroring import Watcher, differences, extent, mirror
from omeroadmin.system import files
from omeroadmin.system.host import Host
from omeroadmin.system.mounts import mounts_below

NOTE_NAME = "move.json"
"""Name of the note below ``var``."""

_MARGIN = 1 << 24
"""Bytes that must stay free at the new place."""


class Way(StrEnum):
    """How files get to the new place."""

    RENAME = "rename"
    COPY = "copy"


@dataclass(frozen=True)
class MoveNote:
    """What is under way.

    :param property: ``omero.data.dir`` or ``omero.managed.dir``
    :param old: where the files were
    :param new: where they go
    :param was_running: whether the server ran, and is to run again
    :param before: properties that change, with their values before; ``None``: not set
    :param after: the same, with their new values
    """

    property: str
    old: str
    new: str
    way: str
    was_running: bool
    before: Mapping[str, str | None] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PlaceFacts:
    """What there is at the two places.

    :param old_is_there: whether the old directory is there
    :param new_is_there: whether the new place is a directory with something in it
    :param same_disk: whether a rename will do
    :param files: number of files at the old place; only counted for a copy
    :param size: bytes that they take
    :param free: bytes that are free at the new place
    """

    old_is_there: bool
    new_is_there: bool
    same_disk: bool
    files: int = 0
    size: int = 0
    free: int = 0


def read_note(path: Path) -> MoveNote | None:
    """The note of a move that has not ended.

    :raises AdminError: ``file-not-read``
    """
    if not path.exists():
        return None
    try:
        return MoveNote(**json.loads(files.read_bytes(path)))
    except (ValueError, TypeError) as error:
        raise failed_error(
            "file-not-read", f"{path} is no note of a move: {error}", f"look at it: cat {path}"
        ) from error


def place_facts(old: Path, new: Path, *, copy: bool, under_way: bool) -> PlaceFacts:
    """Look at both places, and refuse what can't end well.

    :param copy: whether a copy is wanted in any case
    :param under_way: whether a note says that the new place is ours
    :raises AdminError: ``directory-missing``, ``directory-occupied``, ``directory-not-writable``, ``move-inside``,
        ``mounted-below``, ``disk-full``, ``file-not-read``
    """
    try:
        return _place_facts(old, new, copy=copy, under_way=under_way)
    except OSError as error:
        raise files.file_error("read", Path(error.filename or new), error) from error


def _place_facts(old: Path, new: Path, *, copy: bool, under_way: bool) -> PlaceFacts:
    if not str(new).isprintable():
        raise configuration_error("directory-invalid", f"{str(new)!a} can't be the name of a repository")
    if old.is_dir() and (new.is_relative_to(old) or old.is_relative_to(new)):
        raise configuration_error("move-inside", f"{old} and {new} lie in each other", "choose a place outside")
    if not new.parent.is_dir():
        raise configuration_error(
            "directory-missing", f"there is no directory {new.parent}", f"mount it, or make it: mkdir {new.parent}"
        )
    new_is_there = _is_filled(new)
    if new_is_there and not under_way:
        raise configuration_error(
            "directory-occupied", f"{new} is there already and not empty; nothing was changed", "choose another place"
        )
    if not old.is_dir():
        if under_way and new_is_there:
            return PlaceFacts(old_is_there=False, new_is_there=True, same_disk=True)
        raise configuration_error(
            "directory-missing", f"there is no directory {old}", "mount it, or correct the setting"
        )
    _refuse_closed(new if new.is_dir() else new.parent)
    mounted = mounts_below(old)
    same_disk = not copy and old.stat().st_dev == _disk(new).st_dev and not os.path.ismount(old)
    if mounted and same_disk:
        raise configuration_error(
            "mounted-below",
            f"{mounted[0]} is mounted inside of {old} and can't be renamed with it",
            "unmount it first and mount it at the new place after, or copy everything with --copy",
        )
    if same_disk:
        _refuse_closed(old.parent)
        return PlaceFacts(old_is_there=True, new_is_there=new_is_there, same_disk=True)
    return _checked_room(old, new, new_is_there=new_is_there)


def _refuse_closed(directory: Path) -> None:
    """What would be noticed only when the server is stopped already."""
    if not os.access(directory, os.W_OK | os.X_OK):
        raise configuration_error(
            "directory-not-writable",
            f"{directory} is not writable for this account; nothing was changed",
            f"see whose it is: ls -ld {directory}",
        )


def _checked_room(old: Path, new: Path, *, new_is_there: bool) -> PlaceFacts:
    number, size = extent(old)
    present = extent(new)[1] if new_is_there else 0
    disk = os.statvfs(new if new.is_dir() else new.parent)
    free = disk.f_bavail * disk.f_frsize
    if size - present + _MARGIN > free:
        raise configuration_error(
            "disk-full",
            f"{old} takes {size - present} bytes more, and at {new} are {free} free; nothing was changed",
            f"make room: df -h {new.parent}",
        )
    return PlaceFacts(True, new_is_there, same_disk=False, files=number, size=size, free=free)


@dataclass(frozen=True)
class WriteNote:
    """Note what is under way."""

    path: Path
    note: MoveNote

    def describe(self) -> str:
        """One line for the plan."""
        return f"note in {self.path} what is under way"

    def apply(self, host: Host) -> None:
        """Make the change."""
        host.write(self.path, json.dumps(asdict(self.note)).encode() + b"\n", mode=files.SECRET_MODE)


@dataclass(frozen=True)
class RemoveNote:
    """The move has ended."""

    path: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"remove the note {self.path}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - files are moved where this runs
        """Make the change."""
        try:
            self.path.unlink(missing_ok=True)
            files.sync_directory(self.path.parent)
        except OSError as error:
            raise files.file_error("removed", self.path, error) from error


@dataclass(frozen=True)
class RenameTree:
    """Give a directory its new name."""

    old: Path
    new: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"rename {self.old} to {self.new}"

    def apply(self, host: Host) -> None:  # noqa: ARG002
        """Make the change.

        :raises AdminError: ``file-not-written``, ``copy-needed``
        """
        try:
            self.old.rename(self.new)
            for directory in {self.old.parent, self.new.parent}:
                files.sync_directory(directory)
        except OSError as error:
            if error.errno in (errno.EXDEV, errno.EBUSY):
                raise configuration_error(
                    "copy-needed", f"{self.old} can't be renamed to {self.new}: {error.strerror}", "add --copy"
                ) from error
            raise files.file_error("written", self.new, error) from error


@dataclass(frozen=True)
class CopyTree:
    """Make the new directory like the old one.

    :param final: whether nothing may change any more, and both must be the same at the end
    """

    old: Path
    new: Path
    final: bool
    facts: PlaceFacts
    watcher: Watcher | None = field(default=None, repr=False, compare=False)

    def describe(self) -> str:
        """One line for the plan."""
        if not self.final:
            return f"copy {self.facts.files} files ({self.facts.size} bytes) to {self.new} while the server goes on"
        return f"copy what {self.new} hasn't got yet, and check that it is like {self.old}"

    def apply(self, host: Host) -> None:  # noqa: ARG002
        """Make the change.

        :raises AdminError: ``copy-failed``, ``copy-differs``
        """
        mirror(self.old, self.new, self.watcher)
        if self.final and (found := differences(self.old, self.new)):
            raise failed_error(
                "copy-differs",
                f"{self.new} is not like {self.old}: {found[0]}",
                "something still writes there; end it and run this again",
            )


@dataclass(frozen=True)
class RemoveTree:
    """Remove a directory that is not needed any more."""

    path: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"remove {self.path}"

    def apply(self, host: Host) -> None:  # noqa: ARG002
        """Make the change; a mount point itself stays.

        :raises AdminError: ``file-not-removed``
        """
        try:
            for entry in os.scandir(self.path) if self.path.is_dir() else ():
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    Path(entry.path).unlink()
            if self.path.is_dir() and not os.path.ismount(self.path):
                self.path.rmdir()
        except OSError as error:
            raise files.file_error("removed", self.path, error) from error


def half_moved(note: MoveNote, configured: Path) -> AdminError | None:
    """What to say to a start while a move is under way; ``None`` where the configured directory holds the files.

    A copy is no hindrance: until the setting changes, the old directory is whole.

    :param configured: what the property of the note says now
    """
    if _is_filled(configured):
        return None
    command = command_of(note.property)
    return configuration_error(
        "half-moved",
        f"the move of {note.property} from {note.old} to {note.new} was interrupted, and {configured} is empty",
        f"go on: omero admin {command} {note.new}; or take it back: omero admin {command} --undo",
    )


def command_of(name: str) -> str:
    """The command that moves what a property names."""
    return "move-data" if name == "omero.data.dir" else "move-managed"


def _is_filled(path: Path) -> bool:
    if not path.exists() and not path.is_symlink():
        return False
    if not path.is_dir():
        raise configuration_error("directory-occupied", f"{path} is not a directory", "choose another place")
    return any(entry.name != "lost+found" for entry in path.iterdir())


def _disk(path: Path) -> os.stat_result:
    return (path if path.is_dir() else path.parent).stat()
