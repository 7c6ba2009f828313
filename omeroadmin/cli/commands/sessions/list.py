"""``omero sessions list``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import Style
from omeroadmin.cli.session import Connection, connects, place


@connects
def command(
    connection: Connection,
    no_purge: Annotated[bool, typer.Option("--no-purge", help="Keep sessions that have expired.")] = False,
    show_keys: Annotated[bool, typer.Option("--show-keys", help="Show the keys: who sees one can use it.")] = False,
    style: Annotated[Style, typer.Option("--style", help="How to print the list.")] = Style.SQL,
) -> None:
    """List your stored sessions.

    Each server is asked whether it still knows its session: True or Expired, and Logged in for the one that
    commands use.

    Sessions that have expired are listed once more and removed.

    Example: omero sessions list --style csv
    """
    from omeroadmin.cli.views.sessions import print_stored
    from omeroadmin.workflows.sessions import stored_sessions

    print_stored(stored_sessions(place(), connection.wish(), purge=not no_purge), style, with_keys=show_keys)
