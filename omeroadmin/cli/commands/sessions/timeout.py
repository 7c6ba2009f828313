"""``omero sessions timeout``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import print_lines
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    seconds: Annotated[
        int | None, typer.Argument(metavar="[SECONDS]", min=0, help="The new timeout; 0: never, for administrators.")
    ] = None,
) -> None:
    """Show or set after how long without use the session ends.

    Users may ask for as much as omero.sessions.max_user_time_to_idle says.

    Example: omero sessions timeout 3600
    """
    with connection.open() as (client, session):
        if seconds is None:
            print_lines(f"{session.time_to_idle_ms / 1000:g}")
        else:
            client.change_session(time_to_idle_ms=seconds * 1000)
