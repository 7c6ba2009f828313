"""What is known of a backup target without asking it: a target on another host is not connected to for monitoring."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path

from omeroadmin.backups.engines.address import is_directory
from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.engines.opening import open_engine
from omeroadmin.backups.store import BackupFacts, latest_facts
from omeroadmin.errors import AdminError
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files
from omeroadmin.workflows.backup_target import TARGET_PROPERTY


def record_path(instance: Instance) -> Path:
    """Where an instance notes what its target held when it was last written to."""
    return instance.var / "backup.json"


def note_facts(instance: Instance, settings: Settings, engine: Engine) -> None:
    """Note what the target holds, if it is the instance's own and monitoring can't just look.

    A backup that succeeded doesn't fail because of this note.
    """
    if is_directory(engine.address) or settings.text(TARGET_PROPERTY).strip() != engine.address:
        return
    with contextlib.suppress(AdminError):
        document = {"target": engine.address, **asdict(latest_facts(engine))}
        files.write_atomically(record_path(instance), json.dumps(document) + "\n", mode=files.SECRET_MODE)


def known_facts(instance: Instance, settings: Settings) -> BackupFacts | None:
    """What the instance's target holds; of one elsewhere, what it held when this host last wrote to it.

    :return: ``None`` where there is no target, or nothing is known of it
    :raises AdminError: ``backup-target-missing`` for a directory
    """
    address = settings.text(TARGET_PROPERTY).strip()
    if not address:
        return None
    if is_directory(address):
        return latest_facts(open_engine(address))
    try:
        document = json.loads(record_path(instance).read_bytes())
        return BackupFacts(**document) if document.pop("target") == address else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
