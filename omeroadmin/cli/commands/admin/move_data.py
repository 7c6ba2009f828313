"""``omero admin move-data``."""

from __future__ import annotations

from omeroadmin.cli.backup_first import Backup
from omeroadmin.cli.move_options import Copy, DryRun, New, RemoveOld, Undo, Yes, move


def command(
    new: New = None,
    copy: Copy = False,
    remove_old: RemoveOld = False,
    undo: Undo = False,
    dry_run: DryRun = False,
    backup: Backup = False,
    yes: Yes = False,
) -> None:
    """Move the data directory (omero.data.dir) to another place.

    The server is stopped, the files are renamed, the setting is changed, the server started again. On another disk
    they are copied instead, most of them while the server goes on, and each is read back from there. If anything
    fails, all is put back. After an interruption run it again, or take it back with --undo.

    Example: omero admin move-data /mnt/big/OMERO --dry-run
    """
    from omeroadmin.workflows.move import DATA

    move(DATA, new, copy=copy, remove_old=remove_old, undo_it=undo, dry_run=dry_run, backup=backup, yes=yes)
