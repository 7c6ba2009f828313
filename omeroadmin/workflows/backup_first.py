"""A backup before a step that can't be taken back."""

from __future__ import annotations

from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.errors import failed_error
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.workflows.backup import BackupListener, BackupWish, create_backup


def back_up_before(instance: Instance, step: str, listener: BackupListener | None = None) -> Snapshot:
    """Take a snapshot into ``omero.backup.target``, or fail before anything is changed.

    :param step: what comes next, ``db upgrade``; the snapshot's tag names it
    :param listener: is told how far it has come
    :raises AdminError: ``backup-inconsistent``, and as :func:`omeroadmin.workflows.backup.create_backup`
    """
    snapshot = create_backup(BackupWish(instance, load_settings(instance), tag=f"before {step}"), listener)
    if not snapshot.consistent:
        raise failed_error(
            "backup-inconsistent",
            f"snapshot {snapshot.id} was taken, but {snapshot.fault_count} files don't fit the database, the first:"
            f" {snapshot.faults[0]}; nothing was changed",
            f"see all of them: omero backup show {snapshot.id}; or go on without --backup",
        )
    return snapshot
