"""Looks snapshots up: all of a target, one by its id, and what monitoring wants to know of the newest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from omeroadmin.backups.drills import Drill, recorded_drill
from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.errors import AdminError, configuration_error, failed_error

VERIFIED_NAME = "verified.json"


@dataclass(frozen=True)
class Verification:
    """The record of a verification that found nothing wrong.

    :param finished: seconds since 1970
    :param seconds: how long it took
    :param files: files that were read
    :param size: their bytes
    :param rows: rows of the restored dump that were reconciled; 0 where it wasn't restored
    :param deep: whether the dump was restored
    :param sample: the part of the contents that was read, 1.0 for all
    """

    finished: float
    seconds: float
    files: int
    size: int
    rows: int
    deep: bool = True
    sample: float = 1.0


@dataclass(frozen=True)
class Listed:
    """A line of ``omero backup list``.

    :param snapshot: ``None`` where its document is damaged
    :param verified: ``None`` where no verification has succeeded since it was made
    :param drill: ``None`` where no drill has
    """

    id: str
    snapshot: Snapshot | None
    verified: Verification | None
    drill: Drill | None = None
    damage: str = ""


@dataclass(frozen=True)
class BackupFacts:
    """What monitoring wants to know of a target.

    :param snapshots: number of snapshots, damaged and inconsistent ones among them
    :param last_success: when the newest consistent snapshot was finished, seconds since 1970; ``None`` without one
    :param seconds: how long it took
    :param size: bytes of its files
    :param copied_bytes: bytes that were new
    :param files: number of its files
    :param verified: when any snapshot was last verified with success, seconds since 1970
    :param drilled: when a drill last succeeded, seconds since 1970
    :param restore_seconds: how long the restore took in that drill
    """

    snapshots: int
    last_success: float | None
    seconds: float
    size: int
    copied_bytes: int
    files: int
    verified: float | None
    drilled: float | None = None
    restore_seconds: float | None = None


def list_snapshots(engine: Engine) -> list[Listed]:
    """All snapshots of a target, oldest first.

    :raises AdminError: ``backup-target-missing``
    """
    return [_listed(engine, name) for name in engine.names()]


def find_snapshot(engine: Engine, wanted: str) -> Snapshot:
    """A snapshot by its id, the beginning of it, or ``latest``.

    :raises AdminError: ``backup-target-missing``, ``snapshot-unknown``, ``snapshot-ambiguous``, ``snapshot-damaged``
    """
    names = engine.names()
    matching = names[-1:] if wanted == "latest" else [name for name in names if wanted and name.startswith(wanted)]
    hint = f"see them: omero backup list --target {engine.address}"
    if len(matching) == 1:
        try:
            return engine.read(matching[0])
        except AdminError as error:
            if error.code != "snapshot-damaged":
                raise
            # What reads the document doesn't know the target's name.
            raise failed_error(error.code, error.message, f"name another one by its ID; {hint}") from error
    if not matching:
        what = "no snapshot" if wanted == "latest" else f"no snapshot {wanted!r}"
        raise configuration_error("snapshot-unknown", f"{engine.address} holds {what}", hint)
    raise configuration_error("snapshot-ambiguous", f"{wanted!r} is the beginning of {len(matching)} snapshots", hint)


@contextlib.contextmanager
def using_snapshot(engine: Engine, wanted: str) -> Iterator[Snapshot]:
    """A snapshot as :func:`find_snapshot` finds it, which no prune removes while the block lasts.

    :raises AdminError: as :func:`find_snapshot`
    """
    snapshot = find_snapshot(engine, wanted)
    with engine.using((snapshot.id,)):
        yield snapshot


def newest_snapshot(engine: Engine) -> Snapshot | None:
    """The newest snapshot that can be read: what an incremental run builds upon."""
    for name in reversed(engine.names()):
        try:
            return engine.read(name)
        except AdminError as error:
            if error.code != "snapshot-damaged":
                raise
    return None


def latest_facts(engine: Engine) -> BackupFacts:
    """What monitoring wants to know; cheap: no content is looked at.

    :raises AdminError: ``backup-target-missing``
    """
    listed = list_snapshots(engine)
    good = [item.snapshot for item in listed if item.snapshot is not None and item.snapshot.consistent]
    verified = max((item.verified.finished for item in listed if item.verified is not None), default=None)
    drill = max((item.drill for item in listed if item.drill is not None), key=lambda one: one.finished, default=None)
    drilled, restore_seconds = (None, None) if drill is None else (drill.finished, drill.restore_seconds)
    if not good:
        return BackupFacts(len(listed), None, 0.0, 0, 0, 0, verified, drilled, restore_seconds)
    last = good[-1]
    return BackupFacts(
        snapshots=len(listed),
        last_success=last.finished,
        seconds=last.seconds,
        size=last.size,
        copied_bytes=last.copied_bytes,
        files=last.files,
        verified=verified,
        drilled=drilled,
        restore_seconds=restore_seconds,
    )


def record_verification(engine: Engine, snapshot_id: str, verification: Verification | None) -> None:
    """Keep the record of a verification; ``None``: it found faults, so an earlier record goes.

    What proves a sample doesn't take the place of what proved all.

    :raises AdminError: ``file-not-written``, ``file-not-removed``
    """
    if verification is not None and verification.sample < 1.0:
        earlier = _verification(engine.recorded(snapshot_id, VERIFIED_NAME))
        if earlier is not None and earlier.sample >= 1.0:
            return
    engine.record(snapshot_id, VERIFIED_NAME, None if verification is None else asdict(verification))


def read_verification(engine: Engine, snapshot_id: str) -> Verification | None:
    """The record of the last verification; ``None`` where none has succeeded since."""
    return _verification(engine.recorded(snapshot_id, VERIFIED_NAME))


def _listed(engine: Engine, name: str) -> Listed:
    try:
        verified = read_verification(engine, name)
        return Listed(name, engine.read(name), verified, recorded_drill(engine, name))
    except AdminError as error:
        if error.code not in ("snapshot-damaged", "file-not-read"):
            raise
        return Listed(name, None, None, damage=error.message)


def _verification(document: dict[str, Any] | None) -> Verification | None:
    try:
        return None if document is None else Verification(**document)
    except TypeError:
        # Of no use: then nothing is known to have been verified.
        return None
