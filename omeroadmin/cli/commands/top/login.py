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
) -> None:
    """Log in: create a session, or use a stored one.

    It is kept for the next commands.

    The password comes from --password-file, OMERO_PASSWORD or the terminal. A password on the command line or in a
    file always creates a new session. With OMERODIR set, localhost means that instance and its ports; tcp://localhost
    is its port without TLS, which takes session keys but no passwords.

    Example: omero login root@localhost:4064 --password-file etc/root_password
    """
    from omeroadmin.cli.views.sessions import say_login
    from omeroadmin.workflows.access import login

    given = connection.password is not None or connection.password_file is not None
    done = login(place(), dataclasses.replace(connection, create=connection.create or given).wish(target))
    if not connection.quiet:
        say_login(done)
