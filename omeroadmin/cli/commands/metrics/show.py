"""``omero metrics show``."""

from __future__ import annotations

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.output import print_lines


def command() -> None:
    """Print the instance's metrics in Prometheus' text format.

    What can't be reached is a value of 0, such as omero_up or omero_database_up, and no failure of the command.

    Example: omero metrics show > /var/lib/node_exporter/omero.prom
    """
    from omeroadmin.metrics.exposition import exposition
    from omeroadmin.workflows.metrics import collect_samples

    print_lines(exposition(collect_samples(require_instance())).rstrip("\n"))
