"""``omero fs repos``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import Style, print_table
from omeroadmin.cli.session import CaFileOption, KeyOption, PortOption, ServerOption, UserOption, connected, wish


def command(
    style: Annotated[Style, typer.Option("--style", help="How to print the list.")] = Style.SQL,
    server: ServerOption = None,
    port: PortOption = None,
    user: UserOption = None,
    key: KeyOption = None,
    ca_file: CaFileOption = None,
) -> None:
    """List the server's repositories.

    Example: omero fs repos
    """
    from omeroadmin.workflows.listing import repositories

    with connected(wish(server, port, user, key, ca_file)) as (client, _):
        table = repositories(client)
    print_table("repositories", table.columns, table.rows, style)
