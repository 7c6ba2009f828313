"""``omero metrics show``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.output import print_lines


def command(
    textfile: Annotated[
        Path | None, typer.Option("--textfile", metavar="FILE.prom", help="Write them there instead, in one step.")
    ] = None,
) -> None:
    """Print the instance's metrics in Prometheus' text format.

    What can't be reached is a value of 0, such as omero_up or omero_database_up, and no failure of the command.

    Example: omero metrics show --textfile /var/lib/prometheus/node-exporter/omero.prom
    """
    from omeroadmin.metrics.exposition import exposition
    from omeroadmin.metrics.textfile import write_textfile
    from omeroadmin.workflows.metrics import collect_samples

    samples = collect_samples(require_instance())
    if textfile is None:
        print_lines(exposition(samples).rstrip("\n"))
    else:
        write_textfile(samples, textfile)
