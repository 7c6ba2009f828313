"""``omero admin restartasync``."""

from __future__ import annotations

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.lifecycle_options import File, ForceRewrite, Targets, Wait


def command(file: File = None, targets: Targets = None, force_rewrite: ForceRewrite = False, wait: Wait = 300) -> None:
    """Stop the server if it runs, and start it without waiting.

    --wait bounds the stop, which must be over before the start; omero admin waitup waits for the rest.

    Example: omero admin restartasync && omero admin waitup --wait 60
    """
    from omeroadmin.cli.views.lifecycle import StderrReporter
    from omeroadmin.workflows.lifecycle import StartOptions, restart_async

    restart_async(require_instance(), StartOptions(file, tuple(targets or ()), wait, force_rewrite), StderrReporter())
