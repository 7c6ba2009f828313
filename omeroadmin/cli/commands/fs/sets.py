"""``omero fs sets``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import Style, print_table
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    style: Annotated[Style, typer.Option("--style", help="How to print the list.")] = Style.SQL,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="How many at most; all by default.")] = None,
    offset: Annotated[int, typer.Option("--offset", min=0, help="How many to pass over.")] = 0,
) -> None:
    """List filesets, oldest first.

    The size is the bytes of their files.

    Example: omero fs sets --style csv --limit 25
    """
    from omeroadmin.workflows.listing import filesets

    with connection.open() as (client, _):
        table = filesets(client, limit=limit, offset=offset)
    print_table("filesets", table.columns, table.rows, style)
