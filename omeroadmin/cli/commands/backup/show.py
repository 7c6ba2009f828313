"""``omero backup show``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.backup_options import Target, target_settings


def command(
    snapshot: Annotated[
        str, typer.Argument(metavar="[ID]", help="The snapshot: its id, the beginning of it, or latest.")
    ] = "latest",
    target: Target = None,
    files: Annotated[bool, typer.Option("--files", help="List its files instead.")] = False,
    below: Annotated[str, typer.Option("--below", metavar="PATH", help="List those below this path only.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what a snapshot is, or which files are in it.

    Example: omero backup show latest

    Example: omero backup show latest --files --below data/ManagedRepository
    """
    from omeroadmin.cli.views import backup_care as view
    from omeroadmin.workflows.backup_show import show_snapshot, snapshot_files

    settings = target_settings(target)
    if files or below:
        with snapshot_files(settings, target, snapshot, below) as entries:
            view.show_files(entries, as_json=as_json)
        return
    view.show_snapshot(show_snapshot(settings, target, snapshot), as_json=as_json)
