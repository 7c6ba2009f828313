"""``omero admin restart``."""

from __future__ import annotations

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.lifecycle_options import File, ForceRewrite, Keep, Targets, Wait


def command(
    file: File = None,
    targets: Targets = None,
    force_rewrite: ForceRewrite = False,
    wait: Wait = 300,
    keep: Keep = False,
) -> None:
    """Stop the server if it runs, and start it.

    Example: omero admin restart
    """
    from omeroadmin.cli.views.lifecycle import StderrReporter
    from omeroadmin.workflows.lifecycle import StartOptions, restart

    restart(require_instance(), StartOptions(file, tuple(targets or ()), wait, force_rewrite, keep), StderrReporter())
