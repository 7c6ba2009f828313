"""Remembers which targets an instance has backed up to: one that is empty all of a sudden is a disk not mounted.

A backup into the empty mount point would fill the system's disk, and nobody would notice before a restore. Which disk
it is doesn't matter: who changes disks in turn has snapshots on each.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from omeroadmin.backups.engines.address import BORG, RESTIC
from omeroadmin.backups.engines.engine import Engine
from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.schema.instance import Instance
from omeroadmin.system import files

_DIRECTORY_MODE = 0o700


def known_path(instance: Instance, address: str) -> Path:
    """Where an instance remembers a target; each has a file of its own, so that two backups at a time don't meet."""
    from blake3 import blake3

    name = blake3(address.encode(errors="surrogateescape")).hexdigest()[:16]
    return instance.var / "backup-targets" / f"{name}.json"


def remember_target(instance: Instance, engine: Engine, snapshot_id: str) -> None:
    """Note that a target has a snapshot. A backup that succeeded doesn't fail because of this note."""
    path = known_path(instance, engine.address)
    document = {"target": engine.address, "snapshot": snapshot_id}
    with contextlib.suppress(AdminError):
        files.make_directory(path.parent, mode=_DIRECTORY_MODE)
        files.write_atomically(path, json.dumps(document) + "\n", mode=files.SECRET_MODE)


def refuse_emptied(instance: Instance, engine: Engine) -> None:
    """Refuse a target that had snapshots of this instance and holds none now; to be called before it is made.

    :raises AdminError: ``backup-target-emptied``, and those of the connection
    """
    address = engine.address
    if known_path(instance, address).exists() and _is_empty(engine):
        raise configuration_error(
            "backup-target-emptied",
            f"{address} holds no snapshots, but did after the last backup of this instance",
            f"see whether its disk is mounted; to begin anew: omero backup create --target {address} --new-target",
        )


def _is_empty(engine: Engine) -> bool:
    if engine.address.startswith((RESTIC, BORG)):
        # Their programs take a second for each call, and wait for a lock that a killed run has left; one that isn't
        # on this machine is no mount point either.
        return engine.local is not None and not _has_entries(engine.local)
    try:
        return not engine.names()
    except AdminError as error:
        if error.code != "backup-target-missing":
            raise
        return True


def _has_entries(directory: Path) -> bool:
    try:
        return any(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise files.file_error("read", directory, error) from error
