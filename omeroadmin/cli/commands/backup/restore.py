"""``omero backup restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.confirm import agree, show_plan
from omeroadmin.cli.context import instance_settings
from omeroadmin.cli.database_options import (
    DatabaseHost,
    DatabaseName,
    DatabasePasswordFile,
    DatabasePort,
    DatabaseUser,
    PortsPrefix,
)
from omeroadmin.cli.progress import step_listener
from omeroadmin.cli.views import backups as view
from omeroadmin.errors import ExitStatus


def command(
    snapshot: Annotated[
        str, typer.Argument(metavar="ID", help="The snapshot: its id, the beginning of it, or latest.")
    ],
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Directory of the new instance.")],
    target: Annotated[
        Path | None, typer.Option("--target", metavar="DIR", help="Where snapshots are kept [omero.backup.target].")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", metavar="DIR", help="Its images; by default DIR-data beside it.")
    ] = None,
    ports_prefix: PortsPrefix = None,
    db_host: DatabaseHost = None,
    db_port: DatabasePort = 5432,
    db_name: DatabaseName = "omero",
    db_user: DatabaseUser = "omero",
    db_password_file: DatabasePasswordFile = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Connections that restore.")] = 2,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    start: Annotated[bool, typer.Option("--start", help="Start the restored server.")] = False,
) -> None:
    """Make a second instance of a snapshot.

    What exists is never touched without --overwrite.

    A restore that was interrupted goes on where it was. It ends with a check that database and files fit.

    Example: omero backup restore latest --into ~/restored/OMERO.server --ports-prefix 2
    """
    from omeroadmin.workflows.backup_scope import target_directory
    from omeroadmin.workflows.install import read_external_database
    from omeroadmin.workflows.restore import RestoreWish, carry_out, plan_restore, start_restored

    place = target_directory(instance_settings() if target is None else None, target)
    database = None
    if db_host is not None:
        database = read_external_database(db_host, db_port, db_name, db_user, db_password_file)
    wish = RestoreWish(place, snapshot, into, data_dir, ports_prefix, database, overwrite, jobs)
    restore = plan_restore(wish)
    if dry_run:
        show_plan(restore.plan)
        return
    agree(restore.plan, yes=yes, destructive=overwrite)
    report = carry_out(restore, step_listener())
    view.show_restored(restore, report)
    if report.faults.count:
        raise typer.Exit(ExitStatus.FAILED)
    if start:
        start_restored(restore)
