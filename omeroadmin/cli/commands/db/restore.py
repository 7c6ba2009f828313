"""``omero db restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A dump of omero db dump.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Make the database what it was when it was dumped.

    All that is in the database now is lost. Files that were imported since then stay on the disk without a name in it:
    omero admin cleanse finds them. The server must be stopped.

    Example: omero db restore /backup/before-upgrade --dry-run
    """
    from omeroadmin.cli.confirm import agree, show_plan
    from omeroadmin.cli.context import require_instance
    from omeroadmin.cli.output import print_lines
    from omeroadmin.steps.apply import apply_plan
    from omeroadmin.system.local import LocalHost
    from omeroadmin.workflows.database import plan_database_restore

    plan = plan_database_restore(require_instance(), directory.absolute())
    if dry_run:
        show_plan(plan)
        return
    agree(plan, yes=yes, destructive=True)
    apply_plan(plan, LocalHost())
    print_lines(f"The database is what {directory} holds.")
