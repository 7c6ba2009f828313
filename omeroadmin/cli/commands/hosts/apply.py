"""``omero hosts apply``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.hosts_options import AcceptNew, BecomeRoot, Forks, InventoryFile, Json, Limit, Local, Quiet
from omeroadmin.cli.rollout_options import Detailed, Serial, Settings, SkipTags, Tags, Variables, Yes


def command(
    playbooks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PLAYBOOK]...", help="Files, or names of the package's own: site.yml."),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="What plan --out saved, if nothing has changed since.")
    ] = None,
    inventory: InventoryFile = None,
    limit: Limit = "",
    tags: Tags = "",
    skip_tags: SkipTags = "",
    variables: Variables = None,
    settings: Settings = None,
    serial: Serial = 0,
    forks: Forks = 10,
    become: BecomeRoot = None,
    accept_new: AcceptNew = False,
    local: Local = False,
    yes: Yes = False,
    detailed: Detailed = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make hosts what playbooks say, stage by stage.

    It plans, shows the plan, asks, and then changes what differs. A host stops at its first failure; the others go on,
    but with --serial the roll-out ends. Ctrl-C ends it after the operations at work; the next apply goes on from there.

    Where nothing changes, nothing is printed off a terminal.

    The exit status is 5 if a host failed, else 4 if one could not be reached, else 6 if another run was at work there.

    Example: omero hosts apply site.yml --serial 1
    """
    from omeroadmin.cli.rolling_out import roll_out
    from omeroadmin.cli.rollout_options import finish, require_answer, rollout_choice, way_of
    from omeroadmin.cli.views.rollout_reports import print_applied, print_report_json
    from omeroadmin.errors import usage_error
    from omeroadmin.provisioning.saved_plan import read_plan

    if (plan is None) != bool(playbooks):
        raise usage_error(
            "playbook-needed", "name playbooks, or a saved plan", "omero hosts apply PLAYBOOK, or --plan FILE"
        )
    if plan is not None and any((inventory, limit, tags, skip_tags, variables, settings, local, become is not None)):
        raise usage_error(
            "plan-fixed", f"{plan} says already what is done where", "name nothing beside it that a plan is made of"
        )
    require_answer("omero hosts plan", yes=yes)
    choice = rollout_choice(
        playbooks or [], inventory, limit, tags, skip_tags, variables, settings, local=local, become=become
    )
    saved = None
    if plan is not None:
        choice, digests = read_plan(plan)
        saved = (plan, digests)
    report = roll_out(choice, way_of(choice, forks, accept_new=accept_new), serial, saved, yes=yes, quiet=quiet)
    if as_json:
        print_report_json(report)
    else:
        print_applied(report, quiet=quiet)
    finish(report.exit_status, changes=report.changed, detailed=detailed)
