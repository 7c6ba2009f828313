"""``omero sessions clear``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import print_lines, say
from omeroadmin.cli.session import Connection, connects, place


@connects
def command(
    connection: Connection,
    everything: Annotated[
        bool, typer.Option("--all", help="Close all stored sessions, not only forget those that are over.")
    ] = False,
) -> None:
    """Remove stored sessions that are over, or all of them.

    Example: omero sessions clear --all
    """
    from omeroadmin.workflows.sessions import clear

    done = clear(place(), connection.wish(), everything=everything)
    print_lines(f"{done.cleared} session(s) cleared")
    if done.unheard:
        say(f"{done.unheard} of them may still be open: the server didn't answer")
