"""``omero admin startasync``."""

from __future__ import annotations

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.lifecycle_options import File, ForceRewrite, Targets


def command(file: File = None, targets: Targets = None, force_rewrite: ForceRewrite = False) -> None:
    """Start the server without waiting until it is ready.

    Returns as soon as the node has taken over; omero admin waitup waits for the rest.

    Example: omero admin startasync && omero admin waitup --wait 60
    """
    from omeroadmin.cli.views.lifecycle import StderrReporter
    from omeroadmin.workflows.lifecycle import StartOptions, start_async

    options = StartOptions(file, tuple(targets or ()), force_rewrite=force_rewrite)
    start_async(require_instance(), options, StderrReporter())
