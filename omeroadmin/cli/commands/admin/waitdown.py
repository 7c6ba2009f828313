"""``omero admin waitdown``."""

from __future__ import annotations

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.lifecycle_options import Wait


def command(wait: Wait = 300) -> None:
    """Wait until the server has ended.

    That is all servers, and the instance's own PostgreSQL.

    Example: omero admin waitdown --wait 60
    """
    from omeroadmin.workflows.lifecycle import wait_down

    wait_down(require_instance(), wait)
