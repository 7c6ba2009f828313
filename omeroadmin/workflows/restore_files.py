"""Brings files out of a snapshot without making an instance: what was deleted by mistake, or a whole repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.selection import Amount, Selection
from omeroadmin.backups.snapshot import Snapshot, manifest_path
from omeroadmin.steps.kinds import MakeDirectory
from omeroadmin.steps.plan import Step
from omeroadmin.workflows.backup_scope import CERTIFICATES, DATA, MANAGED, SCRIPTS
from omeroadmin.workflows.restore_destination import Destination
from omeroadmin.workflows.restore_steps import CheckRestored, ExtractFiles, Mark, RestoreReport, Unmark

_DIRECTORY_MODE = 0o750


def file_places(base: Path, roots: Mapping[str, str]) -> dict[str, Path]:
    """Where each tree goes: the data directory as it was, what lay outside of it in directories of its own.

    :param roots: trees of the snapshot
    """
    places = {
        DATA: base,
        MANAGED: base / "ManagedRepository",
        CERTIFICATES: base / "certs",
        SCRIPTS: base / "scripts",
    }
    return {name: place for name, place in places.items() if name in roots}


def file_steps(
    engine: Engine,
    snapshot: Snapshot,
    directory: Path,
    destination: Destination,
    selection: Selection,
    amount: Amount,
    report: RestoreReport,
) -> list[Step]:
    """The steps that bring out the files of a selection.

    :param directory: the snapshot's
    :param report: is filled while they are carried out
    """
    base, manifest = destination.data, manifest_path(directory)
    places = tuple(file_places(base, snapshot.roots).items())
    return [
        *([] if base.is_dir() else [MakeDirectory(base, _DIRECTORY_MODE)]),
        Mark(destination.mark, destination.source, base, finished=False),
        ExtractFiles(engine, snapshot, manifest, places, selection, amount, report),
        CheckRestored(manifest, places, selection, None, report),
        Unmark(destination.mark),
    ]
