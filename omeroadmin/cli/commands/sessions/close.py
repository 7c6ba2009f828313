"""``omero sessions close``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import say
from omeroadmin.cli.session import Connection, connects, place


@connects
def command(
    connection: Connection,
    session: Annotated[
        str, typer.Argument(metavar="SESSION", help="Number of omero sessions who, or a key; - reads a key from stdin.")
    ],
) -> None:
    """Close a session of yours or, as administrator, of anybody.

    A key closes its session by itself. On the command line, others see it in the process list.

    Example: omero sessions close 51
    """
    from omeroadmin.cli.credentials import from_stdin
    from omeroadmin.workflows.sessions import close_number, close_with_key

    if session.isascii() and session.isdigit():
        with connection.open() as (client, _):
            close_number(client, int(session))
    else:
        close_with_key(place(), connection.wish(), from_stdin("key") if session == "-" else session)
    if not connection.quiet:
        say("Session closed.")
