"""``omero login``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.session import CaFileOption, KeyOption, PortOption, ServerOption, UserOption, place, wish


def command(
    connection: Annotated[
        str | None, typer.Argument(metavar="[[USER@]SERVER[:PORT]]", help="Server; localhost if not given.")
    ] = None,
    server: ServerOption = None,
    port: PortOption = None,
    user: UserOption = None,
    password: Annotated[
        str | None,
        typer.Option(
            "-w", "--password", metavar="PASSWORD", help="Discouraged: other users see it in the process list."
        ),
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", metavar="FILE", help="File whose first line is the password; - is stdin."),
    ] = None,
    key: KeyOption = None,
    create: Annotated[
        bool, typer.Option("-C", "--create", help="Create a new session even if a stored one can be used.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing when it worked.")] = False,
    ca_file: CaFileOption = None,
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

    request = wish(
        server, port, user, key, ca_file, connection=connection, password=password, password_file=password_file
    )
    done = login(place(), request, create=create or password is not None or password_file is not None)
    if not quiet:
        say_login(done)
