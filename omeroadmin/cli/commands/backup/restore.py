"""``omero backup restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli import database_options, physical_options, restore_options
from omeroadmin.cli.backup_options import IdentityFiles, PassphraseFile, Target
from omeroadmin.cli.context import instance_settings, present_settings
from omeroadmin.cli.restoring import finish_restore


def command(
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Directory of the new instance.")],
    snapshot: restore_options.SnapshotId = None,
    target: Target = None,
    at: physical_options.At = None,
    data_dir: restore_options.DataDirectory = None,
    only: restore_options.Only = None,
    identity_file: IdentityFiles = None,
    passphrase_file: PassphraseFile = None,
    from_dump: restore_options.FromDump = None,
    from_mirror: restore_options.FromMirror = None,
    from_config: restore_options.FromConfig = None,
    ports_prefix: database_options.PortsPrefix = None,
    db_host: database_options.DatabaseHost = None,
    db_port: database_options.DatabasePort = 5432,
    db_name: database_options.DatabaseName = "omero",
    db_user: database_options.DatabaseUser = "omero",
    db_password_file: database_options.DatabasePasswordFile = None,
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
    from omeroadmin.workflows.backup_keys import keys_for
    from omeroadmin.workflows.backup_target import target_address
    from omeroadmin.workflows.restore import RestorePlan, RestoreWish, plan_restore
    from omeroadmin.workflows.restore_mirror import MirrorWish, plan_mirror_restore
    from omeroadmin.workflows.restore_moment import parse_moment, plan_moment_restore

    restore_options.check_source(snapshot, at, from_dump, from_mirror, from_config, only)
    database = database_options.external_database(db_host, db_port, db_name, db_user, db_password_file)
    restore: RestorePlan
    if from_dump is not None and from_mirror is not None:
        restore = plan_mirror_restore(
            MirrorWish(from_dump, from_mirror, into, from_config, data_dir, ports_prefix, database, overwrite, jobs)
        )
    else:
        place = target_address(instance_settings() if target is None else None, target)
        present = present_settings()
        keys = keys_for(present, identity_file or (), passphrase_file)
        rest = (data_dir, ports_prefix, database, overwrite, jobs)
        wish = RestoreWish(place, snapshot or "", into, *rest, only=tuple(only or ()), keys=keys, present=present)
        restore = plan_restore(wish) if at is None else plan_moment_restore(wish, parse_moment(at))
    with restore:
        finish_restore(restore, dry_run=dry_run, yes=yes, overwrite=overwrite, start=start)
