"""``omero hosts report``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.hosts_options import Json, QuietResult


def command(
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="Its name, or the beginning; the last one.")] = "",
    every: Annotated[bool, typer.Option("--list", help="List the runs that there are records of.")] = False,
    quiet: QuietResult = False,  # noqa: ARG001 - as all of them; there are no other words here
    as_json: Json = False,
) -> None:
    """Show what a run of apply or undo has changed.

    Each run writes a journal on this machine as it goes; what is shown is what it holds.

    Example: omero hosts report --list
    """
    from omeroadmin.cli.rollout_options import rollouts_directory
    from omeroadmin.cli.views.rollout_reports import print_report, print_report_json, print_runs
    from omeroadmin.provisioning.journal import read_journal, read_journals

    directory = rollouts_directory()
    if every:
        print_runs(read_journals(directory), as_json=as_json)
    elif as_json:
        print_report_json(read_journal(directory, run))
    else:
        print_report(read_journal(directory, run))
