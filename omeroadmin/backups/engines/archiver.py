"""What restic and borg differ in: how trees of files get into their repositories and out again."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from omeroadmin.backups.scan import Root
from omeroadmin.backups.target import is_id

PARTS = "parts"
"""Dump, configuration, manifest and document: where it is, the snapshot exists."""
FILES = "files"
"""Contents of the files."""
RECORD = "record-"
"""A document kept beside a snapshot; its name follows."""

LONG = 7 * 86400.0
"""Seconds that a run may take; a backup that takes longer is not one."""

_CHUNK = 1 << 20
_LABEL = re.compile(r"omero-(?P<id>\d{8}T\d{6}Z-[0-9a-f]{6})-(?P<kind>[a-z][\w.-]*?)\.(?P<nonce>[0-9a-f]{8})")


@dataclass(frozen=True)
class Label:
    """What an archive is, in its name or tag.

    :param kind: :data:`PARTS`, :data:`FILES`, or :data:`RECORD` with a name
    """

    snapshot: str
    kind: str

    def text(self) -> str:
        """The label as text that no other archive has."""
        return f"omero-{self.snapshot}-{self.kind}.{secrets.token_hex(4)}"


def parse_label(text: str) -> Label | None:
    """The label of a name or tag; ``None`` if it is none of ours."""
    match = _LABEL.fullmatch(text)
    return Label(match["id"], match["kind"]) if match and is_id(match["id"]) else None


class Archive(NamedTuple):
    """A tree of files in a repository.

    :param name: what the program knows it by
    :param identity: changes when its content does
    :param host: where it was made
    """

    name: str
    identity: str
    label: Label
    host: str


@dataclass(frozen=True)
class Wanted:
    """Files to be saved.

    :param roots: the trees where most of them are
    :param places: file with all their paths, each ended by a zero
    :param previous: what is built upon
    :param limit: bytes a second to send; 0: as fast as it goes
    """

    roots: Sequence[Root]
    places: Path
    previous: Archive | None
    limit: int = 0


class Stored(NamedTuple):
    """A file of an archive.

    :param path: where it was, without the leading slash
    :param size: bytes; ``None`` for a further name of a file that was stored already
    :param mtime_us: microseconds since 1970
    """

    path: str
    size: int | None
    mtime_us: int


def ended_by_zero(stream: IO[bytes]) -> Iterator[bytes]:
    """The items of a stream, each of which ends with a zero."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        *items, rest = (rest + chunk).split(b"\0")
        yield from items


class Archiver(Protocol):
    """A program with its repository."""

    @property
    def repository(self) -> str:
        """The repository, for messages; without a password."""

    def initialise(self) -> None:
        """Make the repository where it is missing."""

    def settle(self) -> None:
        """Take away the program's own locks of runs that have ended."""

    def archives(self) -> list[Archive]:
        """All archives of ours, oldest first.

        :raises AdminError: ``backup-target-missing`` …
        """

    def save_directory(self, label: Label, directory: Path) -> None:
        """Save a directory; paths are relative to it."""

    def save_files(self, label: Label, wanted: Wanted) -> None:
        """Save files under their absolute paths. What can't be read is left out."""

    def files(self, archive: Archive) -> Iterator[Stored]:
        """All files of an archive."""

    def fetch(self, archive: Archive, directory: Path, only: Collection[str]) -> None:
        """Write an archive of :meth:`save_directory` to a directory."""

    def content(self, archive: Archive, path: str) -> bytes:
        """The content of one file; small, or there is no other way."""

    def tar(self, archive: Archive) -> AbstractContextManager[IO[bytes]]:
        """The archive as a stream in tar's format; an error at its end if it isn't whole."""

    def delete(self, archives: Sequence[Archive]) -> None:
        """Delete archives, and what only they needed."""
