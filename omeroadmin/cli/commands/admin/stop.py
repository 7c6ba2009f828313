"""``omero admin stop``."""

from __future__ import annotations

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.lifecycle_options import Wait


def command(wait: Wait = 300) -> None:
    """Stop all servers, then the instance's own PostgreSQL.

    A stopped server is no error.

    Example: omero admin stop
    """
    from omeroadmin.cli.output import say
    from omeroadmin.cli.views.lifecycle import StderrReporter
    from omeroadmin.workflows.lifecycle import stop

    if not stop(require_instance(), wait, StderrReporter()):
        say("Server not running")
