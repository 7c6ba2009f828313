"""``omero sessions keepalive``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import say
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    frequency: Annotated[
        int, typer.Option("-f", "--frequency", metavar="SECONDS", min=1, help="How long between two signs of life.")
    ] = 60,
) -> None:
    """Keep the session alive until interrupted.

    On a terminal, Enter ends it as well. It ends by itself when the session does.

    Example: omero sessions keepalive -f 300
    """
    from omeroadmin.cli.credentials import wait_for_enter
    from omeroadmin.workflows.sessions import keep_alive

    with connection.open() as (client, _):
        if not connection.quiet:
            say(f"Running keep alive every {frequency} seconds")
        keep_alive(client, lambda: wait_for_enter(frequency), lambda error: say(f"omero: {error.message}"))
