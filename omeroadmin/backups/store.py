"""Looks snapshots up: all of a target, one by its id, and what monitoring wants to know of the newest."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from omeroadmin.backups.snapshot import DOCUMENT_NAME, Snapshot, read_snapshot
from omeroadmin.backups.target import Target, is_id, require_target
from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.system import files

VERIFIED_NAME = "verified.json"


@dataclass(frozen=True)
class Verification:
    """The record of a verification that found nothing wrong.

    :param finished: seconds since 1970
    :param seconds: how long it took
    :param files: files that were read
    :param size: their bytes
    :param rows: rows of the restored dump that were reconciled
    """

    finished: float
    seconds: float
    files: int
    size: int
    rows: int


@dataclass(frozen=True)
class Listed:
    """A line of ``omero backup list``.

    :param snapshot: ``None`` where its document is damaged
    :param verified: ``None`` where no verification has succeeded since it was made
    """

    id: str
    snapshot: Snapshot | None
    verified: Verification | None
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
    """

    snapshots: int
    last_success: float | None
    seconds: float
    size: int
    copied_bytes: int
    files: int
    verified: float | None


def list_snapshots(root: Path) -> list[Listed]:
    """All snapshots of a target, oldest first.

    :raises AdminError: ``backup-target-missing``
    """
    return [_listed(target, name) for target in [require_target(root)] for name in _names(target)]


def find_snapshot(root: Path, wanted: str) -> tuple[Target, Snapshot]:
    """A snapshot by its id, the beginning of it, or ``latest``.

    :raises AdminError: ``backup-target-missing``, ``snapshot-unknown``, ``snapshot-ambiguous``, ``snapshot-damaged``
    """
    target = require_target(root)
    names = _names(target)
    matching = names[-1:] if wanted == "latest" else [name for name in names if wanted and name.startswith(wanted)]
    if len(matching) == 1:
        return target, read_snapshot(target.snapshot_directory(matching[0]))
    hint = f"see them: omero backup list --target {root}"
    if not matching:
        what = "no snapshot" if wanted == "latest" else f"no snapshot {wanted!r}"
        raise configuration_error("snapshot-unknown", f"{root} holds {what}", hint)
    raise configuration_error("snapshot-ambiguous", f"{wanted!r} is the beginning of {len(matching)} snapshots", hint)


def newest_snapshot(target: Target) -> Snapshot | None:
    """The newest snapshot that can be read: what an incremental run builds upon."""
    for name in reversed(_names(target)):
        listed = _listed(target, name)
        if listed.snapshot is not None:
            return listed.snapshot
    return None


def latest_facts(root: Path) -> BackupFacts:
    """What monitoring wants to know; cheap: no pool file is looked at.

    :raises AdminError: ``backup-target-missing``
    """
    listed = list_snapshots(root)
    good = [item.snapshot for item in listed if item.snapshot is not None and item.snapshot.consistent]
    verified = max((item.verified.finished for item in listed if item.verified is not None), default=None)
    if not good:
        return BackupFacts(len(listed), None, 0.0, 0, 0, 0, verified)
    last = good[-1]
    return BackupFacts(len(listed), last.finished, last.seconds, last.size, last.copied_bytes, last.files, verified)


def record_verification(target: Target, snapshot_id: str, verification: Verification | None) -> None:
    """Keep the record of a verification; ``None``: it found faults, so an earlier record goes.

    :raises AdminError: ``file-not-written``, ``file-not-removed``
    """
    path = target.snapshot_directory(snapshot_id) / VERIFIED_NAME
    if verification is not None:
        files.write_atomically(path, json.dumps(asdict(verification)) + "\n", mode=files.SECRET_MODE)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise files.file_error("removed", path, error) from error


def _names(target: Target) -> list[str]:
    try:
        entries = [entry for entry in target.snapshots.iterdir() if is_id(entry.name)]
    except OSError as error:
        raise files.file_error("read", target.snapshots, error) from error
    return sorted(entry.name for entry in entries if (entry / DOCUMENT_NAME).exists())


def _listed(target: Target, name: str) -> Listed:
    directory = target.snapshot_directory(name)
    try:
        return Listed(name, read_snapshot(directory), _verification(directory / VERIFIED_NAME))
    except AdminError as error:
        return Listed(name, None, None, error.message)


def _verification(path: Path) -> Verification | None:
    try:
        return Verification(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        # Not there, or of no use: then nothing is known to have been verified.
        return None
