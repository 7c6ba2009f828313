"""``omero search``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import Style, print_table
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Words to look for in names.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many at most.")] = 25,
    style: Annotated[Style, typer.Option("--style", help="How to print the list.")] = Style.SQL,
) -> None:
    """Search the server's full-text index.

    Finding nothing is no error.

    Example: omero search mitosis
    """
    from omeroadmin.workflows.listing import search

    with connection.open() as (client, _):
        table = search(client, query, limit=limit)
    print_table("hits", table.columns, table.rows, style)
