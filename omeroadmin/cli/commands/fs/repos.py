"""``omero fs repos``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import Style, print_table
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    style: Annotated[Style, typer.Option("--style", help="How to print the list.")] = Style.SQL,
) -> None:
    """List the server's repositories.

    Example: omero fs repos
    """
    from omeroadmin.workflows.listing import repositories

    with connection.open() as (client, _):
        table = repositories(client)
    print_table("repositories", table.columns, table.rows, style)
