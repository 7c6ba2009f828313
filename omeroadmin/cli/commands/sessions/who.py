"""``omero sessions who``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import Style
from omeroadmin.cli.session import CaFileOption, KeyOption, PortOption, ServerOption, UserOption, connected, wish


def command(
    style: Annotated[Style, typer.Option("--style", help="How to print the list.")] = Style.SQL,
    server: ServerOption = None,
    port: PortOption = None,
    user: UserOption = None,
    key: KeyOption = None,
    ca_file: CaFileOption = None,
) -> None:
    """List who is logged in on the server.

    Everybody for admins, your own sessions otherwise.

    Example: omero sessions who
    """
    from omeroadmin.cli.views.sessions import print_who
    from omeroadmin.workflows.access import sessions_on_server

    with connected(wish(server, port, user, key, ca_file)) as (client, _):
        sessions = sessions_on_server(client)
    print_who(sessions, style)
