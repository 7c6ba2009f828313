"""``omero backup schedule``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.backups.schedule import ScheduleKind
from omeroadmin.cli.backup_options import Target
from omeroadmin.cli.context import require_instance
from omeroadmin.cli.retention_options import KeepDaily, KeepLast, KeepMonthly, KeepTag, KeepWeekly, KeepYearly


def command(
    kind: Annotated[ScheduleKind, typer.Argument(help="What starts the backups.")] = ScheduleKind.SYSTEMD,
    target: Target = None,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="Where files go; by default where the system looks.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="HH:MM", help="When, by default 01:30; cron has its own time.")
    ] = None,
    jitter: Annotated[int, typer.Option("--jitter", metavar="MINUTES", min=0, max=720, help="Late by up to.")] = 15,
    user: Annotated[str | None, typer.Option("--user", help="Who runs it; by default the instance's owner.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Verify each snapshot.")] = False,
    keep_last: KeepLast = 0,
    keep_daily: KeepDaily = 0,
    keep_weekly: KeepWeekly = 0,
    keep_monthly: KeepMonthly = 0,
    keep_yearly: KeepYearly = 0,
    keep_tag: KeepTag = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the files and write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Back up daily, by a systemd timer or a script for cron.

    With low priority, at a time that differs from machine to machine. Options --keep-... prune after each backup; if a
    backup fails, nothing is pruned.

    Example: omero backup schedule systemd --at 02:00 --keep-daily 7 --keep-monthly 12 --dry-run
    """
    from omeroadmin.backups.retention import Policy
    from omeroadmin.cli.confirm import agree
    from omeroadmin.cli.views import backup_schedule as view
    from omeroadmin.steps.apply import apply_plan
    from omeroadmin.system.local import LocalHost
    from omeroadmin.workflows.backup_schedule import ScheduleWish, plan_instance_schedule

    policy = Policy(keep_last, 0, keep_daily, keep_weekly, keep_monthly, keep_yearly, tuple(keep_tag or ()))
    plan = plan_instance_schedule(
        ScheduleWish(require_instance(), kind, target, into, policy, verify, at, jitter, user)
    )
    if dry_run or not plan:
        view.show_files(plan)
        return
    agree(plan, yes=yes, destructive=False)
    apply_plan(plan, LocalHost())
    view.show_next_steps(kind, into)
