"""``backup show`` and ``backup diff``: what is in a snapshot, and what differs between two."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.backups.difference import Difference, differences, part_differences
from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.manifest import MANIFEST_NAME, Entry, read_manifest
from omeroadmin.backups.parts import CONFIGURATION
from omeroadmin.backups.snapshot import Snapshot, manifest_path
from omeroadmin.backups.store import Verification, find_snapshot, read_verification, using_snapshot
from omeroadmin.schema.settings import Settings
from omeroadmin.workflows.backup_target import open_target


@dataclass(frozen=True)
class Shown:
    """A snapshot and what was found out about it since.

    :param place: where the target has its files
    """

    snapshot: Snapshot
    place: str
    verified: Verification | None


@dataclass(frozen=True)
class Compared:
    """Two snapshots.

    :param changes: differing files, the configuration's first; to be read inside the block that gave this
    """

    older: Snapshot
    newer: Snapshot
    changes: Iterator[Difference]


def show_snapshot(settings: Settings | None, target: str | Path | None, wanted: str) -> Shown:
    """What is known of a snapshot.

    :param wanted: its id, the beginning of it, or ``latest``
    :raises AdminError: ``backup-target-unset``, ``backup-target-missing``, ``snapshot-unknown``,
        ``snapshot-ambiguous``, ``snapshot-damaged``
    """
    with open_target(settings, target) as engine:
        snapshot = find_snapshot(engine, wanted)
        return Shown(snapshot, engine.place(snapshot.id), read_verification(engine, snapshot.id))


@contextlib.contextmanager
def snapshot_files(
    settings: Settings | None, target: str | Path | None, wanted: str, below: str = ""
) -> Iterator[Iterator[Entry]]:
    """The files of a snapshot, in order, while the block lasts.

    :param below: only these: a path of the manifest or a directory in it
    :raises AdminError: as :func:`show_snapshot`, and ``manifest-damaged``
    """
    with (
        open_target(settings, target) as engine,
        using_snapshot(engine, wanted) as snapshot,
        _manifest(engine, snapshot) as entries,
    ):
        start = below.rstrip("/")
        yield (
            entry
            for entry in entries
            if not entry.is_directory and (not start or f"{entry.path}/".startswith(f"{start}/"))
        )


@contextlib.contextmanager
def compare_snapshots(settings: Settings | None, target: str | Path | None, one: str, other: str) -> Iterator[Compared]:
    """What differs between two snapshots; the older one comes first, in whichever order they are named.

    :raises AdminError: as :func:`show_snapshot`, and ``manifest-damaged``
    """
    with open_target(settings, target) as engine:
        older, newer = sorted((find_snapshot(engine, one), find_snapshot(engine, other)), key=lambda found: found.id)
        with (
            engine.using((older.id, newer.id)),
            _manifest(engine, older) as first,
            _manifest(engine, newer) as second,
        ):
            yield Compared(older, newer, _changes(older, newer, differences(first, second)))


def _changes(older: Snapshot, newer: Snapshot, files: Iterator[Difference]) -> Iterator[Difference]:
    if not (older.sealed_to or newer.sealed_to):
        # The same configuration sealed twice is never the same bytes.
        yield from part_differences(older.parts, newer.parts, CONFIGURATION)
    yield from files


@contextlib.contextmanager
def _manifest(engine: Engine, snapshot: Snapshot) -> Iterator[Iterator[Entry]]:
    with engine.parts(snapshot.id, only=(MANIFEST_NAME,)) as directory:
        yield read_manifest(manifest_path(directory))
