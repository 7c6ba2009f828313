"""``omero sessions list``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import Style
from omeroadmin.cli.session import Connection, connects, place


@connects
def command(
    connection: Connection,
    style: Annotated[Style, typer.Option("--style", help="How to print the list.")] = Style.SQL,
) -> None:
    """List your stored sessions.

    Each server is asked whether it still knows its session; keys are not shown.

    Sessions that have expired are listed once more and removed.

    Example: omero sessions list --style csv
    """
    from omeroadmin.cli.views.sessions import print_stored
    from omeroadmin.workflows.access import stored_sessions

    print_stored(stored_sessions(place(), connection.wish()), style)
