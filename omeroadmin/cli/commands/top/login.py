"""``omero login``."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from omeroadmin.cli.session import Connection, connects, place


@connects
def command(
    connection: Connection,
    target: Annotated[
        str | None, typer.Argument(metavar="[[USER@]SERVER[:PORT]]", help="Server; localhost if not given.")
    ] = None,
    timeout: Annotated[
        int | None,
        typer.Option("-t", "--timeout", metavar="SECONDS", min=0, help="End the session after so long without use."),
    ] = None,
) -> None:
    """Log in: create a session, or use a stored one.

    It is kept for the next commands.

    The password comes from --password-file, OMERO_PASSWORD or the terminal. A password on the command line or in a
    file always creates a new session. With OMERODIR set, localhost means that instance and its ports; tcp://localhost
    is its port without TLS, which takes session keys but no passwords. With --sudo, it is the password of that
    administrator or group owner, and the session is the user's.

    Example: omero login root@localhost:4064 --password-file etc/root_password
    """
    from omeroadmin.cli.views.sessions import say_login
    from omeroadmin.workflows.access import login

    given = connection.password is not None or connection.password_file is not None
    done = login(
        place(), dataclasses.replace(connection, create=connection.create or given).wish(target, idle_seconds=timeout)
    )
    if not connection.quiet:
        say_login(done)
