"""``omero backup drill``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.backup_options import IdentityFiles, PassphraseFile, Target
from omeroadmin.cli.context import instance_settings, present_settings
from omeroadmin.cli.views import drills as view
from omeroadmin.cli.views.lifecycle import StderrReporter
from omeroadmin.errors import ExitStatus


def command(
    snapshot: Annotated[
        str, typer.Argument(metavar="[ID]", help="The snapshot: its id, the beginning of it, or latest.")
    ] = "latest",
    target: Target = None,
    scratch: Annotated[
        Path | None,
        typer.Option("--scratch", metavar="DIR", help="Where it is restored to [the directory of temporary files]."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Connections that restore.")] = 2,
    identity_file: IdentityFiles = None,
    passphrase_file: PassphraseFile = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing unless something is wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Try a restore, to the end.

    The snapshot is restored into a scratch directory and started there; root logs in, reads an image of each format,
    and compares counts. Then all of it is taken down and removed.

    It needs room for all files of the snapshot. The running server is not touched: the drill's listens on other ports,
    to this machine only. How long the restore took is kept with the snapshot.

    Each fault is named, and the exit status is 5.

    Example: omero backup drill --target /backup/omero --scratch /data/scratch
    """
    from omeroadmin.workflows.backup_keys import keys_for
    from omeroadmin.workflows.backup_target import target_address
    from omeroadmin.workflows.drill import DrillWish, drill_backup

    address = target_address(instance_settings() if target is None else None, target)
    present = present_settings()
    keys = keys_for(present, identity_file or (), passphrase_file)
    drilled = drill_backup(DrillWish(address, snapshot, scratch, jobs, keys, present), StderrReporter())
    view.show_drilled(drilled, as_json=as_json, quiet=quiet)
    if not drilled.succeeded:
        raise typer.Exit(ExitStatus.FAILED)
