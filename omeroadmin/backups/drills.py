"""Records of drills, kept with the snapshots they were made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from omeroadmin.backups.engines.engine import Engine

DRILL_NAME = "drill.json"


@dataclass(frozen=True)
class Drill:
    """The record of a drill that found nothing wrong.

    :param finished: seconds since 1970
    :param seconds: how long all of it took, but for taking the server down
    :param restore_seconds: how long the restore took
    :param start_seconds: how long the restored server took to start
    :param files: files that were restored
    :param size: their bytes
    :param rows: rows of the restored database that were reconciled with them
    :param formats: OMERO's names of the formats of which an image was read
    :param images: images that a client saw
    :param filesets: filesets that a client saw
    """

    finished: float
    seconds: float
    restore_seconds: float
    start_seconds: float
    files: int
    size: int
    rows: int
    formats: tuple[str, ...]
    images: int
    filesets: int


def record_drill(engine: Engine, snapshot_id: str, drill: Drill | None) -> None:
    """Keep the record of a drill; ``None``: it found faults, so an earlier record goes.

    :raises AdminError: ``file-not-written``, ``file-not-removed``
    """
    engine.record(snapshot_id, DRILL_NAME, None if drill is None else asdict(drill))


def recorded_drill(engine: Engine, snapshot_id: str) -> Drill | None:
    """The record of a snapshot's last drill; ``None`` where none has succeeded."""
    document: dict[str, Any] | None = engine.recorded(snapshot_id, DRILL_NAME)
    try:
        return None if document is None else Drill(**{**document, "formats": tuple(document["formats"])})
    except (KeyError, TypeError):
        # Of no use: then nothing is known to have been tried.
        return None
