"""``omero backup diff``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.backup_options import Target, target_settings


def command(
    one: Annotated[str, typer.Argument(metavar="A", help="A snapshot: its id, or the beginning of it.")],
    other: Annotated[str, typer.Argument(metavar="[B]", help="Another one.")] = "latest",
    target: Target = None,
    summary: Annotated[bool, typer.Option("--summary", help="Count only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Tell which files differ between two snapshots.

    Contents are compared, not times and modes. Files of the configuration come first; how their properties differ is
    told by omero config diff.

    Example: omero backup diff 20261124 latest --summary
    """
    from omeroadmin.cli.views import backup_care as view
    from omeroadmin.workflows.backup_show import compare_snapshots

    settings = target_settings(target)
    with compare_snapshots(settings, target, one, other) as compared:
        view.show_difference(compared, summary=summary, as_json=as_json)
