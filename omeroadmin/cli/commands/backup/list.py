"""``omero backup list``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.backup_options import Target, target_settings
from omeroadmin.cli.output import Style
from omeroadmin.cli.views import backups as view
from omeroadmin.errors import ExitStatus


def command(
    target: Target = None,
    style: Annotated[Style, typer.Option("--style", help="How the list is printed.")] = Style.SQL,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --style json.")] = False,
) -> None:
    """List the snapshots of a target, oldest first.

    The state is consistent, inconsistent or damaged. If the document of one is damaged, the exit status is 5.

    Example: omero backup list --target /backup/omero
    """
    from omeroadmin.workflows.backup_target import listed_snapshots

    settings = target_settings(target)
    listed = listed_snapshots(settings, target)
    view.show_list(listed, Style.JSON if as_json else style)
    if any(item.snapshot is None for item in listed):
        raise typer.Exit(ExitStatus.FAILED)
