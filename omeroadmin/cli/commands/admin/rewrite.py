"""``omero admin rewrite``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance


def command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write also what has not changed, and while the server runs.")
    ] = False,
) -> None:
    """Render the grid's files from the settings.

    They are default.xml, templates.xml, master.cfg, internal.cfg, ice.config, and NODE.cfg for each node beside the
    master. All are replaced together. What was changed by hand is kept as .orig. The templates of a distribution of
    OMERO.server, below etc/templates, are rendered instead of our own.

    Every start does this by itself. Not while the server runs, unless forced.

    Example: omero admin rewrite --dry-run
    """
    from omeroadmin.cli.confirm import show_plan
    from omeroadmin.steps.apply import apply_plan
    from omeroadmin.system.local import LocalHost
    from omeroadmin.workflows.rewrite import plan_admin_rewrite

    plan = plan_admin_rewrite(require_instance(), force=force)
    if dry_run:
        show_plan(plan)
    else:
        apply_plan(plan, LocalHost())
