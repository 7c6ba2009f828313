"""``omero admin stats``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance


def command(
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="How many of each are listed.")] = 10,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="FILE.png", help="Draw how imports grew; - draws on the terminal.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Tell what the server holds and how it grew.

    Objects by type; bytes of imports by group, user, format and month; the largest imports; contents that were
    imported several times. All of it comes from the database, at one moment.

    Example: omero admin stats --top 5

    Example: omero admin stats --plot growth.png
    """
    from omeroadmin.cli.views import statistics as view
    from omeroadmin.workflows.statistics import instance_statistics, plot_growth

    found = instance_statistics(require_instance(), top=top)
    if plot == "-":
        view.show_growth(found)
    elif plot is not None:
        plot_growth(found, Path(plot))
    if plot is None or as_json:
        view.show_statistics(found, as_json=as_json, top=top)
