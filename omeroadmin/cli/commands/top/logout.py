"""``omero logout``."""

from __future__ import annotations

from omeroadmin.cli.output import say
from omeroadmin.cli.session import Connection, connects, place


@connects
def command(connection: Connection) -> None:
    """Log out: close the session that commands use.

    It ends on the server and here.

    Example: omero logout
    """
    from omeroadmin.workflows.sessions import logout

    closed = logout(place(), connection.wish())
    if not connection.quiet:
        say("There is no session to log out of." if closed is None else f"Logged out: {closed}")
