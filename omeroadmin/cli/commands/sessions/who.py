"""``omero sessions who``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import Style
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    style: Annotated[Style, typer.Option("--style", help="How to print the list.")] = Style.SQL,
) -> None:
    """List who is logged in on the server.

    Everybody for admins, your own sessions otherwise.

    Example: omero sessions who
    """
    from omeroadmin.cli.views.sessions import print_who
    from omeroadmin.workflows.sessions import sessions_on_server

    with connection.open() as (client, _):
        sessions = sessions_on_server(client)
    print_who(sessions, style)
