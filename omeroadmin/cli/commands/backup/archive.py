"""``omero backup archive``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.backup_options import Target
from omeroadmin.errors import ExitStatus


def command(
    target: Target = None,
    off: Annotated[bool, typer.Option("--off", help="Stop archiving; what was archived stays.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Archive the database for restores to any moment (pgBackRest).

    Once set up, PostgreSQL hands over what it logs every minute. With "omero backup create --physical" as a beginning,
    "omero backup restore --at" brings back any moment since.

    PostgreSQL turns archiving on at its start only: if OMERO runs, the exit status is 8, and "omero admin stop",
    "omero admin start" remain to be done. For a database that isn't the instance's own, the settings are printed.

    Example: omero backup archive --target /backup/omero
    """
    from omeroadmin.cli.confirm import agree, show_plan
    from omeroadmin.cli.context import require_instance
    from omeroadmin.cli.output import print_lines, say
    from omeroadmin.cli.progress import step_listener
    from omeroadmin.cli.views.physical import show_external
    from omeroadmin.database.embedded import is_embedded
    from omeroadmin.profiles.store import load_settings
    from omeroadmin.steps.apply import apply_plan
    from omeroadmin.system.local import LocalHost
    from omeroadmin.workflows.physical import external_settings, plan_archiving

    instance = require_instance()
    settings = load_settings(instance)
    if not is_embedded(settings):
        show_external(external_settings(settings))
        return
    planned = plan_archiving(instance, settings, target, archive=not off)
    if dry_run:
        show_plan(planned.plan)
    else:
        agree(planned.plan, yes=yes, destructive=False)
        apply_plan(planned.plan, LocalHost(), step_listener())
    if planned.restart:
        say("Still to be done: omero admin stop, then omero admin start")
        raise typer.Exit(ExitStatus.CHANGES_PENDING)
    if not dry_run:
        print_lines("The database is not archived." if off else "The database is archived.")
