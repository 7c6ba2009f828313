"""``omero admin stopasync``."""

from __future__ import annotations

from omeroadmin.cli.context import require_instance


def command() -> None:
    """Ask all servers to stop, without waiting.

    omero admin waitdown waits for their end.

    Example: omero admin stopasync && omero admin waitdown --wait 60
    """
    from omeroadmin.cli.output import say
    from omeroadmin.workflows.lifecycle import stop_async

    if not stop_async(require_instance()):
        say("Server not running")
