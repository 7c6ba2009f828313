"""``omero admin start``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.lifecycle_options import File, ForceRewrite, Keep, Targets, Wait


def command(
    file: File = None,
    targets: Targets = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Run in this process until stopped, as systemd wants it.")
    ] = False,
    force_rewrite: ForceRewrite = False,
    wait: Wait = 300,
    keep: Keep = False,
) -> None:
    """Start the server and wait until all its parts are ready.

    Ends as soon as one can't be: then it shows the last lines of that server's log, the likely cause and what mends
    it, and stops the others. Says nothing else unless something needs attention, or stderr is a terminal.

    Example: omero admin start --wait 60
    """
    from omeroadmin.cli.views.lifecycle import StderrReporter
    from omeroadmin.workflows.lifecycle import StartOptions, run_foreground, start

    options = StartOptions(file, tuple(targets or ()), wait, force_rewrite, keep)
    if foreground:
        from omeroadmin.system.notify import Notifier

        run_foreground(require_instance(), options, StderrReporter(), Notifier.from_environment())
    else:
        start(require_instance(), options, StderrReporter())
