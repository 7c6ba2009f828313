"""``omero backup list``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.context import instance_settings
from omeroadmin.cli.output import Style
from omeroadmin.cli.views import backups as view


def command(
    target: Annotated[
        Path | None, typer.Option("--target", metavar="DIR", help="Where snapshots are kept [omero.backup.target].")
    ] = None,
    style: Annotated[Style, typer.Option("--style", help="How the list is printed.")] = Style.SQL,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --style json.")] = False,
) -> None:
    """List the snapshots of a target, oldest first.

    Example: omero backup list --target /backup/omero
    """
    from omeroadmin.backups.store import list_snapshots
    from omeroadmin.workflows.backup_scope import target_directory

    settings = instance_settings() if target is None else None
    view.show_list(list_snapshots(target_directory(settings, target)), Style.JSON if as_json else style)
