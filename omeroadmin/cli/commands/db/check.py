"""``omero db check``."""

from __future__ import annotations

from typing import Annotated

import typer


def command(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Look whether the server can work with the database.

    Version, encoding, tables, columns, constraints, first rows, sequences, ownership, uuid. Nothing is changed.

    The exit status is 1 if anything failed.

    Example: omero db check --json
    """
    from omeroadmin.cli.context import require_instance
    from omeroadmin.cli.output import print_json, print_lines, to_data
    from omeroadmin.cli.views.database import check_lines
    from omeroadmin.errors import ExitStatus
    from omeroadmin.workflows.database import check_instance_database

    check = check_instance_database(require_instance())
    if as_json:
        print_json("db/check", {**to_data(check), "failed": check.failed})
    else:
        print_lines(*check_lines(check))
    if check.failed:
        raise typer.Exit(ExitStatus.BUG)
