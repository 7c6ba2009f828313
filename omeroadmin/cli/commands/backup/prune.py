"""``omero backup prune``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.backup_options import Target, target_settings
from omeroadmin.cli.retention_options import (
    KeepDaily,
    KeepHourly,
    KeepLast,
    KeepMonthly,
    KeepTag,
    KeepWeekly,
    KeepYearly,
)
from omeroadmin.errors import ExitStatus


def command(
    target: Target = None,
    keep_last: KeepLast = 0,
    keep_hourly: KeepHourly = 0,
    keep_daily: KeepDaily = 0,
    keep_weekly: KeepWeekly = 0,
    keep_monthly: KeepMonthly = 0,
    keep_yearly: KeepYearly = 0,
    keep_tag: KeepTag = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and why.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing unless something is wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Remove old snapshots, and contents that no other one names.

    Snapshots that somebody is reading stay for a later prune: restore, drill, verify and diff hold them.

    Snapshots that can't be read stay, and so do all contents as long as a manifest can't be read: the exit status is 5.

    Of each hour, day, week, month and year it is the newest snapshot that counts; one that several rules keep is kept
    once. The newest consistent snapshot and the newest verified one always stay, whatever the rules say.

    Example: omero backup prune --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run
    """
    from omeroadmin.backups.retention import Policy
    from omeroadmin.cli.confirm import agree_to
    from omeroadmin.cli.views import backup_care as view
    from omeroadmin.workflows.prune import PruneWish, plan_prune, prune

    tags = tuple(keep_tag or ())
    policy = Policy(keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly, tags)
    wish = PruneWish(target_settings(target), target, policy)
    plan = plan_prune(wish)
    if dry_run:
        view.show_prune(plan, None, as_json=as_json)
        return
    if plan.is_empty:
        view.show_nothing_pruned(plan, as_json=as_json, quiet=quiet)
        view.say_kept(plan.preview)
        return
    agree_to([] if quiet and yes else view.prune_lines(plan), yes=yes, destructive=True)
    removed = prune(wish, plan)
    if as_json or not quiet:
        view.show_prune(plan, removed, as_json=as_json)
    view.say_kept(removed)
    if removed.kept_because:
        raise typer.Exit(ExitStatus.FAILED)
