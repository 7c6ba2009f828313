"""``omero db upgrade``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.backup_first import Backup, back_up


def command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    backup: Backup = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Upgrade the database to the version that the server needs.

    The scripts in OMERODIR/sql/psql are chained from the version that the database has. Each runs after its check, in
    one transaction: it goes through whole or changes nothing. Where the version is right, nothing is done.

    Stop the server and make a backup first, with --backup for example; there is no way back but the backup.

    Example: omero db upgrade --dry-run
    """
    from omeroadmin.cli.confirm import agree, show_plan
    from omeroadmin.cli.context import require_instance
    from omeroadmin.cli.output import print_lines, say
    from omeroadmin.steps.apply import apply_plan
    from omeroadmin.system.local import LocalHost
    from omeroadmin.workflows.database import plan_instance_upgrade

    instance = require_instance()
    plan = plan_instance_upgrade(instance)
    if dry_run or not plan:
        show_plan(plan)
        return
    agree(plan, yes=yes, destructive=True)
    if backup:
        back_up(instance, "db upgrade")
    apply_plan(plan, LocalHost(), lambda number, total, step: say(f"[{number}/{total}] {step.describe()}"))
    print_lines("The database is upgraded.")
