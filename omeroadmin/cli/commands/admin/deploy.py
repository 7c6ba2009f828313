"""``omero admin deploy``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.lifecycle_options import File, Targets, Wait


def command(
    file: File = None,
    targets: Targets = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    wait: Wait = 300,
    json: Annotated[bool, typer.Option("--json", help="Print what was done as one JSON document.")] = False,
) -> None:
    """Bring changed settings into force while the server runs.

    Renders the grid's files and restarts only the servers that a change affects; the others keep their processes.
    What belongs to the registry's address needs a restart.

    Example: omero admin deploy --dry-run
    """
    from omeroadmin.cli.confirm import plan_lines
    from omeroadmin.cli.output import print_json, print_lines
    from omeroadmin.cli.views.grid import report_data, report_lines
    from omeroadmin.cli.views.lifecycle import StderrReporter
    from omeroadmin.workflows.deploy import DeployOptions, deploy, preview_deploy

    options = DeployOptions(file, tuple(targets or ()), wait)
    steps: list[str] = []
    if dry_run:
        preview = preview_deploy(require_instance(), options)
        report, steps = preview.report, plan_lines(preview.plan)
    else:
        report = deploy(require_instance(), options, StderrReporter())
    if json:
        print_json("deploy", {"dry_run": dry_run, **report_data(report)})
    else:
        print_lines(*steps, *report_lines(report, done=not dry_run))
