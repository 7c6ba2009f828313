"""What kinds of targets differ in: where snapshots lie, and how contents of files get there and back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from omeroadmin.backups.collect import Collected
from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import Entry
from omeroadmin.backups.scan import Found, Root
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.backups.verify import Read


@dataclass(frozen=True)
class Sources:
    """What a run is to bring in.

    :param found: what is on the disk, in order
    :param previous: lines of the previous snapshot's manifest
    :param trusted_until_ns: files modified later are read again even if they look the same
    :param with_sha1: whether OMERO may have recorded a SHA-1 for a path of the manifest
    :param jobs: threads that read
    :param roots: the trees that ``found`` walks through
    :param thorough: whether the target is asked for the content of each unchanged file
    :param limit: bytes a second to read; 0: as fast as it goes
    """

    found: Iterable[Found]
    previous: Iterable[bytes]
    trusted_until_ns: int
    with_sha1: Callable[[str], bool]
    jobs: int = 1
    roots: tuple[Root, ...] = ()
    thorough: bool = False
    limit: int = 0


class Content(NamedTuple):
    """The content of a file on its way out of a target.

    :param chunks: its bytes, to be read before the next content is asked for; ``None``: see the fault
    :param place: where the target has it, for messages
    """

    entry: Entry
    chunks: Iterator[bytes] | None
    place: str
    fault: Fault | None = None


class InUse(NamedTuple):
    """A snapshot that is being read.

    :param by: who reads it, for messages
    """

    id: str
    by: str


@dataclass(frozen=True)
class Removed:
    """What a removal came to.

    :param snapshots: ids of the removed snapshots
    :param contents: number of contents that no snapshot names any more; 0 where the program of the target doesn't say
    :param size: their bytes
    :param kept_because: why no content was removed: the manifest of a remaining snapshot can't be read
    :param in_use: snapshots that should have been removed but stay, because they are being read
    """

    snapshots: tuple[str, ...]
    contents: int = 0
    size: int = 0
    kept_because: str = ""
    in_use: tuple[InUse, ...] = ()


class Engine(Protocol):
    """One kind of target. Connections are made when they are needed first."""

    @property
    def address(self) -> str:
        """The target as it was named; holds no secret."""

    @property
    def local(self) -> Path | None:
        """The directory of this machine where the target lies; ``None`` if it is elsewhere."""

    def make(self) -> None:
        """Make the target where it is missing.

        :raises AdminError: ``backup-target-occupied``, ``directory-not-created`` and those of the connection
        """

    def locked(self, *, timeout: float = 10.0) -> AbstractContextManager[None]:
        """Be the only writer; what killed runs left behind is gone inside the block.

        :param timeout: seconds to queue
        :raises AdminError: ``locked``, ``backup-target-missing``
        """

    def names(self) -> list[str]:
        """Ids of all finished snapshots, oldest first.

        :raises AdminError: ``backup-target-missing``
        """

    def read(self, snapshot_id: str) -> Snapshot:
        """A snapshot's document.

        :raises AdminError: ``snapshot-damaged``
        """

    def place(self, snapshot_id: str) -> str:
        """Where the target has a snapshot's dump, configuration and manifest, for messages."""

    def using(self, ids: Sequence[str]) -> AbstractContextManager[None]:
        """Keep snapshots from being removed by others while the block lasts.

        Where the target can't be written to and so no mark be left, the block goes on without.

        :raises AdminError: ``snapshot-unknown``: one of them has been removed meanwhile
        """

    def begin(self, snapshot_id: str) -> AbstractContextManager[Path]:
        """A private local directory for the dump, the configuration and the manifest of a new snapshot.

        After a failure nothing of the snapshot is left, here or in the target. The lock must be held.
        """

    def collect(self, snapshot_id: str, sources: Sources, result: Collected) -> Generator[Entry | bytes, None, None]:
        """Bring files in; their contents are in the target when the iterator ends, but for ``result.absent``.

        :param result: counted up
        :raises AdminError: ``backup-not-written``
        """

    def finish(self, directory: Path, snapshot: Snapshot) -> None:
        """Publish what was begun: the snapshot exists when this returns, and not before.

        :raises AdminError: ``backup-not-written``, ``file-not-written``
        """

    def parts(self, snapshot_id: str, only: Collection[str] = ()) -> AbstractContextManager[Path]:
        """A local directory with a snapshot's files, to be read only.

        :param only: names at its top, where not all of them are needed
        """

    def contents(self, snapshot: Snapshot, entries: Iterable[Entry]) -> Iterator[Content]:
        """The contents of files, in any order."""

    def check(self, snapshot: Snapshot, entries: Iterable[Entry], read: Read, *, jobs: int = 1) -> Iterator[Fault]:
        """Faults of the contents of files: each is read again.

        :param entries: all of the snapshot or some
        :param read: counted up
        :param jobs: threads that read
        """

    def remove(self, ids: Sequence[str], *, dry_run: bool = False) -> Removed:
        """Remove snapshots, and the contents that no snapshot names any more. The lock must be held.

        Those that somebody uses stay.

        :param ids: none: only contents that a killed run has left
        """

    def record(self, snapshot_id: str, name: str, document: Mapping[str, Any] | None) -> None:
        """Keep a document beside a snapshot; ``None``: an earlier one goes.

        :param name: of a file, ``verified.json``
        :raises AdminError: ``file-not-written``, ``file-not-removed``
        """

    def recorded(self, snapshot_id: str, name: str) -> dict[str, Any] | None:
        """A document kept beside a snapshot; ``None`` where there is none or it can't be read."""

    def close(self) -> None:
        """Let go of connections and temporary files; the engine can be used again."""
