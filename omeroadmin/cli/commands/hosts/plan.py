"""``omero hosts plan``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.hosts_options import AcceptNew, BecomeRoot, Forks, InventoryFile, Json, Limit, Local, Quiet
from omeroadmin.cli.rollout_options import Detailed, Playbooks, Settings, SkipTags, Tags, Variables


def command(
    playbooks: Playbooks,
    inventory: InventoryFile = None,
    limit: Limit = "",
    tags: Tags = "",
    skip_tags: SkipTags = "",
    variables: Variables = None,
    settings: Settings = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Save the plan for omero hosts apply --plan FILE.")
    ] = None,
    forks: Forks = 10,
    become: BecomeRoot = None,
    accept_new: AcceptNew = False,
    local: Local = False,
    detailed: Detailed = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Show what playbooks would change, host by host.

    Nothing is changed. Secrets are hidden. What can't be planned on one host doesn't stop the others.

    The exit status is 5 if a host failed, else 4 if one could not be reached.

    Example: omero hosts plan site.yml --limit web
    """
    from omeroadmin.cli.rollout_options import finish, rollout_choice, way_of
    from omeroadmin.cli.views.rollouts import PlanProgress, print_plan, print_plan_json, say_plan_problems
    from omeroadmin.provisioning.saved_plan import save_plan
    from omeroadmin.workflows.rollout import Rollout, scope_of

    choice = rollout_choice(
        playbooks, inventory, limit, tags, skip_tags, variables, settings, local=local, become=become
    )
    scope, way = scope_of(choice), way_of(choice, forks, accept_new=accept_new)
    with PlanProgress(quiet=quiet) as progress, Rollout(scope.hosts, scope.inventory, way, progress) as rollout:
        plan = rollout.plan(scope.playbooks, digest=out is not None)
    if as_json:
        print_plan_json(plan)
    elif plan.has_changes or not quiet:
        print_plan(plan, scope.absent)
    say_plan_problems(plan)
    if out is not None:
        save_plan(out, choice, plan)
    finish(plan.exit_status, changes=plan.has_changes, detailed=detailed)
