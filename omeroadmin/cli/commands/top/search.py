"""``omero search``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import Style, print_table
from omeroadmin.cli.session import CaFileOption, KeyOption, PortOption, ServerOption, UserOption, connected, wish


def command(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Words to look for in names.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many at most.")] = 25,
    style: Annotated[Style, typer.Option("--style", help="How to print the list.")] = Style.SQL,
    server: ServerOption = None,
    port: PortOption = None,
    user: UserOption = None,
    key: KeyOption = None,
    ca_file: CaFileOption = None,
) -> None:
    """Search the server's full-text index.

    Finding nothing is no error.

    Example: omero search mitosis
    """
    from omeroadmin.workflows.listing import search

    with connected(wish(server, port, user, key, ca_file)) as (client, _):
        table = search(client, query, limit=limit)
    print_table("hits", table.columns, table.rows, style)
