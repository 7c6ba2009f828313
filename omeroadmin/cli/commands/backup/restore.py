"""``omero backup restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.backup_options import Target
from omeroadmin.cli.context import instance_settings
from omeroadmin.cli.database_options import (
    DatabaseHost,
    DatabaseName,
    DatabasePasswordFile,
    DatabasePort,
    DatabaseUser,
    PortsPrefix,
    external_database,
)
from omeroadmin.cli.restore_options import DataDirectory, FromConfig, FromDump, FromMirror, SnapshotId, check_source
from omeroadmin.cli.restoring import finish_restore


def command(
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Directory of the new instance.")],
    snapshot: SnapshotId = None,
    target: Target = None,
    data_dir: DataDirectory = None,
    from_dump: FromDump = None,
    from_mirror: FromMirror = None,
    from_config: FromConfig = None,
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
    from omeroadmin.workflows.backup_target import target_address
    from omeroadmin.workflows.restore import RestorePlan, RestoreWish, plan_restore
    from omeroadmin.workflows.restore_mirror import MirrorWish, plan_mirror_restore

    check_source(snapshot, from_dump, from_mirror, from_config)
    database = external_database(db_host, db_port, db_name, db_user, db_password_file)
    restore: RestorePlan
    if from_dump is not None and from_mirror is not None:
        restore = plan_mirror_restore(
            MirrorWish(from_dump, from_mirror, into, from_config, data_dir, ports_prefix, database, overwrite, jobs)
        )
    else:
        place = target_address(instance_settings() if target is None else None, target)
        wish = RestoreWish(place, snapshot or "", into, data_dir, ports_prefix, database, overwrite, jobs)
        restore = plan_restore(wish)
    with restore:
        finish_restore(restore, dry_run=dry_run, yes=yes, overwrite=overwrite, start=start)
