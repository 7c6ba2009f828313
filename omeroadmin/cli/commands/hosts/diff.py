"""``omero hosts diff``."""

from __future__ import annotations

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
    forks: Forks = 10,
    become: BecomeRoot = None,
    accept_new: AcceptNew = False,
    local: Local = False,
    detailed: Detailed = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Show how files would change, as diff -u does.

    What plan shows, but nothing beside the differences, and these to their ends. --json gives the document of plan.

    Example: omero hosts diff web.yml | less
    """
    from omeroadmin.cli.rollout_options import finish, rollout_choice, way_of
    from omeroadmin.cli.views.rollouts import PlanProgress, print_differences, print_plan_json, say_plan_problems
    from omeroadmin.workflows.rollout import Rollout, scope_of

    choice = rollout_choice(
        playbooks, inventory, limit, tags, skip_tags, variables, settings, local=local, become=become
    )
    scope, way = scope_of(choice), way_of(choice, forks, accept_new=accept_new)
    with PlanProgress(quiet=quiet) as progress, Rollout(scope.hosts, scope.inventory, way, progress) as rollout:
        plan = rollout.plan(scope.playbooks)
    if as_json:
        print_plan_json(plan)
    else:
        print_differences(plan)
    say_plan_problems(plan)
    finish(plan.exit_status, changes=plan.has_changes, detailed=detailed)
