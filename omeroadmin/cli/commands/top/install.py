"""``omero install``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.confirm import agree, show_plan
from omeroadmin.cli.context import install_directory
from omeroadmin.cli.database_options import (
    DatabaseHost,
    DatabaseName,
    DatabasePasswordFile,
    DatabasePort,
    DatabaseUser,
    PortsPrefix,
    external_database,
)
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.progress import step_listener
from omeroadmin.errors import ExitStatus, usage_error
from omeroadmin.schema.instance import Instance
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost


def command(
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="The instance; by default $OMERODIR.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", metavar="DIR", help="Images; by default OMERO beside the instance.")
    ] = None,
    db: Annotated[str | None, typer.Option("--db", metavar="embedded", help="A PostgreSQL of its own.")] = None,
    db_host: DatabaseHost = None,
    db_port: DatabasePort = 5432,
    db_name: DatabaseName = "omero",
    db_user: DatabaseUser = "omero",
    db_password_file: DatabasePasswordFile = None,
    root_password_file: Annotated[
        Path | None,
        typer.Option("--root-password-file", metavar="FILE", help="File with root's password; else one is generated."),
    ] = None,
    ports_prefix: PortsPrefix = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="Exit with 8 where something changes.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Make an instance.

    Directories, properties, certificates, database, repository. What is there is kept, also a database that
    the properties name already; a second run has nothing to do.

    Example: omero install --dir ~/OMERO.server --data-dir ~/OMERO --db embedded
    """
    from omeroadmin.workflows.install import InstallWish, plan_install

    if db not in (None, "embedded") or (db == "embedded" and db_host is not None):
        raise usage_error(
            "database-ambiguous",
            f"--db {db} names no database of its own" if db_host is None else "--db and --db-host exclude each other",
            "either --db embedded or --db-host HOST --db-name NAME --db-user USER",
        )
    omerodir = install_directory(directory)
    data = (data_dir or omerodir.parent / "OMERO").absolute()
    database = external_database(db_host, db_port, db_name, db_user, db_password_file)
    wish = InstallWish(Instance(omerodir), data, database, root_password_file, ports_prefix, embedded=db is not None)
    result = plan_install(wish)
    if dry_run:
        show_plan(result.plan)
    else:
        agree(result.plan, yes=yes, destructive=False)
        apply_plan(result.plan, LocalHost(), step_listener())
        if not result.plan:
            print_lines(f"{omerodir} is complete: nothing to do")
        print_lines(f"Password of user root: in {result.root_password_file}")
    if detailed and result.plan:
        raise typer.Exit(ExitStatus.CHANGES_PENDING)
