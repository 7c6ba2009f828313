"""``omero admin waitup``."""

from __future__ import annotations

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.lifecycle_options import Wait


def command(wait: Wait = 300) -> None:
    """Wait until clients can use the server.

    Example: omero admin waitup --wait 60
    """
    from omeroadmin.workflows.availability import wait_up

    wait_up(require_instance(), wait)
