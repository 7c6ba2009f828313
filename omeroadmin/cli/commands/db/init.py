"""``omero db init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    root_password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file", metavar="FILE", help="Password of user root; OMERODIR/etc/root_password by default."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Initialise the database.

    The instance's own PostgreSQL where it has one, role, database and schema.

    A database that is ready is left alone; one with another schema is an error.

    Example: omero db init --dry-run
    """
    from omeroadmin.cli.confirm import agree, show_plan
    from omeroadmin.cli.context import require_instance
    from omeroadmin.cli.output import print_lines, say
    from omeroadmin.database.plan import DatabaseWish, database_facts, plan_database, require_password_file
    from omeroadmin.profiles.store import load_settings
    from omeroadmin.steps.apply import apply_plan
    from omeroadmin.system.local import LocalHost

    instance = require_instance()
    settings = load_settings(instance)
    facts = database_facts(instance, settings)
    password_file = (root_password_file or instance.root_password_file).absolute()
    plan = plan_database(facts, DatabaseWish(instance, settings, password_file, keep_running=facts.running))
    if dry_run:
        show_plan(plan)
        return
    if plan:
        require_password_file(password_file)
    agree(plan, yes=yes, destructive=False)
    apply_plan(plan, LocalHost(), lambda number, total, step: say(f"[{number}/{total}] {step.describe()}"))
    if plan:
        print_lines(f"The database {facts.address} is ready.")
